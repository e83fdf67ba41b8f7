"""Tasks that ask, under Flyte's local execution."""

import asyncio
import json
import urllib.request
from collections.abc import Iterator

import flyte
import pytest

import hitl.flyte as hitl
from hitl.testing import TestServer

env = flyte.TaskEnvironment(name="tasks", depends_on=[hitl.env])
attempts: list[str] = []


@pytest.fixture(autouse=True)
def server() -> Iterator[TestServer]:
    attempts.clear()
    with TestServer() as server:
        flyte.init()
        yield server


@env.task(report=True)
async def add(x: int) -> int:
    event = await hitl.new_event.aio(
        "integer_input_event", data_type=int, scope="run", prompt="What should I add to x?"
    )
    return x + await event.wait.aio()


@env.task
def approve() -> bool:
    event = hitl.Event.create("approval_event", data_type=bool, prompt="Go on?")
    return event.wait()


@env.task
async def nested() -> int:
    return await add(1) + await add(2)


@env.task
async def mapped(items: list[int]) -> list[int]:
    return list(await asyncio.gather(*(add(item) for item in items)))


@env.task
def multiply(x: int) -> int:
    return x * hitl.new_event("factor", data_type=int, prompt="By what?").wait()


@env.task
def nested_without_async() -> int:
    return multiply(2) + multiply(3)


@env.task
def mapped_by_flyte(items: list[int]) -> list[int]:
    return list(flyte.map(add, items, return_exceptions=False))


@env.task
async def mapped_by_flyte_with_async(items: list[int]) -> list[int]:
    return [value async for value in flyte.map.aio(multiply, items, return_exceptions=False)]


@env.task(retries=1)
async def flaky_item(item: int) -> int:
    event = await hitl.new_event.aio("flaky_item", data_type=int)
    attempts.append(event.id)
    value = await event.wait.aio()
    if attempts.count(event.id) == 1:
        raise RuntimeError("not yet")
    return item + value


@env.task
def mapped_with_retries(items: list[int]) -> list[int]:
    return list(flyte.map(flaky_item, items, return_exceptions=False))


@env.task(retries=2)
async def flaky() -> int:
    event = await hitl.new_event.aio("flaky", data_type=int)
    attempts.append(event.id)
    value = await event.wait.aio()
    if len(attempts) < 3:
        raise RuntimeError("not yet")
    return value


@env.task
async def parent() -> int:
    return await flaky()


@env.task
async def passes_on() -> int:
    return await waits(await hitl.new_event.aio("passed", data_type=int))


@env.task
async def waits(event: hitl.Event) -> int:
    return await event.wait.aio()


def test_an_async_task_waits_for_its_answer(
    server: TestServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.human.answer("integer_input_event", 4)
    assert flyte.run(add, x=42).outputs()[0] == 46
    printed = capsys.readouterr().out
    assert "waits for human input at http://127.0.0.1" in printed
    assert "Received human input for 'integer_input_event': 4" in printed


def test_a_sync_task_waits_for_its_answer(server: TestServer) -> None:
    server.human.answer("approval_event", True)
    assert flyte.run(approve).outputs()[0] is True


def test_tasks_of_a_task_ask_each_for_itself(server: TestServer) -> None:
    server.human.answer("integer_input_event", 10)
    server.human.answer("integer_input_event", 20)
    assert flyte.run(nested).outputs()[0] == 33


def test_tasks_at_the_same_time_ask_each_for_itself(server: TestServer) -> None:
    for value in (10, 20, 30):
        server.human.answer("integer_input_event", value)
    assert sum(flyte.run(mapped, items=[1, 2, 3]).outputs()[0]) == 66


def test_tasks_of_a_task_without_async_ask_each_for_itself(server: TestServer) -> None:
    server.human.answer("factor", 10)
    server.human.answer("factor", 100)
    assert flyte.run(nested_without_async).outputs()[0] == 320


def test_a_map_of_flyte_asks_for_each_item(server: TestServer) -> None:
    for value in (10, 20, 30):
        server.human.answer("integer_input_event", value)
    assert flyte.run(mapped_by_flyte, items=[1, 2, 3]).outputs()[0] == [11, 22, 33]
    for value in (10, 20, 30):
        server.human.answer("factor", value)
    assert flyte.run(mapped_by_flyte_with_async, items=[1, 2, 3]).outputs()[0] == [10, 40, 90]


def test_an_item_of_a_map_that_is_repeated_meets_its_event_again(server: TestServer) -> None:
    server.human.answer("flaky_item", 10)
    server.human.answer("flaky_item", 20)
    assert flyte.run(mapped_with_retries, items=[1, 2]).outputs()[0] == [11, 22]
    assert len(attempts) == 4
    assert len(set(attempts)) == 2


def test_a_task_that_is_repeated_meets_its_event_again(server: TestServer) -> None:
    server.human.answer("flaky", 7)
    assert flyte.run(parent).outputs()[0] == 7
    assert len(attempts) == 3
    assert len(set(attempts)) == 1


def test_an_event_goes_from_task_to_task(server: TestServer) -> None:
    server.human.answer("passed", 5)
    assert flyte.run(passes_on).outputs()[0] == 5


def test_the_body_that_the_plugin_documents_is_taken(server: TestServer) -> None:
    event = hitl.Event.create("by_program", data_type=int, prompt="How many?")
    body = {
        "request_id": event.request_id,
        "response_path": event.response_path,
        "value": 3,
        "data_type": "int",
    }
    request = urllib.request.Request(
        event.api_url, json.dumps(body).encode(), {"content-type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=10).close()
    assert event.wait() == 3
