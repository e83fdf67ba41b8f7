"""Several servers, of which one serves; and calls that may not take long."""

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from conftest import free_port
from scripted import HANG, Message, Refusal, serving

import hitl
from hitl import v1

LISTED = json.loads((Path(__file__).parents[2] / "endpoints.json").read_text("utf-8"))
GONE = Refusal(grpc.StatusCode.UNAVAILABLE, "ERROR_REASON_SHUTTING_DOWN")


@pytest.mark.parametrize("case", LISTED["several"], ids=lambda case: case["given"][:40])
def test_several_are_taken_as_in_every_other_language(case: dict[str, Any]) -> None:
    if used := case.get("used"):
        assert list(hitl.Client(hitl.Config(case["given"])).settings.endpoints) == used
    else:
        with pytest.raises(hitl.Invalid) as caught:
            hitl.Client(hitl.Config(case["given"]))
        assert case["refused"] in str(caught.value)


def test_no_token_goes_in_the_clear_to_any_of_them() -> None:
    with pytest.raises(hitl.Invalid, match=r"hitl\.example\.org"):
        hitl.Client(hitl.Config("127.0.0.1:1,hitl.example.org", token="hitl_a"))


def dead() -> str:
    return f"http://127.0.0.1:{free_port()}"


def test_where_the_first_is_dead_the_second_serves_and_goes_on_to() -> None:
    with serving([], []) as (other, script):
        client = hitl.Client(hitl.Config(f"{dead()},{other.endpoint}", retry_for=0))
        assert client.get("e").id == "e"
        assert client.endpoint == other.endpoint
        assert client.get("f").id == "f"
        assert script.calls == 2


def test_one_that_ends_is_left_and_come_back_to() -> None:
    with serving([], [GONE], []) as (one, first), serving([], [GONE]) as (two, second):
        client = hitl.Client(hitl.Config(f"{one.endpoint},{two.endpoint}", retry_for=0))
        for _ in range(3):
            assert client.get("e").id == "e"
        assert client.endpoint == one.endpoint
        assert (first.calls, second.calls) == (3, 2)


def test_what_another_would_refuse_too_is_asked_of_one() -> None:
    refusal = Refusal(grpc.StatusCode.NOT_FOUND, "ERROR_REASON_EVENT_NOT_FOUND")
    with serving([refusal]) as (one, first), serving() as (two, second):
        client = hitl.Client(hitl.Config(f"{one.endpoint},{two.endpoint}"))
        with pytest.raises(hitl.NotFound):
            client.get("e")
        assert (first.calls, second.calls) == (1, 0)


def test_where_all_are_dead_it_is_told_at_once() -> None:
    begun = time.monotonic()
    with pytest.raises(hitl.Unavailable, match="cannot reach"):
        hitl.Client(hitl.Config(f"{dead()},{dead()}")).get("e")
    assert time.monotonic() - begun < 10


def ended(event_id: str) -> Message:
    value = v1.Value(int=1)
    response = v1.Response(state=v1.EVENT_STATE_ANSWERED, value=value)
    event = v1.Event(id=event_id, state=v1.EVENT_STATE_ANSWERED, response=response)
    return v1.WaitEventsResponse(event=event)


def test_a_wait_and_a_watch_find_the_one_that_serves() -> None:
    change = v1.Change(kind=v1.CHANGE_KIND_ENDED, event=v1.Event(id="e"))
    watched = [v1.WatchEventsResponse(change=change), HANG]
    with serving([ended], watched) as (other, _):
        acts: list[Callable[[hitl.Client], str]] = [
            lambda client: client.wait_event("e").id,
            lambda client: next(iter(client.watch())).event.id,
        ]
        for act in acts:
            client = hitl.Client(hitl.Config(f"{dead()},{other.endpoint}"))
            assert act(client) == "e"
            client.close()


@pytest.fixture
def silent() -> Any:
    """A server that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


CALLS: list[Callable[[hitl.Client], object]] = [
    lambda client: client.get("e"),
    lambda client: client.event("n", int),
    lambda client: list(client.events()),
]


@pytest.mark.parametrize("call", CALLS)
def test_a_call_is_given_up_after_its_timeout(
    silent: str, call: Callable[[hitl.Client], object]
) -> None:
    told = f"{silent} sent nothing within the call's timeout of 0.2 s"
    for client in (
        hitl.Client(hitl.Config(silent, call_timeout=0.2)),
        hitl.Client(hitl.Config(silent)).with_call_timeout(0.2),
    ):
        begun = time.monotonic()
        with pytest.raises(hitl.Unavailable, match=told) as caught:
            call(client)
        assert caught.value.retryable
        assert time.monotonic() - begun < 2


def test_many_have_the_timeout_too(silent: str) -> None:
    client = hitl.Client(hitl.Config(silent)).with_call_timeout(0.2)
    results = client.create_many([v1.CreateEventRequest(name="n")] * 2)
    assert [type(result) for result in results] == [hitl.Unavailable] * 2
    assert "the call's timeout of 0.2 s" in str(results[0])


def test_a_timeout_ends_the_repeating_too() -> None:
    client = hitl.Client(hitl.Config(dead(), retry_for=30)).with_call_timeout(0.3)
    begun = time.monotonic()
    with pytest.raises(hitl.Unavailable):
        client.get("e")
    assert time.monotonic() - begun < 3


def test_how_long_a_call_is_repeated_can_be_its_own() -> None:
    lost = Refusal(grpc.StatusCode.UNAVAILABLE)
    with serving([lost], [lost], []) as (client, script):
        with pytest.raises(hitl.Unavailable):
            client.with_retry_for(0).get("e")
        assert script.calls == 1
        assert client.with_retry_for(5).with_call_timeout(5).get("e").id == "e"
        assert script.calls == 3


@pytest.mark.parametrize("limit", [0, -1, float("nan")])
def test_a_timeout_in_which_no_call_can_be_made_is_refused(limit: float) -> None:
    with pytest.raises(hitl.Invalid, match="call_timeout"):
        hitl.Client(hitl.Config(call_timeout=limit))
    with pytest.raises(hitl.Invalid, match="call_timeout"):
        hitl.Client(hitl.Config("h")).with_call_timeout(limit)
