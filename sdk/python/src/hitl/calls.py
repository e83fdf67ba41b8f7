"""The calls of a client, over a connection that it may share with others."""

import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from hitl import connection
from hitl.config import Settings
from hitl.error import Unavailable
from hitl.retry import retry

if TYPE_CHECKING:
    from hitl.connection import Connection
    from hitl.v1.event_service_pb2_grpc import EventServiceAsyncStub

R = TypeVar("R")


class Calls:
    """Calls that are given up and repeated as these settings say."""

    def __init__(self, connection: "Connection", settings: Settings) -> None:
        self._connection, self._settings = connection, settings

    @property
    def patience_s(self) -> float:
        """For how long it is worth to begin another attempt."""
        return min(self._settings.retry_for_s, self._settings.call_timeout_s)

    def call(
        self, rpc: "Callable[[EventServiceAsyncStub], Awaitable[R]]"
    ) -> Coroutine[Any, Any, R]:
        """Makes a call, repeated while the server cannot be reached."""
        begun = time.monotonic()
        return retry(self.patience_s, lambda: self._round(rpc, begun))

    def attempt(
        self, rpc: "Callable[[EventServiceAsyncStub], Awaitable[R]]"
    ) -> Coroutine[Any, Any, R]:
        """Makes a call once; of several servers to each in turn, until one serves."""
        return self._round(rpc, time.monotonic())

    async def _round(
        self, rpc: "Callable[[EventServiceAsyncStub], Awaitable[R]]", begun: float
    ) -> R:
        others = len(self._settings.endpoints[1:])
        while True:
            try:
                return await self._connection.attempt(rpc, *self._silence(begun))
            except Unavailable as error:
                if self._settings.is_patient:
                    error.is_hopeless = False
                others -= 1
                if others < 0 or self._left_s(begun) <= 0:
                    raise

    def _silence(self, begun: float) -> tuple[float, str]:
        """How long an attempt may take now, and what is told when it does."""
        timeout, left = self._settings.call_timeout_s, self._left_s(begun)
        if left < connection.ATTEMPT_LIMIT_S:
            return max(0, left), f"within the call's timeout of {timeout:g} s"
        return connection.ATTEMPT_LIMIT_S, f"for {connection.ATTEMPT_LIMIT_S:g} s"

    def _left_s(self, begun: float) -> float:
        return self._settings.call_timeout_s - (time.monotonic() - begun)
