import asyncio
import threading

import grpc
import pytest
from scripted import Refusal, serving

import hitl
from hitl import key, v1

FIRST, SECOND = (key.of_run("job-9", "step", n) for n in (1, 2))


def test_each_run_of_an_id_counts_from_the_beginning() -> None:
    with serving() as (client, _):
        for _ in range(2):
            run = client.run("job-9")
            assert [run.event("step", int).id, run.event("step", int).id] == [FIRST, SECOND]


def test_a_retry_in_a_with_block_meets_the_same_events() -> None:
    with serving() as (client, _):
        run = client.run("job-9")
        for _ in range(2):
            with run as attempt:
                assert attempt.id == "job-9"
                assert client.event("step", int).id == FIRST
                # An attempt within an attempt is one of its own.
                with client.run("job-9"):
                    assert client.event("step", int).id == FIRST
                assert client.create(v1.CreateEventRequest(name="step")).event.id == SECOND
        assert client.event("step", int).id not in (FIRST, SECOND)


def test_tasks_take_the_run_along_and_do_not_mix_runs() -> None:
    with serving() as (client, _):

        async def attempt(run_id: str) -> list[str]:
            async with client.run(run_id):
                first = await client.event.aio("step", int)
                return [first.id, (await client.event.aio("step", int)).id]

        async def both() -> tuple[list[str], list[str]]:
            return await asyncio.gather(attempt("job-9"), attempt("other"))

        ours, others = asyncio.run(both())
        assert ours == [FIRST, SECOND]
        assert not set(ours) & set(others)


def test_a_thread_that_is_started_has_no_run() -> None:
    with serving() as (client, _), client.run("job-9"):
        ids: list[str] = []
        thread = threading.Thread(target=lambda: ids.append(client.event("step", int).id))
        thread.start()
        thread.join()
        assert ids != [FIRST]


def test_a_create_that_failed_gives_its_number_back() -> None:
    refusal = Refusal(grpc.StatusCode.INVALID_ARGUMENT, "ERROR_REASON_INVALID_REQUEST")
    with serving([refusal]) as (client, _), client.run("job-9"):
        with pytest.raises(hitl.Invalid):
            client.event("step", int)
        assert client.event("step", int).id == FIRST


def test_the_run_of_the_client_counts_for_the_process_as_ever() -> None:
    with serving(run_id="whole") as (client, _):
        ids = [client.event("step", int).id for _ in range(2)]
        assert ids == [key.of_run("whole", "step", n) for n in (1, 2)]
        with client.run("job-9"):
            assert client.event("step", int).id == FIRST


@pytest.mark.parametrize("run_id", ["", "\udcff"])
def test_an_id_that_none_can_be_is_refused(run_id: str) -> None:
    with pytest.raises(hitl.Invalid, match="run"):
        hitl.run(run_id)


def test_an_event_of_a_run_is_asked_for_by_its_name() -> None:
    event = v1.Event(id="e", input=v1.Input(int=v1.IntInput()))
    with serving([event]) as (client, script):
        assert client.run("job-9").attach("step", int, 2).id == "e"
        assert script.seen[0].event_id == key.event_id("default", SECOND)
        with pytest.raises(hitl.Invalid, match="counted from 1"):
            client.run("job-9").attach("step", int, 0)
