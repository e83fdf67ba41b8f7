"""Who calls, and whom to trust: tokens and certificates.

None of it is ever shown: what is printed ends up in logs.
"""

import asyncio
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from hitl.endpoint import is_loopback
from hitl.error import Error, Invalid, Unavailable
from hitl.shown import one_line

Token: TypeAlias = str | Callable[[], str]
"""A token, or what returns one for each new call."""

Pem: TypeAlias = str | os.PathLike[str] | bytes
"""The path of a PEM file, or what would be in it."""

_HEADER_CHARS = re.compile(r"[!-~]{0,4096}", re.ASCII)
# As long as an attempt of a call may take.
_TOKEN_LIMIT_S = 15.0


def checked(token: object) -> str:
    """A token that a header can have."""
    if not isinstance(token, str):
        raise Invalid(f"the token is of type {type(token).__name__}: give text")
    token = token.strip(" \t\r\n")
    if not _HEADER_CHARS.fullmatch(token):
        raise Invalid("the token has characters that a header cannot have, or more than 4,096")
    return token


async def current(token: Token) -> str:
    """The token to call with now. A function runs on a thread of its own."""
    if isinstance(token, str):
        return token
    try:
        given = await asyncio.wait_for(asyncio.to_thread(token), _TOKEN_LIMIT_S)
    except asyncio.TimeoutError:
        why = f"the function has not returned within {_TOKEN_LIMIT_S:g} s"
        raise Unavailable(f"the token cannot be had: {why}", retryable=True) from None
    except Error:
        raise
    except Exception as cause:
        message = one_line(f"the token cannot be had: {cause!r}")
        raise Unavailable(message, retryable=True) from cause
    return checked(given)


def ensure_private(endpoint: str, insecure: bool) -> None:
    """Refuses to send a token where others may read it."""
    if not (insecure or endpoint.startswith("https:") or is_loopback(endpoint)):
        raise Invalid(
            f"a token is not sent over plain http to {endpoint}: use https, or set "
            "HITL_INSECURE_TRANSPORT=1 if the way there is safe"
        )


def is_on(text: str | None) -> bool:
    """Whether a variable of the environment switches something on."""
    return (text or "").lower() in ("1", "true")


@dataclass(frozen=True)
class Tls:
    """What is in the PEM files of a connection with TLS. Each may be unset."""

    ca: bytes | None = None
    cert: bytes | None = None
    key: bytes | None = field(default=None, repr=False)


NO_TLS = Tls()


def read_tls(
    ca: Pem | None, cert: Pem | None, key: Pem | None, endpoint: str, env: Mapping[str, str]
) -> Tls:
    """Reads what is given, else what the environment names, if the endpoint has use for it."""
    given = {"ca": ca, "cert": cert, "key": key}
    if not endpoint.startswith("https:"):
        if named := [name for name, pem in given.items() if pem]:
            where = endpoint or "the local server"
            raise Invalid(f"{', '.join(named)}: give an https endpoint, for {where} has no TLS")
        return NO_TLS
    files = {
        name: _read(name, pem or env.get(f"HITL_{name.upper()}")) for name, pem in given.items()
    }
    tls = Tls(**files)
    if (tls.cert is None) != (tls.key is None):
        raise Invalid("a client certificate is given by both cert and key")
    return tls


def _read(name: str, pem: Pem | None) -> bytes | None:
    if not pem:
        return None
    if isinstance(pem, bytes):
        return pem
    try:
        with open(pem, "rb") as file:
            return file.read()
    except (OSError, ValueError) as error:
        raise Invalid(
            one_line(f"{name}: the file {os.fspath(pem)!r} cannot be read: {error}")
        ) from error
