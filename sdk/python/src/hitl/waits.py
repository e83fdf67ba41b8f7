"""All waits of a client, which share one stream.

The stream is opened for the first wait, carries however many there are, and is opened again after
any loss with everything that is still waited for; it ends with the last wait. To resume is to ask
again, so there is nothing to remember but which events.
"""

import asyncio
import copy
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from hitl import v1
from hitl.error import Error, Invalid
from hitl.messages import message_of
from hitl.retry import Backoff
from hitl.wait_stream import serve

if TYPE_CHECKING:
    from hitl.connection import Connection

# Most events that one message adds, or removes.
KEYS_MAX = 1_000
# No id is as long, and too long a message would end the waits of others.
ID_LENGTH_MAX = 128


class Waits:
    """The waits of a client. They live on our loop, so nothing here has a lock."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._waits: dict[str, _Wait] = {}
        # Keys only, in order: what the server is to be asked for, and what it was asked for and is
        # not waited for any more.
        self._to_add: dict[str, None] = {}
        self._to_remove: dict[str, None] = {}
        self._serving: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._emptied = asyncio.Event()

    async def wait(self, event_id: str) -> v1.Event:
        """Waits until the event has ended, and returns it.

        Once the client has reached its server, no loss of it ends the wait: the program waits for a
        person, who may take longer than any outage. Before that, a wrong address is the likelier
        cause.
        """
        message_of(v1.EventKey, event_id=event_id)
        if len(event_id) > ID_LENGTH_MAX:
            raise Invalid("event_id: must be 32 lower-case hexadecimal digits")
        listener = asyncio.get_running_loop().create_future()
        self._join(event_id, listener)
        try:
            ended: v1.Event = await listener
            return ended
        finally:
            self._leave(event_id, listener)

    def _join(self, event_id: str, listener: "asyncio.Future[v1.Event]") -> None:
        wait = self._waits.get(event_id)
        if wait is None:
            wait = self._waits[event_id] = _Wait()
            # What the server still waits for, since it has not been told otherwise, needs no
            # asking.
            if event_id in self._to_remove:
                del self._to_remove[event_id]
            else:
                self._to_add[event_id] = None
        wait.listeners.append(listener)
        self._emptied.clear()
        self._changed.set()
        if self._serving is None:
            self._serving = asyncio.create_task(serve(self, self._connection))

    def _leave(self, event_id: str, listener: "asyncio.Future[v1.Event]") -> None:
        wait = self._waits.get(event_id)
        if wait is None or listener not in wait.listeners:
            return
        wait.listeners.remove(listener)
        if not wait.listeners:
            if event_id not in self._to_add and not wait.later:
                self._to_remove[event_id] = None
            self._take(event_id)
            self._changed.set()

    def _take(self, event_id: str) -> "_Wait | None":
        wait = self._waits.pop(event_id, None)
        if wait:
            self._to_add.pop(event_id, None)
            if wait.later:
                wait.later.cancel()
        if not self._waits:
            self._emptied.set()
        return wait

    @property
    def count(self) -> int:
        """How many events are waited for."""
        return len(self._waits)

    def stop(self) -> bool:
        """Notes that nobody serves the stream any more, if nothing is waited for."""
        if not self._waits:
            self._serving = None
        return not self._waits

    def begin(self) -> None:
        """Has everything asked for anew, of a new stream."""
        self._to_remove.clear()
        self._to_add = {event_id: None for event_id, wait in self._waits.items() if not wait.later}

    async def message(self) -> v1.WaitEventsRequest:
        """The next message to the server, once there is something to say.

        When nothing is waited for the stream ends, which says it all.
        """
        while not self._waits or not (self._to_add or self._to_remove):
            self._changed.clear()
            await self._changed.wait()
        return v1.WaitEventsRequest(
            add=self._keys(self._to_add), remove=self._keys(self._to_remove)
        )

    def _keys(self, queue: dict[str, None]) -> list[v1.EventKey]:
        """Takes out of the queue as many as go into one message."""
        namespace = self._connection.settings.namespace
        taken = [event_id for event_id, _ in zip(queue, range(KEYS_MAX), strict=False)]
        for event_id in taken:
            del queue[event_id]
        return [v1.EventKey(namespace=namespace, event_id=event_id) for event_id in taken]

    def end(self, event_id: str, event: v1.Event) -> None:
        """Tells whoever waits for the event that it has ended."""

        def copied() -> v1.Event:
            own = v1.Event()
            own.CopyFrom(event)
            return own

        wait = self._take(event_id)
        for listener in wait.listeners if wait else ():
            if not listener.done():
                listener.set_result(copied())

    def failed(self, event_id: str, error: Error) -> None:
        """What the server could not do for the event: another time, or never."""
        wait = self._waits.get(event_id)
        if wait is None:
            return
        if not error.retryable:
            self._fail(event_id, error)
            return
        self._to_add.pop(event_id, None)
        if wait.later:
            wait.later.cancel()
        wait.backoff = wait.backoff or Backoff()
        delay = wait.backoff.delay(error)
        wait.later = asyncio.get_running_loop().call_later(delay, self._ask_again, event_id)

    def _ask_again(self, event_id: str) -> None:
        self._waits[event_id].later = None
        self._to_add[event_id] = None
        self._changed.set()

    def give_up(self, error: Error, goes_on: Callable[[float], bool]) -> None:
        """Ends every wait by `error` that has lasted too many seconds for `goes_on`."""
        now = time.monotonic()
        for event_id, wait in [*self._waits.items()]:
            if not goes_on(now - wait.begun):
                self._fail(event_id, error)

    def _fail(self, event_id: str, error: Error) -> None:
        wait = self._take(event_id)
        for listener in wait.listeners if wait else ():
            if not listener.done():
                # Each has its own, for an error remembers where it was raised.
                listener.set_exception(copy.copy(error))

    async def until_empty(self, limit_s: float | None = None) -> None:
        """Returns when nothing is waited for any more, or after so many seconds."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._emptied.wait(), limit_s)


class _Wait:
    """What is waited for, and by whom."""

    __slots__ = ("backoff", "begun", "later", "listeners")

    def __init__(self) -> None:
        self.listeners: list[asyncio.Future[v1.Event]] = []
        self.begun = time.monotonic()
        # Set while the server is to be asked again at another time.
        self.later: asyncio.TimerHandle | None = None
        # After the server could not take it.
        self.backoff: Backoff | None = None
