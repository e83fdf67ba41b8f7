"""What the tests share."""

import fcntl
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from hitl import retry


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of ours is set, and nothing waits longer than it takes to see that it does."""
    for name in [name for name in os.environ if name.startswith("HITL_") and name != "HITL_BIN"]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(retry, "FIRST_DELAY_S", 0.001)
    monkeypatch.setattr(retry, "MAX_DELAY_S", 0.01)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Servers:
    """The local servers of a data directory, of which one runs at a time."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def kill(self) -> None:
        """Kills the one that runs, and returns once it is gone."""
        try:
            pid = int((self.directory / "server.lock").read_text())
        except (FileNotFoundError, ValueError):
            return
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with (self.directory / "server.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    """The servers that the test starts, which end with it."""
    servers = Servers(tmp_path / "data")
    yield servers
    servers.kill()


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch, servers: Servers) -> int:
    """The port of a local server, which runs once it is needed."""
    if not os.environ.get("HITL_BIN"):
        pytest.fail("set HITL_BIN to the hitl program")
    port = free_port()
    monkeypatch.setenv("HITL_PORT", str(port))
    monkeypatch.setenv("HITL_DATA_DIR", str(servers.directory))
    return port
