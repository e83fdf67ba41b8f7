"""Which proxies there are: the same in every language, as `sdk/endpoints.json` lists them."""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import unquote_to_bytes

from grpc.aio import AioRpcError

from hitl.endpoint import is_loopback, parse_endpoint
from hitl.error import Error, Invalid, Unavailable
from hitl.shown import one_line

# Signs of a user or a password as a URL has them.
_PART = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# What gRPC says of a proxy that opens no tunnel, and of one that is not there.
_REFUSED = re.compile(r"HTTP proxy returned response code (\d{3})")
_UNREACHED = ("Failed to connect to remote host", "resolving", "resolution")
# The user or the password is wrong, or missing.
_UNKNOWN_USER = 407


@dataclass(frozen=True)
class Proxy:
    """What leads to servers by CONNECT."""

    endpoint: str
    """Where it is, over plain http."""
    authorization: str = field(default="", repr=False)
    """What `proxy-authorization` says. Empty if nothing."""
    spares_loopback: bool = False
    """Whether it is not for servers of this machine."""

    @property
    def address(self) -> str:
        """`HOST:PORT`."""
        return self.endpoint.partition("://")[2]

    def is_for(self, server: str) -> bool:
        """Whether it is gone through to get to a server."""
        return not (self.spares_loopback and is_loopback(server))

    def options(self, server: str) -> list[tuple[str, str]]:
        """What has gRPC ask for the way to `HOST:PORT` once it is connected to the proxy.

        `grpc.http_proxy` would do so too, but not for servers that `NO_PROXY` names.
        """
        options = [("grpc.http_connect_server", server), ("grpc.default_authority", server)]
        if self.authorization:
            header = f"proxy-authorization:{self.authorization}"
            options.append(("grpc.http_connect_headers", header))
        return options

    def portable(self) -> "Proxy":
        """What of it may be kept: nothing secret."""
        return replace(self, authorization="")

    def complete(self, env: Mapping[str, str]) -> "Proxy":
        """The same with the user of the environment, if that names it."""
        named = read_proxy(None, env)
        if named and named.endpoint == self.endpoint:
            return replace(self, authorization=named.authorization)
        return self

    def explain(self, status: AioRpcError, server: str) -> Error:
        """What it means that a server cannot be reached through it."""
        cause = one_line(status.details() or "")
        if refused := _REFUSED.search(cause):
            return self._refusal(int(refused[1]), server)
        if not any(sign in cause for sign in _UNREACHED):
            told = f"cannot reach the hitl server at {server} through the proxy at {self.endpoint}"
            return Unavailable(f"{told}: {cause}. Check that both run there", retryable=True)
        error = Unavailable(
            f"cannot reach the proxy at {self.endpoint}: {cause}. Check that it runs there, or set "
            "proxy (HITL_PROXY) to where it does",
            retryable=True,
        )
        error.is_hopeless = "refused" in cause
        return error

    def _refusal(self, status: int, server: str) -> Error:
        if status == _UNKNOWN_USER:
            return Unavailable(
                f"the proxy at {self.endpoint} wants another user or password (status {status}): "
                "give them in proxy (HITL_PROXY), as http://USER:PASSWORD@HOST:PORT"
            )
        # That the server is not there may pass; that it may not be reached does not.
        error = Unavailable(
            f"the proxy at {self.endpoint} does not lead to {server} (status {status}): check the "
            "endpoint, and what the proxy allows",
            retryable=status >= 500,
        )
        error.is_hopeless = error.retryable
        return error


def read_proxy(code: str | None, env: Mapping[str, str]) -> Proxy | None:
    """The one that code names, else the one of the environment.

    That one may be meant for other servers than those of this machine.
    """
    given = code or env.get("HITL_PROXY")
    if not given:
        return None
    proxy = _parsed(given) if isinstance(given, str) else None
    if not proxy:
        # Nothing of what was given is shown, for any of it may be a password.
        raise Invalid(
            "proxy (HITL_PROXY) is not usable: give it as http://HOST:PORT or "
            "http://USER:PASSWORD@HOST:PORT, with signs such as @ in USER and PASSWORD as %40"
        )
    return replace(proxy, spares_loopback=not code)


def _parsed(given: str) -> Proxy | None:
    scheme, found, rest = given.strip(" \t\r\n").partition("://")
    if not found:
        scheme, rest = "http", scheme
    written, has_user, server = rest.rpartition("@")
    # A second scheme would be that of the server.
    if scheme.lower() != "http" or "://" in server:
        return None
    try:
        endpoint = parse_endpoint(server)
        return Proxy(endpoint, _basic(written) if has_user else "")
    except (Invalid, ValueError):
        return None


def _basic(written: str) -> str:
    """`USER:PASSWORD` as `proxy-authorization` has it."""
    user, password = map(_decoded, written.partition(":")[::2])
    if not user or ":" in user:
        raise ValueError("no user")
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def _decoded(part: str) -> str:
    """What a part of a URL stands for: text without control characters."""
    text = unquote_to_bytes(part).decode() if _PART.fullmatch(part) else "\0"
    if _CONTROL.search(text):
        raise ValueError("no text")
    return text
