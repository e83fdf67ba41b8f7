import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import Any

import grpc
import pytest
from scripted import HANG, Message, Refusal, serving

import hitl
from hitl import v1, wait


def message(state: Any, value: int | None = None) -> Message:
    event = v1.Event(id="e", name="n", state=state, input=v1.Input(int=v1.IntInput()))
    if state != v1.EVENT_STATE_PENDING:
        event.response.state = state
    if value is not None:
        event.response.value.int = value
    return Message(event=event)


PENDING = message(v1.EVENT_STATE_PENDING)
HEARTBEAT = Message(heartbeat=v1.Heartbeat())


def answered(value: int) -> Message:
    return message(v1.EVENT_STATE_ANSWERED, value)


def event(client: hitl.Client) -> hitl.Event[int]:
    return client.event("n", int)


def test_a_cut_or_refused_stream_is_opened_again_until_the_event_ends() -> None:
    steps: list[list[Any]] = [
        [],
        [PENDING],
        [Refusal(grpc.StatusCode.UNAVAILABLE, "ERROR_REASON_SHUTTING_DOWN")],
        [Refusal(grpc.StatusCode.UNKNOWN)],
        [PENDING, Refusal(grpc.StatusCode.INTERNAL)],
        [Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "ERROR_REASON_TOO_MANY_WAITERS")],
        [],
        [PENDING, HEARTBEAT, answered(42)],
    ]
    with serving(*steps) as (client, script):
        assert event(client).wait() == 42
        assert script.calls == len(steps)


def test_a_server_fallen_silent_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait, "SILENCE_LIMIT_S", 0.5)
    with serving([PENDING, HEARTBEAT, HANG], [answered(1)]) as (client, script):
        begun = time.monotonic()
        client.wait_event("e")
        assert time.monotonic() - begun >= 0.5
        assert script.calls == 2


def test_an_outage_longer_than_any_retry_does_not_end_a_wait_that_had_begun() -> None:
    lost = [Refusal(grpc.StatusCode.UNAVAILABLE)]
    with serving([PENDING], *repeat(lost, 50), [answered(7)], retry_for=0.01) as (client, script):
        client.wait_event("e")
        assert script.calls == 52


def test_an_unknown_event_is_an_error_at_once() -> None:
    refusal = Refusal(grpc.StatusCode.NOT_FOUND, "ERROR_REASON_EVENT_NOT_FOUND")
    with serving([refusal]) as (client, script):
        with pytest.raises(hitl.NotFound):
            client.wait_event("e")
        assert script.calls == 1


def test_an_unknown_state_is_pending() -> None:
    with serving([], [message(99), HANG]) as (client, _):
        assert event(client).wait_for(0.2) is None


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (v1.EVENT_STATE_DECLINED, hitl.Declined),
        (v1.EVENT_STATE_CANCELLED, hitl.Cancelled),
        (v1.EVENT_STATE_TIMED_OUT, hitl.TimedOut),
    ],
)
def test_an_event_that_ended_without_a_value_is_an_error(state: Any, kind: type[Exception]) -> None:
    with serving([], [message(state)]) as (client, _), pytest.raises(kind):
        event(client).wait()


def test_a_default_is_a_value() -> None:
    with serving([], [message(v1.EVENT_STATE_TIMED_OUT, 5)]) as (client, _):
        assert event(client).wait() == 5


def test_a_cancelled_wait_is_cancelled_as_tasks_are_and_ends_the_stream() -> None:
    async def main(asked: hitl.Event[int]) -> None:
        waiting = asyncio.create_task(asked.wait.aio())
        assert await asked.wait_for.aio(0.2) is None
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    with serving([], [PENDING, HANG], [PENDING, HANG]) as (client, script):
        asyncio.run(main(event(client)))
        deadline = time.monotonic() + 5
        while len(script.ended) < 2 and time.monotonic() < deadline:
            threading.Event().wait(0.01)
        assert len(script.ended) == 2


def test_what_cannot_be_read_is_an_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeated, it would be the same."""
    unreadable, too_large = b"\x0a\x03\x0a\x01\xff", bytes(5 << 20)
    calls: list[int] = []
    monkeypatch.setattr("hitl.connection.OPTIONS", [("grpc.max_receive_message_length", 4 << 20)])

    def reply(_: bytes, __: Any) -> bytes:
        calls.append(1)
        return unreadable if len(calls) % 2 else too_large

    class Handler(grpc.GenericRpcHandler):
        def service(self, handler_call_details: Any) -> Any:
            if handler_call_details.method.endswith("WaitEvent"):
                return grpc.unary_stream_rpc_method_handler(lambda *of: iter([reply(*of)]))
            return grpc.unary_unary_rpc_method_handler(reply)

    server = grpc.server(ThreadPoolExecutor(4), handlers=[Handler()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        caller = hitl.Client(hitl.Config(f"127.0.0.1:{port}"))
        for call in (caller.get, caller.wait_event):
            for told in ("cannot be read as a message", "more than a message"):
                with pytest.raises(hitl.Internal, match=told) as caught:
                    call("e")
                assert not caught.value.retryable
        assert len(calls) == 4
    finally:
        server.stop(None).wait()
