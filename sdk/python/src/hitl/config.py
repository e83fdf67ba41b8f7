"""Where the server is and on whose behalf to ask.

What code sets wins over the environment, and the environment over the default. The environment is
read once, when a client is made.
"""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from hitl.endpoint import parse_endpoint
from hitl.error import Invalid
from hitl.local import Local

# Which server the local one is.
_LOCAL = ("HITL_DATA_DIR", "HITL_PORT")


@dataclass(frozen=True)
class Settings:
    """A `Config` with nothing left open."""

    endpoint: str
    """Empty if the server is the local one."""
    local: Local | None
    """Present if the server is the local one, which a client may start."""
    namespace: str
    run_id: str
    retry_for_s: float


@dataclass(frozen=True)
class Config:
    """How a `Client` reaches its server. `Config()` takes everything from the environment."""

    endpoint: str | None = None
    """The server's address, such as `http://127.0.0.1:4485`. Else `HITL_ENDPOINT`; without either
    the local server is used, and started when none runs."""
    namespace: str | None = None
    """The namespace of every event. Else `HITL_NAMESPACE`, else `default`."""
    run_id: str | None = None
    """Names this run of the program, so that it can crash and start again. Else `HITL_RUN_ID`;
    without either every create makes another event."""
    binary: str | os.PathLike[str] | None = None
    """The `hitl` program that finds or starts the local server. Else `HITL_BIN`, else `hitl` in
    `PATH`, of which directories that are not absolute are left out."""
    retry_for: float | timedelta = 30.0
    """How many seconds a call is repeated while the server cannot be reached; zero means one
    attempt. A wait, once it has reached the server, goes on without limit."""

    def resolve(self, env: Mapping[str, str]) -> Settings:
        """Fills what is not set. What is empty counts as unset."""
        local = None
        if endpoint := self.endpoint or env.get("HITL_ENDPOINT") or "":
            endpoint = parse_endpoint(_text("endpoint", endpoint))
        else:
            binary = str(self.binary or env.get("HITL_BIN") or "hitl")
            local = Local(binary, tuple((name, env[name]) for name in _LOCAL if name in env))
        return Settings(
            endpoint=endpoint,
            local=local,
            namespace=_text("namespace", self.namespace or env.get("HITL_NAMESPACE") or "default"),
            run_id=_text("run id", self.run_id or env.get("HITL_RUN_ID") or ""),
            retry_for_s=_limit(self.retry_for),
        )


def seconds(duration: float | timedelta) -> float:
    """A duration in seconds, whichever way it was given."""
    return duration.total_seconds() if isinstance(duration, timedelta) else duration


def _limit(retry_for: float | timedelta) -> float:
    """A limit that time can pass."""
    limit = seconds(retry_for)
    if math.isnan(limit) or limit < 0:
        raise Invalid(f"retry_for is {limit:g}: give a number of seconds from 0")
    return limit


def _text(what: str, text: str) -> str:
    """Text that can be sent."""
    try:
        text.encode()
    except (AttributeError, UnicodeEncodeError):
        raise Invalid(f"the {what} is {text!r}: give text, encoded as UTF-8") from None
    return text
