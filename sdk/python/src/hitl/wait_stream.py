"""Serves the stream that all waits of a client share."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import grpc.aio

from hitl import v1
from hitl.error import Error, Internal, Unavailable, of_failure
from hitl.log import logger
from hitl.messages import is_final
from hitl.place import Place
from hitl.retry import Backoff, goes_on
from hitl.shown import one_line

if TYPE_CHECKING:
    from hitl.connection import Connection
    from hitl.waits import Waits

# Three of the server's default heartbeats.
SILENCE_LIMIT_S = 45.0


async def serve(waits: "Waits", connection: "Connection") -> None:
    """Serves the waits until there are none."""
    backoff = Backoff()
    while not waits.stop():
        try:
            await _attend(waits, connection, backoff)
        except Error as error:
            await _lost(waits, connection, error, backoff)
        except Exception as fault:
            # Nobody else would tell those who wait.
            told = Internal(one_line(f"the stream of waits cannot be served: {fault!r}"))
            await _lost(waits, connection, told, backoff)


async def _lost(waits: "Waits", connection: "Connection", error: Error, backoff: Backoff) -> None:
    """Ends what is not worth another attempt, and lets the time until that pass."""
    delay = backoff.delay(error)
    if waits.count:
        told = "lost the server at %s while %d events are waited for, tries again in %.1f s: %s"
        logger.warning(told, connection.name, waits.count, delay, error)
    waits.give_up(error, lambda elapsed: goes_on(connection, error, elapsed + delay))
    await waits.until_empty(delay)


async def _attend(waits: "Waits", connection: "Connection", backoff: Backoff) -> None:
    """Follows one stream until nothing is waited for or it is lost."""
    stream = (await connection.stub()).WaitEvents()
    place = Place(connection.endpoint)
    waits.begin()
    logger.info("waits for %d events at %s", waits.count, connection.name)
    hearing = asyncio.create_task(_hear(waits, connection, stream, place, backoff))
    saying = asyncio.create_task(_say(waits, stream))
    emptied = asyncio.create_task(waits.until_empty())
    try:
        await asyncio.wait({hearing, emptied}, return_when=asyncio.FIRST_COMPLETED)
        if hearing.cancelled():
            raise Unavailable("the stream of waits was cut off", retryable=True)
        if hearing.done():
            hearing.result()
    finally:
        stream.cancel()
        tasks = (hearing, saying, emptied)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # A message may be long in coming. Headers come at once, unless the server refuses.
        if await stream.initial_metadata():
            connection.reached = True


async def _hear(
    waits: "Waits", connection: "Connection", stream: Any, place: Place, backoff: Backoff
) -> None:
    while True:
        message = await connection.reply(stream.read(), place, SILENCE_LIMIT_S)
        if not isinstance(message, v1.WaitEventsResponse):
            raise Unavailable("the stream ended before the event", retryable=True)
        backoff.reset()
        if is_final(message.event):
            waits.end(message.event.id, message.event)
        elif message.failed.HasField("failure"):
            waits.failed(message.failed.key.event_id, of_failure(message.failed.failure))


async def _say(waits: "Waits", stream: Any) -> None:
    # Whoever hears the stream is told why it takes no more.
    with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
        while True:
            await stream.write(await waits.message())
