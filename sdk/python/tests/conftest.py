"""What the tests share."""

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hitl import retry
from hitl.serve import Launcher

Server = subprocess.Popen[bytes]


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


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Server]]:
    """The servers that were started, which end with the test."""
    servers: list[Server] = []
    start = Launcher._start

    def recorded(*arguments: Any) -> Server:
        servers.append(start(*arguments))
        return servers[-1]

    monkeypatch.setattr(Launcher, "_start", recorded)
    yield servers
    for server in servers:
        server.kill()
        server.wait()


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, started: list[Server]) -> int:
    """The port of a local server, which runs once it is needed."""
    if not os.environ.get("HITL_BIN"):
        pytest.fail("set HITL_BIN to the hitl program")
    port = free_port()
    monkeypatch.setenv("HITL_PORT", str(port))
    monkeypatch.setenv("HITL_DATA_DIR", str(tmp_path / "data"))
    return port
