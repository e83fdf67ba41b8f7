import time
from collections.abc import Callable

import grpc
import pytest
from conftest import free_port
from scripted import HANG, NO_EVENT, Refusal, serving

import hitl
from hitl import connection, retry

LOST = Refusal(grpc.StatusCode.UNAVAILABLE)
DOWN = Refusal(grpc.StatusCode.UNAVAILABLE, "ERROR_REASON_SHUTTING_DOWN")


def test_delays_double_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_DELAY_S", 0.1)
    monkeypatch.setattr(retry, "MAX_DELAY_S", 5.0)
    backoff = retry.Backoff()
    error = hitl.Unavailable("lost")
    for step in range(12):
        full = min(0.1 * 2**step, 5)
        assert full / 2 <= backoff.delay(error) <= full
    error.retry_delay = 9
    assert backoff.delay(error) == 9


def test_what_can_pass_is_repeated() -> None:
    with serving([LOST], [DOWN], [Refusal(grpc.StatusCode.UNKNOWN)]) as (caller, script):
        assert caller.get("e").id == "e"
        assert script.calls == 4


def test_what_cannot_pass_is_not_repeated() -> None:
    refusal = Refusal(grpc.StatusCode.NOT_FOUND, "ERROR_REASON_EVENT_NOT_FOUND")
    with serving([refusal]) as (caller, script):
        with pytest.raises(hitl.NotFound):
            caller.get("e")
        assert script.calls == 1


def test_no_time_to_retry_means_one_attempt() -> None:
    with serving([LOST], retry_for=0) as (caller, script):
        with pytest.raises(hitl.Unavailable, match="HITL_ENDPOINT"):
            caller.get("e")
        assert script.calls == 1


def test_a_server_never_there_is_given_up_in_time() -> None:
    config = hitl.Config(endpoint=f"127.0.0.1:{free_port()}", retry_for=0.3)
    begun = time.monotonic()
    for call in (hitl.Client(config).get, hitl.Client(config).wait_event):
        with pytest.raises(hitl.Unavailable) as caught:
            call("e")
        assert caught.value.retryable
    assert time.monotonic() - begun < 5


def test_an_attempt_without_reply_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "ATTEMPT_LIMIT_S", 0.1)
    with serving([HANG], [HANG], retry_for=0) as (caller, script):
        told = f"the server at {caller.endpoint} sent nothing for 0.1 s"
        with pytest.raises(hitl.Unavailable, match=told) as caught:
            caller.get("e")
        assert caught.value.retryable
        assert script.calls == 1


def test_what_is_repeated_takes_effect_once() -> None:
    """The first attempt reached the server, and only its reply was lost."""
    calls: list[Callable[[hitl.Client], object]] = [
        lambda caller: caller.event("n", bool),
        lambda caller: caller.answer("e", 1),
        lambda caller: caller.decline("e"),
    ]
    for run_id in ("", "r0"):
        for call in calls:
            with serving([LOST], [], [], run_id=run_id) as (caller, script):
                call(caller)
                call(caller)
                first, again, other = script.seen
                assert first == again != other


def test_a_create_that_failed_gives_its_number_back() -> None:
    refusal = Refusal(grpc.StatusCode.INVALID_ARGUMENT, "ERROR_REASON_INVALID_REQUEST")
    with serving([], [refusal], [], run_id="r1") as (caller, script):
        first = caller.event("n", bool)
        with pytest.raises(hitl.Invalid):
            caller.event("n", bool)
        second = caller.event("n", bool)
        given = caller.event("n", bool, idempotency_key="mine")
        assert script.seen[1] == script.seen[2]
    with serving(run_id="r1") as (caller, _):
        third = caller.event("n", bool)
    assert len({first.id, second.id, third.id}) == 3
    assert given.id == "mine"


def test_a_reply_without_an_event_is_a_fault() -> None:
    with serving([NO_EVENT], [NO_EVENT]) as (caller, script):
        for call in (lambda: caller.event("n", bool), lambda: caller.get("e")):
            with pytest.raises(hitl.Internal, match="no event"):
                call()
        assert script.calls == 2


def test_what_cannot_be_sent_is_invalid_and_not_sent() -> None:
    calls: list[Callable[[hitl.Client], object]] = [
        lambda caller: caller.get("\ud800"),
        lambda caller: caller.wait_event("\ud800"),
        lambda caller: caller.answer("e", text="\udfff"),
        lambda caller: caller.decline("e", "\udfff"),
        lambda caller: caller.cancel("e", "\udfff"),
        lambda caller: caller.list(name="\udfff"),
        lambda caller: caller.list(page_size=1 << 40),
        lambda caller: caller.event("\udfff", int),
        lambda caller: caller.event("n", int, prompt="\udfff"),
        lambda caller: caller.event("n", str, default_on_timeout="\udfff"),
    ]
    with serving() as (caller, script):
        for call in calls:
            with pytest.raises(hitl.Invalid) as caught:
                call(caller)
            assert str(caught.value).isascii()
        assert script.calls == 0
