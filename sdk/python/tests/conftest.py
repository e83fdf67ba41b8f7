"""What the tests share."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
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


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[int]:
    """The port of a local server, which runs once it is needed, and ends with the test."""
    if not os.environ.get("HITL_BIN"):
        pytest.fail("set HITL_BIN to the hitl program")
    port = free_port()
    monkeypatch.setenv("HITL_PORT", str(port))
    monkeypatch.setenv("HITL_DATA_DIR", str(tmp_path / "data"))
    started = server_count()
    yield port
    from hitl import serve

    for server in serve._started[started:]:
        stop(server)


def server_count() -> int:
    from hitl import serve

    return len(serve._started)


def stop(server: subprocess.Popen[bytes]) -> None:
    """Kills a server without warning."""
    server.send_signal(signal.SIGKILL)
    server.wait()
