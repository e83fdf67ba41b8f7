"""The connection that all calls of a client share."""

import asyncio
import functools
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import grpc.aio

from hitl import credential, log
from hitl.config import Settings
from hitl.error import Error, Internal, Invalid, Unauthenticated, Unavailable, of_status
from hitl.local import Found
from hitl.place import Place
from hitl.proxy import Proxy
from hitl.told import Telling
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
        """Where the server is: of several the one that served last, or is tried now. Empty before
        the first call of a local one."""
        self.waits = Waits(self)
        self.telling = Telling(settings.announce)
        log.show(os.environ.get("HITL_LOG"))
        self._channel: grpc.aio.Channel | None = None
        self._closed = False
        self._token = settings.token
        self._last_token = ""
        # Whether the server has refused the last token, and whether there was no other since.
        self._is_refused = self._is_confirmed = False
        self._finding: asyncio.Task[Found] | None = None
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

    async def attempt(
        self,
        rpc: "Callable[[EventServiceAsyncStub], Awaitable[R]]",
        limit_s: float,
        silence: str,
    ) -> R:
        """Makes a call once, which may take so long; `silence` says that in words."""
        place = Place(self.endpoint)

        async def call() -> R:
            stub = await self.stub()
            place.endpoint = self.endpoint
            return await rpc(stub)

        return await self.reply(call(), place, limit_s, silence)

    async def reply(
        self, reply: Awaitable[R], place: Place, limit_s: float, silence: str = ""
    ) -> R:
        """A reply, or its error, or that of a silent server; and notes that there is a server.

        Where none serves at that place, and there is another one, later calls go there.
        """
        try:
            message = await asyncio.wait_for(reply, limit_s)
        except asyncio.CancelledError:
            self._ensure_open()
            raise
        except asyncio.TimeoutError:
            told = silence or f"for {limit_s:g} s"
            self._leave(place)
            name = place.endpoint or self.name
            raise Unavailable(f"the server at {name} sent nothing {told}", retryable=True) from None
        except grpc.aio.AioRpcError as status:
            error = self._told(self._read(status, place.endpoint or self.name))
            if isinstance(error, Unavailable):
                self._leave(place)
            raise error from None
        self.reached = True
        self._is_confirmed = False
        if message is None:
            raise Internal(f"{self.name} sent what cannot be read as a message of the API")
        return message

    async def stub(self) -> "EventServiceAsyncStub":
        """Where calls are made, with a local server behind it if that is wanted."""
        self._ensure_open()
        ready = self._channel and self._channel.get_state() is grpc.ChannelConnectivity.READY
        if self.settings.local and (self._is_refused or not ready):
            # Many calls at once find one server.
            if self._finding is None or self._finding.done():
                self._finding = asyncio.create_task(self.settings.local.up())
            self._go_to(await asyncio.shield(self._finding))
        token = await credential.current(self._token)
        if self._is_refused:
            self._is_refused, self._is_confirmed = False, token == self._last_token
        self._last_token = token
        self._ensure_open()
        if self._channel is None:
            self._channel = self._open()
        headers = self.settings.headers
        if token:
            headers += (("authorization", f"Bearer {token}"),)
        return EventServiceStub(cast(grpc.aio.Channel, _Headed(self._channel, headers)))

    def _open(self) -> grpc.aio.Channel:
        scheme, _, address = self.endpoint.partition("://")
        proxy, through = self._proxy_to(self.endpoint), self.settings.interceptors
        target = f"dns:///{proxy.address if proxy else address}"
        options = [*OPTIONS, *(proxy.options(address) if proxy else ())]
        if scheme == "http":
            return grpc.aio.insecure_channel(target, options=options, interceptors=through)
        tls = self.settings.tls
        trusted = grpc.ssl_channel_credentials(tls.ca, tls.key, tls.cert)
        return grpc.aio.secure_channel(target, trusted, options=options, interceptors=through)

    def _proxy_to(self, endpoint: str) -> Proxy | None:
        """What is gone through to get to a server, which the local one is not."""
        proxy = None if self.settings.local else self.settings.proxy
        return proxy if proxy and proxy.is_for(endpoint) else None

    def _read(self, status: grpc.aio.AioRpcError, endpoint: str) -> Error:
        """What the end of a call to `endpoint` means."""
        error, proxy = of_status(status, endpoint), self._proxy_to(endpoint)
        # What a server says of itself has a reason.
        is_lost = isinstance(error, Unavailable) and not error.reason
        return proxy.explain(status, endpoint) if proxy and is_lost else error

    def _told(self, error: Error) -> Error:
        """The error of a call with what this connection knows of it."""
        local, given = self.settings.local, self.settings.token
        # A local server that was started anew takes another one, and `hitl up` knows which.
        changes = callable(given) or (local and not given)
        if isinstance(error, Unauthenticated) and changes and not self._is_confirmed:
            self._is_refused = error.retryable = True
        if local or self.reached or self.settings.is_patient:
            error.is_hopeless = False
        return error

    def _go_to(self, found: Found) -> None:
        """Leaves the connection to where the local server was before."""
        self._token = self.settings.token or found.token
        if found.endpoint != self.endpoint:
            log.logger.info("the local server is at %s", found.endpoint)
        self._move(found.endpoint)

    def _leave(self, place: Place) -> None:
        """Goes on to the next server, unless some other call has done so."""
        servers = self.settings.endpoints
        if len(servers) > 1 and place.endpoint == self.endpoint:
            following = servers[(servers.index(self.endpoint) + 1) % len(servers)]
            log.logger.warning("no server at %s, tries %s", self.endpoint, following)
            self._move(following)

    def _move(self, endpoint: str) -> None:
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


class _Headed:
    """A channel whose calls have headers, which say who makes them."""

    def __init__(self, channel: grpc.aio.Channel, headers: tuple[tuple[str, str], ...]) -> None:
        self._channel, self._metadata = channel, headers

    def __getattr__(self, kind: str) -> Any:
        make = getattr(self._channel, kind)
        return lambda *args, **kwargs: functools.partial(
            make(*args, **kwargs), metadata=self._metadata
        )
