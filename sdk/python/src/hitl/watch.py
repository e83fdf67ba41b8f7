"""Watches that outlive connections.

A watch is one server stream: bookmarks, and what changes. To resume after any loss is to call again
with the last bookmark, from which on every change is sent again.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hitl import v1
from hitl.error import Error, Internal, Unavailable
from hitl.place import Place
from hitl.retry import Persistence
from hitl.sync import Call, soon
from hitl.wait_stream import SILENCE_LIMIT_S

if TYPE_CHECKING:
    from hitl.connection import Connection


@dataclass(frozen=True)
class Change:
    """What has happened to an event."""

    kind: v1.ChangeKind.ValueType
    """`v1.CHANGE_KIND_CREATED` or `v1.CHANGE_KIND_ENDED`. Treat others as an update."""
    event: v1.Event
    """The event as it stands, which may be later than the change."""
    resume_token: str
    """Where to resume: a watch with this token misses nothing from this change on. It is good for
    24 hours."""


class Watch:
    """The changes of events that match: iterate by `for`, or by `async for` to leave a loop free.

    Each iteration begins where the watch was told to, and has a stream of its own, which is closed
    when its iterator is dropped, as `for` does at its end.
    """

    def __init__(self, connection: "Connection", request: v1.WatchEventsRequest) -> None:
        self._connection, self._request = connection, request

    def __iter__(self) -> Iterator[Change]:
        return Changes(self._connection, self._request)

    def __aiter__(self) -> AsyncIterator[Change]:
        return Changes(self._connection, self._request)


class Changes:
    """One iteration. A step that is given up loses nothing: the next one goes on from there."""

    _stream: Any = None

    def __init__(self, connection: "Connection", request: v1.WatchEventsRequest) -> None:
        self._connection = connection
        self._request = v1.WatchEventsRequest()
        self._request.CopyFrom(request)
        self._persistence: Persistence | None = None
        self._place = Place()

    def __iter__(self) -> "Changes":
        return self

    def __aiter__(self) -> "Changes":
        return self

    def __next__(self) -> Change:
        try:
            return Call(self._next, _same)()
        except BaseException:
            soon(self._leave)
            raise

    async def __anext__(self) -> Change:
        try:
            return await Call(self._next, _same).aio()
        except BaseException:
            soon(self._leave)
            raise

    def __del__(self) -> None:
        if self._stream:
            soon(self._stream.cancel)

    async def _next(self) -> Change:
        persistence = self._persistence = self._persistence or Persistence(self._connection)
        while True:
            try:
                return await self._read(persistence)
            except Error as error:
                self._leave()
                await persistence.pause(error)

    async def _read(self, persistence: Persistence) -> Change:
        """Follows the stream until it brings a change or is lost."""
        if self._stream is None:
            self._stream = (await self._connection.stub()).WatchEvents(self._request)
            self._place.endpoint = self._connection.endpoint
        while True:
            reading = self._stream.read()
            message = await self._connection.reply(reading, self._place, SILENCE_LIMIT_S)
            if not isinstance(message, v1.WatchEventsResponse):
                raise Unavailable("the stream of changes ended", retryable=True)
            persistence.progress()
            if message.HasField("bookmark"):
                self._request.resume_token = message.bookmark.resume_token
            elif message.HasField("change"):
                change = message.change
                if not change.event.id:
                    raise Internal("the server sent a change without its event")
                return Change(change.kind, change.event, self._request.resume_token)

    def _leave(self) -> None:
        """Ends the stream, if one is open."""
        stream, self._stream = self._stream, None
        if stream:
            stream.cancel()


def _same(change: Change) -> Change:
    return change
