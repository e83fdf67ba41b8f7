"""Backoff with jitter, for calls that are safe to repeat.

All of ours are: creates carry an idempotency key, answers an answer id.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from hitl.error import Error, Unavailable
from hitl.log import logger

if TYPE_CHECKING:
    from hitl.connection import Connection

R = TypeVar("R")

FIRST_DELAY_S = 0.1
MAX_DELAY_S = 5.0


class Backoff:
    """Delays that double, each shortened at random by up to half.

    So the clients of a server that comes back do not all call it at once.
    """

    def __init__(self) -> None:
        self._next = FIRST_DELAY_S

    def reset(self) -> None:
        """Begins again with the shortest delay."""
        self._next = FIRST_DELAY_S

    def delay(self, error: Error) -> float:
        """Seconds before the next attempt, and at least what the server asked for."""
        delay = self._next * random.uniform(0.5, 1)
        self._next = min(2 * self._next, MAX_DELAY_S)
        return max(delay, error.retry_delay)


def goes_on(connection: "Connection", error: Error, elapsed_s: float) -> bool:
    """Whether what lasts for as long as the program wants it, such as a wait, survives the error.

    Once the client has reached its server, no loss of it ends that: the program waits for a
    person, who may take longer than any outage. Before that, a wrong address is the likelier cause.
    """
    # Where one is dead, another one may serve.
    may_serve = not error.is_hopeless or len(connection.settings.endpoints) > 1
    if error.retryable and may_serve and elapsed_s <= connection.settings.retry_for_s:
        return True
    return connection.reached and (error.retryable or isinstance(error, Unavailable))


def is_worth_repeating(error: object) -> bool:
    """Whether the same call may succeed soon."""
    return isinstance(error, Error) and error.retryable and not error.is_hopeless


class Persistence:
    """Attempts at what lasts for as long as the program wants it."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._begun = time.monotonic()
        self._backoff = Backoff()

    def progress(self) -> None:
        """Has the next delay be the shortest again."""
        self._backoff.reset()

    async def pause(self, error: Error) -> None:
        """Lets the time until the next attempt pass; raises the error if there is to be none."""
        delay = self._backoff.delay(error)
        if not goes_on(self._connection, error, time.monotonic() - self._begun + delay):
            raise error
        await asyncio.sleep(delay)


async def retry(limit_s: float, attempt: Callable[[], Awaitable[R]]) -> R:
    """Repeats it until it succeeds, fails for good, or another delay would pass the limit."""
    begun = time.monotonic()
    backoff = Backoff()
    attempts = 1
    while True:
        try:
            return await attempt()
        except Error as error:
            delay = backoff.delay(error)
            late = time.monotonic() - begun + delay > limit_s
            if late or not is_worth_repeating(error):
                raise
            attempts += 1
            logger.warning("calls again in %.1f s (attempt %d): %s", delay, attempts, error)
        await asyncio.sleep(delay)
