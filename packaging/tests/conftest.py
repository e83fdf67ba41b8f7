"""The packages that `packaging/check` has made, and what tests of them share."""

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

LIMIT_S = 60


@pytest.fixture
def made() -> Path:
    """Where the packages are."""
    return Path(os.environ["HITL_TEST_PACKAGES"])


@pytest.fixture
def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def one(directory: Path, pattern: str) -> Path:
    """The only file of this pattern."""
    (found,) = directory.glob(pattern)
    return found


def clean(home: Path, port: int) -> dict[str, str]:
    """An environment with nothing of ours: no cargo, no path to any hitl, no settings."""
    return {"HOME": str(home), "PATH": "/usr/bin:/bin", "HITL_PORT": str(port), "HITL_DATA_DIR": str(home / "hitl")}


def ask(command: list[str], env: dict[str, str], cwd: Path, stop: list[str]) -> str:
    """Runs a program that prints where to answer, answers 41, and returns the rest that it prints."""
    try:
        with subprocess.Popen(command, env=env, cwd=cwd, stdout=subprocess.PIPE, text=True) as asking:
            assert asking.stdout
            link = asking.stdout.readline().strip()
            post(link, {"value": 41})
            said = asking.stdout.read()
            assert asking.wait(LIMIT_S) == 0
    finally:
        subprocess.run(stop, env=env, check=True, capture_output=True)
    return said


def post(url: str, body: object) -> None:
    """Sends JSON."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    urllib.request.urlopen(request, timeout=LIMIT_S).close()


def until(done: Callable[[], bool]) -> None:
    """Waits until it is so."""
    import time

    deadline = time.monotonic() + LIMIT_S
    while not done():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.05)


def is_ready(url: str) -> bool:
    """Whether a server serves there."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False
