"""Lists that page by themselves."""

from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

from hitl import v1
from hitl.error import Internal
from hitl.sync import Call

if TYPE_CHECKING:
    from hitl.calls import Calls


class Events:
    """The events that match: iterate by `for`, or by `async for` to leave a loop free.

    A page is fetched when the iteration comes to it, and one is held at a time. Each iteration
    begins anew.
    """

    def __init__(self, calls: "Calls", request: v1.ListEventsRequest, limit: int | None) -> None:
        self._calls, self._request, self._limit = calls, request, limit or None

    def __iter__(self) -> Iterator[v1.Event]:
        return _Pages(self._calls, self._request, self._limit)

    def __aiter__(self) -> AsyncIterator[v1.Event]:
        return _Pages(self._calls, self._request, self._limit)


class _Pages:
    """One iteration."""

    def __init__(self, calls: "Calls", request: v1.ListEventsRequest, left: int | None) -> None:
        self._calls, self._left = calls, left
        self._request: v1.ListEventsRequest | None = v1.ListEventsRequest()
        self._request.CopyFrom(request)
        self._page: deque[v1.Event] = deque()

    def __iter__(self) -> "_Pages":
        return self

    def __aiter__(self) -> "_Pages":
        return self

    def __next__(self) -> v1.Event:
        event = Call(self._next, _same)()
        if event is None:
            raise StopIteration
        return event

    async def __anext__(self) -> v1.Event:
        event = await Call(self._next, _same).aio()
        if event is None:
            raise StopAsyncIteration
        return event

    async def _next(self) -> v1.Event | None:
        if self._left == 0:
            return None
        while not self._page and self._request:
            await self._turn(self._request)
        if not self._page:
            return None
        if self._left:
            self._left -= 1
        return self._page.popleft()

    async def _turn(self, request: v1.ListEventsRequest) -> None:
        """Fetches the next page."""
        reply = await self._calls.call(lambda stub: stub.ListEvents(request))
        self._page.extend(reply.events)
        if not reply.next_page_token:
            self._request = None
        elif reply.next_page_token == request.page_token:
            raise Internal("the server sent the token of the same page again")
        else:
            request.page_token = reply.next_page_token


def _same(event: v1.Event | None) -> v1.Event | None:
    return event
