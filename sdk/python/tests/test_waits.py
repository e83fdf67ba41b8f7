import asyncio
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import Any

import grpc
import pytest
from scripted import HANG, HEADERS, Message, Refusal, Script, serving

import hitl
from hitl import v1, wait_stream

LOST = Refusal(grpc.StatusCode.UNAVAILABLE)


def message(state: Any, value: int | None = None, event_id: str = "e") -> Message:
    event = v1.Event(id=event_id, name="n", state=state, input=v1.Input(int=v1.IntInput()))
    if state != v1.EVENT_STATE_PENDING:
        event.response.state = state
    if value is not None:
        event.response.value.int = value
    return Message(event=event)


HEARTBEAT = Message(heartbeat=v1.Heartbeat())


def answered(value: int, event_id: str = "e") -> Message:
    return message(v1.EVENT_STATE_ANSWERED, value, event_id)


def failed(code: grpc.StatusCode, reason: v1.ErrorReason.ValueType) -> Message:
    failure = v1.Failure(code=code.value[0], reason=reason)
    failed = v1.FailedWait(key=v1.EventKey(namespace="default", event_id="e"), failure=failure)
    return Message(failed=failed)


FULL = failed(grpc.StatusCode.RESOURCE_EXHAUSTED, v1.ERROR_REASON_TOO_MANY_WAITERS)


def asks(script: Script, asked: Iterable[str]) -> None:
    """Returns once exactly this was asked."""
    expected = [*asked]
    limit = time.monotonic() + 10
    while script.asked != expected and time.monotonic() < limit:
        threading.Event().wait(0.01)
    assert script.asked == expected


async def asks_aio(script: Script, asked: Iterable[str]) -> None:
    await asyncio.to_thread(asks, script, asked)


def test_a_cut_or_refused_stream_is_opened_again_until_the_event_ends() -> None:
    steps: list[list[Any]] = [
        [HEARTBEAT],
        [Refusal(grpc.StatusCode.UNAVAILABLE, "ERROR_REASON_SHUTTING_DOWN")],
        [Refusal(grpc.StatusCode.UNKNOWN)],
        [HEARTBEAT, Refusal(grpc.StatusCode.INTERNAL)],
        [Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "ERROR_REASON_TOO_MANY_WAITERS")],
        [],
        [HEARTBEAT, answered(42), HANG],
    ]
    with serving(*steps) as (client, script):
        assert client.wait_event("e").response.value.int == 42
        assert script.calls == len(steps)


def test_a_server_fallen_silent_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait_stream, "SILENCE_LIMIT_S", 0.5)
    with serving([HEARTBEAT, HEARTBEAT, HANG], [answered(1)]) as (client, script):
        begun = time.monotonic()
        client.wait_event("e")
        assert time.monotonic() - begun >= 0.5
        assert script.calls == 2


@pytest.mark.parametrize("begun", [[HEARTBEAT, LOST], [HEADERS, HANG]])
def test_an_outage_longer_than_any_retry_does_not_end_a_wait_that_had_begun(
    begun: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wait_stream, "SILENCE_LIMIT_S", 0.5)
    with serving(begun, *repeat([LOST], 50), [answered(7)], retry_for=0.01) as (client, script):
        client.wait_event("e")
        assert script.calls == 52


def test_an_unknown_event_is_an_error_at_once() -> None:
    unknown = failed(grpc.StatusCode.NOT_FOUND, v1.ERROR_REASON_EVENT_NOT_FOUND)
    with serving([unknown, HANG]) as (client, script):
        with pytest.raises(hitl.NotFound) as caught:
            client.wait_event("e")
        assert caught.value.reason == "ERROR_REASON_EVENT_NOT_FOUND"
        assert script.calls == 1


def test_what_cannot_be_an_id_is_an_error_before_it_is_sent() -> None:
    with serving() as (client, script):
        for event_id in ("\udfff", "0" * 129):
            with pytest.raises(hitl.Invalid):
                client.wait_event(event_id)
        assert script.calls == 0


def test_an_unknown_state_is_pending() -> None:
    with serving([], [message(99), HANG]) as (client, _):
        assert client.event("n", int).wait_for(0.2) is None


def test_all_waits_of_a_client_share_one_stream_and_are_told_apart() -> None:
    async def main(client: hitl.Client) -> list[int]:
        waits = asyncio.gather(*[client.wait_event.aio(str(id_)) for id_ in range(2_500)])
        return [ended.response.value.int for ended in await waits]

    with serving([lambda event_id: answered(int(event_id), event_id)]) as (client, script):
        assert asyncio.run(main(client)) == [*range(2_500)]
        assert script.calls == 1
        assert script.asked == [f"+{number}" for number in range(2_500)]


def test_everything_that_is_still_waited_for_is_asked_for_again_after_a_loss() -> None:
    async def main(client: hitl.Client, script: Script) -> None:
        e, f, g = (asyncio.create_task(client.wait_event.aio(event_id)) for event_id in "efg")
        await asks_aio(script, ["+e", "+f", "+g"])
        for_e.set()
        await e
        g.cancel()
        await asks_aio(script, ["+e", "+f", "+g", "-g"])
        for_cut.set()
        await f

    def once(event: threading.Event, then: Any) -> Any:
        def make(_: str) -> Any:
            assert event.wait(10)
            if isinstance(then, Refusal):
                raise then
            return then

        return make

    for_e, for_cut = threading.Event(), threading.Event()
    made = iter([once(for_e, answered(1)), once(for_cut, LOST)])
    steps = [lambda event_id: next(made)(event_id)], [lambda event_id: answered(2, event_id)]
    with serving(*steps) as (client, script):
        asyncio.run(main(client, script))
        asks(script, ["+e", "+f", "+g", "-g", "+f"])
        assert script.calls == 2


def test_a_wait_that_is_given_up_is_removed_and_the_last_one_ends_the_stream() -> None:
    async def main(client: hitl.Client, script: Script) -> None:
        e, f = (asyncio.create_task(client.wait_event.aio(event_id)) for event_id in "ef")
        await asks_aio(script, ["+e", "+f"])
        e.cancel()
        with pytest.raises(asyncio.CancelledError):
            await e
        await asks_aio(script, ["+e", "+f", "-e"])
        f.cancel()
        assert await asyncio.to_thread(script.over.wait, 10)
        again = asyncio.create_task(client.wait_event.aio("e"))
        await asks_aio(script, ["+e", "+f", "-e", "+e"])
        again.cancel()

    with serving([HANG], [HANG]) as (client, script):
        asyncio.run(main(client, script))
        assert script.calls == 2


def test_a_wait_that_the_server_has_no_room_for_is_added_again_later() -> None:
    replies = iter([FULL, FULL, answered(3)])
    with serving([lambda _: next(replies)]) as (client, script):
        assert client.wait_event("e").response.value.int == 3
        assert script.asked == ["+e"] * 3
        assert script.calls == 1


def test_an_end_that_nobody_waits_for_is_passed_over() -> None:
    with serving([answered(1, "other"), answered(2), HANG]) as (client, script):
        assert client.wait_event("e").response.value.int == 2
        assert script.calls == 1


def test_who_waits_for_the_same_has_an_event_and_an_error_of_their_own() -> None:
    async def main(client: hitl.Client) -> list[Any]:
        waits = [client.wait_event.aio("e") for _ in range(2)]
        return await asyncio.gather(*waits, return_exceptions=True)

    def both_wait(then: Message) -> Any:
        def make(_: str) -> Message:
            limit = time.monotonic() + 10
            while len(client.connection.waits._waits["e"].listeners) < 2:
                assert time.monotonic() < limit
            return then

        return make

    unknown = failed(grpc.StatusCode.NOT_FOUND, v1.ERROR_REASON_EVENT_NOT_FOUND)
    with serving([both_wait(answered(1))], [both_wait(unknown)]) as (client, script):
        for kind in (v1.Event, hitl.NotFound):
            one, other = asyncio.run(main(client))
            assert isinstance(one, kind) and isinstance(other, kind)
            assert one is not other
        assert script.asked == ["+e", "+e"]


def test_what_cannot_be_read_is_an_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeated, it would be the same."""
    unreadable, too_large = b"\x0a\x03\x0a\x01\xff", bytes(5 << 20)
    calls: list[int] = []
    monkeypatch.setattr("hitl.connection.OPTIONS", [("grpc.max_receive_message_length", 4 << 20)])

    def reply(_: Any, __: Any) -> bytes:
        calls.append(1)
        return unreadable if len(calls) % 2 else too_large

    class Handler(grpc.GenericRpcHandler):
        def service(self, handler_call_details: Any) -> Any:
            if handler_call_details.method.endswith("WaitEvents"):
                return grpc.stream_stream_rpc_method_handler(lambda *of: iter([reply(*of)]))
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
