import asyncio

import pytest
from scripted import serving

import hitl
from hitl import v1


def page(*ids: str, more: str = "") -> list[v1.ListEventsResponse]:
    events = [v1.Event(id=event_id) for event_id in ids]
    return [v1.ListEventsResponse(events=events, next_page_token=more)]


def test_pages_are_fetched_when_the_iteration_comes_to_them() -> None:
    with serving(page("a", "b", more="1"), page(more="2"), page("c")) as (client, script):
        events = iter(client.events(name="n"))
        assert (next(events).id, next(events).id) == ("a", "b")
        assert script.calls == 1
        assert [event.id for event in events] == ["c"]
        told = [(seen.name, seen.page_token) for seen in script.seen]
        assert told == [("n", ""), ("n", "1"), ("n", "2")]
        assert next(events, None) is None


def test_no_more_come_than_are_asked_for() -> None:
    with serving(page("a", "b", more="1"), page("a", "b", more="1")) as (client, script):
        assert len([*client.events(limit=2)]) == 2
        assert len([*client.events(limit=1)]) == 1
        assert script.calls == 2


def test_a_loop_is_left_free() -> None:
    async def collect(client: hitl.Client) -> list[str]:
        return [event.id async for event in client.events()]

    with serving(page("a", more="1"), page("b")) as (client, _):
        assert asyncio.run(collect(client)) == ["a", "b"]


def test_a_server_that_sends_the_same_page_for_ever_is_found_out() -> None:
    pages = [page(more="1"), page(more="1")]
    with serving(*pages) as (client, _), pytest.raises(hitl.Internal, match="same page"):
        next(iter(client.events()))
