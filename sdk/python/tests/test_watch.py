import asyncio
import gc
import threading
from itertools import islice, repeat
from typing import Any

import grpc
import pytest
from scripted import HANG, Refusal, serving

import hitl
from hitl import v1, watch

CREATED, ENDED = v1.CHANGE_KIND_CREATED, v1.CHANGE_KIND_ENDED
LOST = Refusal(grpc.StatusCode.UNAVAILABLE)


def bookmark(token: str) -> v1.WatchEventsResponse:
    return v1.WatchEventsResponse(bookmark=v1.Bookmark(resume_token=token))


def change(event_id: str, kind: v1.ChangeKind.ValueType = CREATED) -> v1.WatchEventsResponse:
    return v1.WatchEventsResponse(change=v1.Change(kind=kind, event=v1.Event(id=event_id)))


def brief(changes: Any) -> list[tuple[str, str]]:
    return [(change.event.id, change.resume_token) for change in changes]


def test_a_lost_stream_is_resumed_from_its_last_bookmark() -> None:
    steps: list[list[Any]] = [
        [LOST],
        [bookmark("1"), change("a"), bookmark("2"), change("b")],
        [Refusal(grpc.StatusCode.UNAVAILABLE, "ERROR_REASON_SHUTTING_DOWN")],
        [change("b"), v1.WatchEventsResponse(), bookmark("3"), change("c", ENDED), HANG],
    ]
    with serving(*steps) as (client, script):
        watched = client.watch(name="n", scope="s", labels={"a": "b"}, resume_token="0")
        expected = [("a", "1"), ("b", "2"), ("b", "2"), ("c", "3")]
        assert brief(islice(watched, 4)) == expected
        assert [request.resume_token for request in script.seen] == ["0", "0", "2", "2"]
        last = script.seen[-1]
        assert (last.namespace, last.name, last.scope) == ("default", "n", "s")
        assert dict(last.labels) == {"a": "b"}


def test_an_outage_longer_than_any_retry_does_not_end_a_watch_that_had_begun() -> None:
    steps: list[list[Any]] = [[bookmark("1")], *repeat([LOST], 50), [change("a")]]
    with serving(*steps, retry_for=0.01) as (client, script):
        assert brief(islice(client.watch(), 1)) == [("a", "1")]
        assert script.calls == 52


def test_a_server_fallen_silent_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "SILENCE_LIMIT_S", 0.3)
    with serving([bookmark("1"), HANG], [change("a")]) as (client, script):
        assert brief(islice(client.watch(), 1)) == [("a", "1")]
        assert script.calls == 2


def test_the_stream_is_closed_when_the_iteration_ends() -> None:
    with serving([change("a"), HANG]) as (client, script):
        for _ in client.watch():
            break
        gc.collect()
        assert script.over.wait(5)

    async def main(client: hitl.Client) -> None:
        async for _ in client.watch():
            break

    with serving([change("a"), HANG]) as (client, script):
        asyncio.run(main(client))
        gc.collect()
        assert script.over.wait(5)


def test_a_step_that_is_given_up_loses_nothing() -> None:
    async def main(client: hitl.Client) -> list[hitl.Change]:
        changes = aiter(client.watch())
        first = await anext(changes)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(anext(changes), 0.2)
        return [first, await anext(changes)]

    steps = [bookmark("1"), change("a"), bookmark("2"), HANG], [change("b")]
    with serving(*steps) as (client, script):
        assert brief(asyncio.run(main(client))) == [("a", "1"), ("b", "2")]
        assert script.seen[1].resume_token == "2"
        assert script.over.wait(5)


def test_a_client_that_is_closed_ends_its_watches() -> None:
    with serving([bookmark("1"), change("a"), HANG]) as (client, _):
        changes = iter(client.watch())
        next(changes)
        threading.Timer(0.1, client.close).start()
        with pytest.raises(hitl.Invalid, match="the client is closed"):
            next(changes)


def test_what_cannot_be_sent_is_invalid_and_a_change_without_an_event_is_a_fault() -> None:
    with serving([v1.WatchEventsResponse(change=v1.Change(kind=CREATED))]) as (client, script):
        with pytest.raises(hitl.Invalid):
            client.watch(name="\udfff")
        with pytest.raises(hitl.Internal, match="without its event"):
            next(iter(client.watch()))
        assert script.calls == 1
