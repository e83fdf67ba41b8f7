"""Where the server is and on whose behalf to ask.

What code sets wins over the environment, and the environment over the default. The environment is
read once, when a client is made.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from hitl.error import Invalid
from hitl.serve import Launcher

# HITL on the keys of a telephone.
_DEFAULT_PORT = 4485


@dataclass(frozen=True)
class Settings:
    """A `Config` with nothing left open."""

    endpoint: str
    launcher: Launcher | None
    """Present if the server is a local one that a client may start."""
    namespace: str
    run_id: str
    retry_for_s: float


@dataclass(frozen=True)
class Config:
    """How a `Client` reaches its server. `Config()` takes everything from the environment."""

    endpoint: str | None = None
    """The server's address, such as `http://127.0.0.1:4485`. Else `HITL_ENDPOINT`; without either a
    local server is used, and started when none runs."""
    namespace: str | None = None
    """The namespace of every event. Else `HITL_NAMESPACE`, else `default`."""
    run_id: str | None = None
    """Names this run of the program, so that it can crash and start again. Else `HITL_RUN_ID`;
    without either every create makes another event."""
    binary: str | os.PathLike[str] | None = None
    """The `hitl` program with which to start a local server. Else `HITL_BIN`, else `hitl` in
    `PATH`."""
    retry_for: float | timedelta = 30.0
    """How many seconds a call is repeated while the server cannot be reached; zero means one
    attempt. A wait, once it has reached the server, goes on without limit."""

    def resolve(self, env: Mapping[str, str]) -> Settings:
        """Fills what is not set. What is empty counts as unset."""
        launcher = None
        if endpoint := self.endpoint or env.get("HITL_ENDPOINT"):
            endpoint = _checked(endpoint)
        else:
            binary = str(self.binary or env.get("HITL_BIN") or "hitl")
            launcher = Launcher(_port(env), binary, _data_dir(env))
            endpoint = f"http://{launcher.address}"
        return Settings(
            endpoint=endpoint,
            launcher=launcher,
            namespace=self.namespace or env.get("HITL_NAMESPACE") or "default",
            run_id=self.run_id or env.get("HITL_RUN_ID") or "",
            retry_for_s=seconds(self.retry_for),
        )


def seconds(duration: float | timedelta) -> float:
    """A duration in seconds, whichever way it was given."""
    return duration.total_seconds() if isinstance(duration, timedelta) else duration


def _port(env: Mapping[str, str]) -> int:
    port = env.get("HITL_PORT") or str(_DEFAULT_PORT)
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise Invalid(f"HITL_PORT is {port!r}: set it to 1 to 65535")
    return int(port)


def _checked(endpoint: str) -> str:
    """The endpoint as a URL without a slash at its end."""
    url = (endpoint if "://" in endpoint else f"http://{endpoint}").rstrip("/")
    help = f"the endpoint {endpoint!r} is not usable: give it as http://HOST:PORT, without TLS"
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "http" and parts.hostname and parts.port != 0
    except ValueError:
        raise Invalid(help) from None
    if not usable or any(letter.isspace() for letter in url):
        raise Invalid(help)
    return url


def _data_dir(env: Mapping[str, str]) -> Path | None:
    """Where a local server keeps its data, and where its log goes."""
    if own := env.get("HITL_DATA_DIR"):
        return Path(own)
    shared = Path(env.get("XDG_DATA_HOME") or "")
    # The specification of XDG has relative paths ignored.
    if shared.is_absolute():
        return shared / "hitl"
    home = env.get("HOME") or env.get("USERPROFILE")
    return Path(home) / ".local/share/hitl" if home else None
