"""Many entries in few calls: each has a result of its own, and what can pass is sent again."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from google.protobuf.message import Message

from hitl.error import Error, Internal, of_failure
from hitl.retry import Backoff, is_worth_repeating

if TYPE_CHECKING:
    from hitl.calls import Calls
    from hitl.v1.event_service_pb2_grpc import EventServiceAsyncStub

R = TypeVar("R")

Results: TypeAlias = list[R | Error]
"""What became of each entry, in their order."""

# Most entries of one call.
ENTRIES_MAX = 1_000
# Most bytes of the entries of one call, though one alone may have more.
BATCH_BYTES_MAX = 1 << 20


async def send_many(
    calls: "Calls",
    requests: Sequence[Message],
    send: "Callable[[EventServiceAsyncStub, list[Any]], Awaitable[Any]]",
    name: str,
) -> Results[Any]:
    """Sends the requests in batches, each entry again for as long as that can help.

    `name` is that of the field which a result has that is no failure.
    """
    results: list[Any] = [None] * len(requests)
    waiting = deque(range(len(requests)))
    backoff, begun = Backoff(), time.monotonic()
    while waiting:
        batch = _next_batch(requests, waiting)
        entries = [requests[place] for place in batch]
        replies = await _replies(calls, entries, send, name)
        failures = {}
        for place, reply in zip(batch, replies, strict=True):
            results[place] = reply
            if is_worth_repeating(reply):
                failures[place] = reply
        is_progress = len(failures) < len(batch)
        if is_progress:
            backoff, begun = Backoff(), time.monotonic()
        if not failures:
            continue
        slowest = max(failures.values(), key=lambda error: error.retry_delay)
        if is_progress and not slowest.retry_delay:
            # The reply was full.
            waiting.extend(failures)
            continue
        delay = backoff.delay(slowest)
        if time.monotonic() - begun + delay <= calls.patience_s:
            await asyncio.sleep(delay)
            waiting.extendleft(reversed(failures))
        elif not is_progress:
            # For the whole time nothing has passed, and the rest would meet the same.
            for place in waiting:
                results[place] = results[place] or slowest
            waiting.clear()
    return results


def _next_batch(requests: Sequence[Message], waiting: deque[int]) -> list[int]:
    """Takes out of `waiting` as many as go into one call."""
    batch: list[int] = []
    size = 0
    while waiting and len(batch) < ENTRIES_MAX:
        size += requests[waiting[0]].ByteSize()
        if batch and size > BATCH_BYTES_MAX:
            break
        batch.append(waiting.popleft())
    return batch


async def _replies(
    calls: "Calls",
    entries: list[Message],
    send: "Callable[[EventServiceAsyncStub, list[Any]], Awaitable[Any]]",
    name: str,
) -> list[Any]:
    """The results of one call; if it failed, its error for each."""
    try:
        results = (await calls.attempt(lambda stub: send(stub, entries))).results
    except Error as error:
        return [error] * len(entries)
    if len(results) != len(entries):
        told = f"the server sent {len(results)} results for {len(entries)} entries"
        return [Internal(told)] * len(entries)
    return [_outcome(result, name) for result in results]


def _outcome(result: Any, name: str) -> Any:
    if result.HasField("failure"):
        return of_failure(result.failure)
    if result.HasField(name):
        return getattr(result, name)
    return Internal("the server's reply has no result")
