"""Where the server is and on whose behalf to ask.

What code sets wins over the environment, and the environment over the default. The environment is
read once, when a client is made.
"""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from hitl.credential import NO_TLS, Pem, Tls, Token, checked, ensure_private, is_on, read_tls
from hitl.endpoint import parse_endpoints
from hitl.error import Invalid
from hitl.headers import checked as checked_headers
from hitl.local import Local
from hitl.proxy import Proxy, read_proxy

if TYPE_CHECKING:
    from grpc.aio import ClientInterceptor

# Which server the local one is.
_LOCAL = ("HITL_DATA_DIR", "HITL_PORT")
_RETRY_FOR_S = 30.0


@dataclass(frozen=True)
class Settings:
    """A `Config` with nothing left open."""

    endpoints: tuple[str, ...]
    """Where servers are, each as good as the others. None if the server is the local one."""
    local: Local | None
    """Present if the server is the local one, which a client may start."""
    namespace: str
    run_id: str
    retry_for_s: float
    is_patient: bool = False
    """Whether the program has said how long calls are repeated."""
    token: Token = field(default="", repr=False)
    """Empty for none, or for that of the local server."""
    tls: Tls = NO_TLS
    proxy: Proxy | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    interceptors: "tuple[ClientInterceptor, ...]" = field(default=(), repr=False)
    announce: bool = True
    call_timeout_s: float = math.inf
    """How long a call may take with all of its attempts."""

    @property
    def endpoint(self) -> str:
        """The first server. Empty if that is the local one."""
        return self.endpoints[0] if self.endpoints else ""

    def portable(self) -> "Settings":
        """What of it may be kept: nothing secret."""
        proxy = self.proxy and self.proxy.portable()
        return replace(self, token="", tls=NO_TLS, proxy=proxy, headers=(), interceptors=())

    def complete(self, env: Mapping[str, str]) -> "Settings":
        """The secrets of the environment in place of those that were not kept."""
        if self.local:
            return self
        token = checked(env.get("HITL_TOKEN") or "")
        tls = read_tls(None, None, None, self.endpoint, env)
        return replace(self, token=token, tls=tls, proxy=self.proxy and self.proxy.complete(env))


@dataclass(frozen=True)
class Config:
    """How a `Client` reaches its server. `Config()` takes everything from the environment."""

    endpoint: str | None = None
    """The server's address, such as `http://127.0.0.1:4485`. Else `HITL_ENDPOINT`; without either
    the local server is used, and started when none runs. Of several, with commas between, the first
    is called, and each next one when the one before does not serve."""
    namespace: str | None = None
    """The namespace of every event. Else `HITL_NAMESPACE`, else `default`."""
    run_id: str | None = None
    """Names this run of the program, so that it can crash and start again. Else `HITL_RUN_ID`;
    without either every create makes another event."""
    binary: str | os.PathLike[str] | None = None
    """The `hitl` program that finds or starts the local server. Else `HITL_BIN`, else the one that
    was installed with this package, else `hitl` in `PATH`, of which directories that are not
    absolute are left out."""
    retry_for: float | timedelta | None = None
    """How many seconds a call is repeated while the server cannot be reached; zero means one
    attempt. A wait, once it has reached the server, goes on without limit. Unless set 30 s, but a
    server that was never reached and whose machine refuses the connection is not called again."""
    call_timeout: float | timedelta | None = None
    """How many seconds a call may take with all of its attempts; unless set, as many as those take.
    Waits and watches are not bound by it. `Client.with_call_timeout` sets it for some calls."""
    token: Token | None = field(default=None, repr=False)
    """Says who calls: text, or a function that returns it, called for each new call. Else
    `HITL_TOKEN`. The local server's own is known without."""
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    """Headers that go with every call, such as what a proxy on the way asks for: at most 32. They
    go over plain http too, unlike the token."""
    proxy: str | None = field(default=None, repr=False)
    """The proxy that leads to the server by CONNECT, as `http://HOST:PORT` or
    `http://USER:PASSWORD@HOST:PORT`, which is never printed. Else `HITL_PROXY`, but not to a server
    of this machine; no other variable names one. TLS is spoken with the server, so that the proxy
    reads nothing of it. The local server is reached without."""
    ca: Pem | None = None
    """Whose certificates servers have, as the path of a PEM file or its bytes, if that is none of
    those that gRPC trusts. Else `HITL_CA`, a path."""
    cert: Pem | None = None
    """The certificate of this client, where the server asks for one. Else `HITL_CERT`."""
    key: Pem | None = field(default=None, repr=False)
    """The private key of that. Else `HITL_KEY`."""
    insecure: bool = False
    """Sends the token even over plain http to another machine. Else
    `HITL_INSECURE_TRANSPORT=1`."""
    interceptors: "Sequence[ClientInterceptor] | None" = None
    """What calls pass through, such as those of OpenTelemetry, which trace and count them."""
    announce: bool | None = None
    """Whether waits tell on stderr where to answer, if the program has not looked at the link
    itself. Else `HITL_ANNOUNCE`, of which `0` is no; else they do."""

    def resolve(self, env: Mapping[str, str]) -> Settings:
        """Fills what is not set. What is empty counts as unset."""
        local = None
        endpoints: tuple[str, ...] = ()
        if given := self.endpoint or env.get("HITL_ENDPOINT") or "":
            endpoints = parse_endpoints(sendable("endpoint", given))
        else:
            binary = str(self.binary or env.get("HITL_BIN") or "hitl")
            local = Local(binary, tuple((name, env[name]) for name in _LOCAL if name in env))
        token = self.token or (env.get("HITL_TOKEN") if endpoints else "") or ""
        if isinstance(token, str):
            token = checked(token)
        insecure = self.insecure or is_on(env.get("HITL_INSECURE_TRANSPORT"))
        for endpoint in endpoints if token else ():
            ensure_private(endpoint, insecure)
        return Settings(
            endpoints=endpoints,
            local=local,
            namespace=sendable(
                "namespace", self.namespace or env.get("HITL_NAMESPACE") or "default"
            ),
            run_id=sendable("run id", self.run_id or env.get("HITL_RUN_ID") or ""),
            retry_for_s=retry_limit(_RETRY_FOR_S if self.retry_for is None else self.retry_for),
            is_patient=self.retry_for is not None,
            token=token,
            headers=checked_headers(self.headers or {}),
            interceptors=tuple(self.interceptors or ()),
            call_timeout_s=math.inf if self.call_timeout is None else call_limit(self.call_timeout),
            proxy=read_proxy(self.proxy, env),
            # They are alike in that.
            tls=read_tls(self.ca, self.cert, self.key, "".join(endpoints[:1]), env),
            announce=self.announce
            if self.announce is not None
            else (env.get("HITL_ANNOUNCE") or "").lower() not in ("0", "false", "off"),
        )


def seconds(duration: float | timedelta) -> float:
    """A duration in seconds, whichever way it was given."""
    return duration.total_seconds() if isinstance(duration, timedelta) else duration


def retry_limit(retry_for: float | timedelta) -> float:
    """A limit that time can pass."""
    limit = seconds(retry_for)
    if math.isnan(limit) or limit < 0:
        raise Invalid(f"retry_for is {limit:g}: give a number of seconds from 0")
    return limit


def call_limit(call_timeout: float | timedelta) -> float:
    """A time in which a call can be made."""
    limit = seconds(call_timeout)
    if not limit > 0:
        raise Invalid(f"call_timeout is {limit:g}: give a number of seconds above 0")
    return limit


def sendable(what: str, text: str) -> str:
    """Text that can be sent."""
    try:
        text.encode()
    except (AttributeError, UnicodeEncodeError):
        raise Invalid(f"the {what} is {text!r}: give text, encoded as UTF-8") from None
    return text
