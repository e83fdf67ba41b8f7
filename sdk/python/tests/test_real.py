"""Against the real server, which the first call starts."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import timezone
from pathlib import Path
from typing import Any, Literal

import pytest
from conftest import Servers
from proxy import proxy

import hitl
from hitl import Event, connection

OPTIONS = connection.OPTIONS
ROOT = Path(__file__).parent.parent


def post(api_url: str, body: Any) -> None:
    """Answers as any program does."""
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(api_url, json.dumps(body).encode(), headers)
    urllib.request.urlopen(request, timeout=10).close()


def test_the_documented_examples_run_unchanged(local: int) -> None:
    # fmt: off
    async def task() -> None:
        # Create an event (serves the app) and wait for input
        event = await Event.create.aio(
            "proceed_event",
            scope="run",
            prompt="What should I add to x?",
            data_type=int,
        )
        post(event.api_url, {"value": 4})
        result = await event.wait.aio()
        assert result == 4

        event2 = await Event.create.aio(
            "approval_event",
            scope="run",
            prompt="Do you approve this action?",
            data_type=bool,
        )
        post(event2.api_url, {"value": True})
        approved = await event2.wait.aio()
        assert approved is True
    # fmt: on
    asyncio.run(task())

    event = Event.create("my_event", scope="run", prompt="Enter value", data_type=str)
    post(event.api_url, {"value": "ü"})
    value = event.wait()
    assert value == "ü"


def test_an_event_has_what_is_documented(local: int) -> None:
    event = hitl.new_event("n", float, "nightly", "How much?", 90, 1)
    assert (event.name, event.scope, event.data_type) == ("n", "nightly", float)
    assert (event.prompt, event.timeout_seconds) == ("How much?", 90)
    assert event.poll_interval_seconds == 1
    assert event.endpoint == f"http://127.0.0.1:{local}"
    assert event.form_url.startswith(event.endpoint) and event.api_url.startswith(event.endpoint)
    assert event.request_path == f"events/default/{event.request_id}/request.json"
    assert event.response_path == f"events/default/{event.request_id}/response.json"
    lasts = event.deadline - event.record.create_time.ToDatetime(timezone.utc)
    assert lasts.total_seconds() == 90
    assert event.form_url not in repr(event)

    fields = ["name", "scope", "data_type", "prompt", "request_id", "endpoint"]
    fields += ["request_path", "response_path"]
    kept: dict[str, Any] = {name: getattr(event, name) for name in fields}
    again: Event[float] = Event(**kept, timeout_seconds=90, poll_interval_seconds=1)
    assert again.api_url == event.api_url
    event.client.answer(event.id, 1)
    assert again.wait() == 1.0


def test_a_timeout_is_the_builtin_one(local: int) -> None:
    event = hitl.new_event("late", data_type=int, timeout_seconds=0.05)
    with pytest.raises(TimeoutError) as caught:
        event.wait()
    assert isinstance(caught.value, hitl.TimedOut)
    assert caught.value.response
    defaulted = hitl.new_event(
        "late", data_type=Literal["a", "b"], timeout_seconds=0.05, default_on_timeout="b"
    )
    assert defaulted.wait() == "b"


def own_token() -> str:
    """The token of the local server, which whoever is given its endpoint has to bring."""
    command = [os.environ["HITL_BIN"], "token", "local"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_hundreds_of_waits_share_one_connection(
    local: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> list[int]:
        names = [f"n{number}" for number in range(300)]
        events = await asyncio.gather(*[hitl.new_event.aio(name, int) for name in names])
        waits = asyncio.gather(*[event.wait.aio() for event in events])
        # Sync calls work where a loop runs, and while it cannot.
        for number, event in enumerate(events):
            event.client.answer(event.id, number)
        return await asyncio.wait_for(waits, 20)

    hitl.Client().list()
    with proxy(local) as between:
        monkeypatch.setenv("HITL_ENDPOINT", f"http://127.0.0.1:{between.port}")
        monkeypatch.setenv("HITL_TOKEN", own_token())
        assert asyncio.run(main()) == list(range(300))
        assert between.accepted == 1


@pytest.mark.parametrize("waits", [0, 1])
def test_a_call_just_after_the_connection_fell_silent_is_made_over_another(
    local: int, monkeypatch: pytest.MonkeyPatch, waits: int
) -> None:
    """Here what takes seconds takes a fifth, and there is no time for two silent attempts."""
    hitl.Client().list()
    shorter = [(name, value // 5) if "_time" in name else (name, value) for name, value in OPTIONS]
    monkeypatch.setattr(connection, "OPTIONS", shorter)
    monkeypatch.setattr(connection, "ATTEMPT_LIMIT_S", connection.ATTEMPT_LIMIT_S / 5)
    with proxy(local) as between, ThreadPoolExecutor() as threads:
        endpoint = f"http://127.0.0.1:{between.port}"
        caller = hitl.Client(hitl.Config(endpoint, token=own_token(), retry_for=4))
        event = caller.event("n", int)
        waiting = [threads.submit(event.wait) for _ in range(waits)]
        assert event.wait_for(0.1) is None
        between.freeze()
        assert caller.get(event.id).id == event.id
        caller.answer(event.id, 1)
        assert [wait.result(10) for wait in waiting] == [1] * waits
        assert between.accepted == 2


def test_threads_share_a_client(local: int) -> None:
    client = hitl.Client()

    def ask(number: int) -> int:
        event = client.event(f"n{number}", int)
        client.answer(event.id, number)
        return event.wait()

    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(ask, range(48))) == list(range(48))


def test_a_client_that_is_closed_ends_its_waits_and_makes_no_calls(local: int) -> None:
    closing = hitl.Client()
    event = closing.event("n", int)
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(event.wait)
        assert event.wait_for(0.1) is None
        closing.close()
        with pytest.raises(hitl.Invalid, match="the client is closed"):
            waiting.result(10)
    with pytest.raises(hitl.Invalid, match="the client is closed"):
        closing.get(event.id)
    closing.close()
    assert hitl.Client().get(event.id).id == event.id


def test_a_wait_survives_the_death_of_the_server(local: int, servers: Servers) -> None:
    event = hitl.new_event("n", data_type=int)
    values: list[int] = []
    waiting = threading.Thread(target=lambda: values.append(event.wait()))
    waiting.start()
    assert event.wait_for(0.1) is None
    servers.kill()
    # This call starts another server.
    hitl.Client().answer(event.id, 7)
    waiting.join(20)
    assert values == [7]


def test_a_run_that_starts_again_meets_its_events(local: int) -> None:
    script = (
        "import hitl\n"
        "event = hitl.new_event('n', data_type=int, prompt='How many?')\n"
        "print(event.existed, event.api_url, flush=True)\n"
        "print(event.wait())\n"
    )
    command = [sys.executable, "-c", script]
    environment = {**os.environ, "HITL_RUN_ID": "run-1", "PYTHONPATH": str(ROOT / "src")}
    # The server outlives the program, so it must not be the program's.
    hitl.Client().list()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout
        existed, api_url = first.stdout.readline().split()
        first.kill()
    assert existed == "False"
    post(api_url, {"value": 3})
    second = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20)
    assert second.stdout.split() == ["True", api_url, "3"]


def test_ask_says_where_to_answer(local: int, capfd: pytest.CaptureFixture[str]) -> None:
    answers: list[bool] = []
    asking = threading.Thread(target=lambda: answers.append(hitl.ask("ship", "Ship it?", bool)))
    asking.start()
    client, output = hitl.Client(), ""
    while "http" not in output:
        output += capfd.readouterr().err
        threading.Event().wait(0.01)
    (pending,) = client.list(name="ship").events
    assert output == f'hitl: "ship" waits for an answer at {pending.form_url}\n'
    client.answer(pending.id, text="yes", responder="Ada")
    asking.join(10)
    assert answers == [True]


def test_an_event_is_declined_cancelled_and_listed(local: int) -> None:
    client = hitl.Client(hitl.Config(namespace="team-a"))
    labels = {"team": "a"}
    first, second = (client.event(name, str, labels=labels) for name in ("first", "second"))
    page = client.list(labels=labels, page_size=1)
    assert len(page.events) == 1
    rest = client.list(labels=labels, page_token=page.next_page_token)
    assert {*page.events[0].name.split(), *rest.events[0].name.split()} == {"first", "second"}
    client.decline(first.id, "not today", "Ada")
    with pytest.raises(hitl.Declined, match=r'"first" was declined by "Ada" .*: not today'):
        first.wait()
    second.cancel("no need")
    with pytest.raises(hitl.Cancelled, match="no need"):
        second.wait()
    with pytest.raises(hitl.Conflict) as caught:
        client.answer(second.id, "late")
    assert caught.value.reason == "ERROR_REASON_EVENT_ALREADY_FINAL"
    assert not hitl.Client().list(labels=labels).events
