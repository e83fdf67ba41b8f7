"""The connection that all calls of a client share."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import grpc.aio

from hitl.config import Settings
from hitl.error import Internal, Invalid, Unavailable, of_status
from hitl.retry import retry
from hitl.v1.event_service_pb2_grpc import EventServiceStub
from hitl.waits import Waits

if TYPE_CHECKING:
    from hitl.v1.event_service_pb2_grpc import EventServiceAsyncStub

R = TypeVar("R")

# Longer than a local server may take to start, so that its own error is the one that is seen.
ATTEMPT_LIMIT_S = 15.0

OPTIONS = [
    # A connection that died without a word is found within one attempt, so that the next one has
    # another connection and time left.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.ping_timeout_ms", 5_000),  # the longer of both is what holds
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # Delays between attempts are ours to choose: those of gRPC must be the shorter ones.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.min_reconnect_backoff_ms", 5_000),  # how long connecting may take
    # Enough for a page of large events; a limit only against a server gone wrong.
    ("grpc.max_receive_message_length", 256 << 20),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
]


class Connection:
    """Connects at its first call, and again after each loss."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.reached = False
        """Whether any call ever got a reply."""
        self.endpoint = settings.endpoint
        """Where the server is; empty before the first call of a local one."""
        self.waits = Waits(self)
        self._channel: grpc.aio.Channel | None = None
        self._closed = False
        self._finding: asyncio.Task[str] | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def name(self) -> str:
        """The server for messages, with no port where none is known."""
        return self.endpoint or "http://127.0.0.1"

    async def close(self) -> None:
        """Ends the connection and all calls over it."""
        self._closed = True
        channel, self._channel = self._channel, None
        if channel:
            await channel.close()

    def call(
        self, rpc: "Callable[[EventServiceAsyncStub], Awaitable[R]]"
    ) -> Coroutine[Any, Any, R]:
        """Makes a call, repeated while the server cannot be reached."""
        return retry(self.settings.retry_for_s, lambda: self.attempt(rpc))

    def attempt(
        self, rpc: "Callable[[EventServiceAsyncStub], Awaitable[R]]"
    ) -> Coroutine[Any, Any, R]:
        """Makes a call once."""

        async def call() -> R:
            return await rpc(await self.stub())

        return self.reply(call(), ATTEMPT_LIMIT_S)

    async def reply(self, reply: Awaitable[R], limit_s: float) -> R:
        """A reply, or its error, or that of a silent server; and notes that there is a server."""
        try:
            message = await asyncio.wait_for(reply, limit_s)
        except asyncio.CancelledError:
            self._ensure_open()
            raise
        except asyncio.TimeoutError:
            silence = f"the server at {self.name} sent nothing for {limit_s:g} s"
            raise Unavailable(silence, retryable=True) from None
        except grpc.aio.AioRpcError as status:
            raise of_status(status, self.name) from None
        self.reached = True
        if message is None:
            raise Internal(f"{self.name} sent what cannot be read as a message of the API")
        return message

    async def stub(self) -> "EventServiceAsyncStub":
        """Where calls are made, with a local server behind it if that is wanted."""
        self._ensure_open()
        ready = self._channel and self._channel.get_state() is grpc.ChannelConnectivity.READY
        if self.settings.local and not ready:
            # Many calls at once find one server.
            if self._finding is None or self._finding.done():
                self._finding = asyncio.create_task(self.settings.local.up())
            self._go_to(await asyncio.shield(self._finding))
        self._ensure_open()
        if self._channel is None:
            address = self.endpoint.removeprefix("http://")
            self._channel = grpc.aio.insecure_channel(f"dns:///{address}", options=OPTIONS)
        return EventServiceStub(self._channel)

    def _go_to(self, endpoint: str) -> None:
        """Leaves the connection to where the local server was before."""
        if endpoint != self.endpoint and (channel := self._channel):
            # Its calls fail by themselves; to cancel them would look as if the program had.
            leaving = asyncio.create_task(channel.close(ATTEMPT_LIMIT_S))
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)
            self._channel = None
        self.endpoint = endpoint

    def _ensure_open(self) -> None:
        if self._closed:
            raise Invalid("the client is closed")
