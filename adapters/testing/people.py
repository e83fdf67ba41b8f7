"""A local server, programs that are killed, and a person who answers in the form.

What the tests of all adapters share. HITL_BIN names the hitl program.
"""

import contextlib
import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import hitl
import pytest

_OF_TESTS = ("HITL_BIN", "HITL_TEST_")
"""How the variables begin that say what to test with."""

LIMIT_S = 120
"""How long anything may take, on a machine that has much else to do."""


@dataclass
class Person:
    """Somebody who looks at what waits, and answers in the form."""

    client: hitl.Client
    answered: list[str] = field(default_factory=list)
    """The ids of what was answered, in order."""

    def answer(self, event: hitl.v1.Event, comment: str = "", **fields: str) -> None:
        """Fills in the form of a question and sends it."""
        page = urllib.request.urlopen(event.form_url, timeout=LIMIT_S).read().decode()
        hidden = re.findall(r'<input type="?hidden"? name="?([\w-]+)"? value="([^"]*)"', page)
        sent = {"action": "answer", "answer_id": "1", **dict(hidden), "responder": "Ann", "comment": comment, **fields}
        body = urllib.parse.urlencode(sent).encode()
        reply = urllib.request.urlopen(urllib.request.Request(event.form_url, body), timeout=LIMIT_S)
        said = reply.read().decode()
        ended = self.client.get(event.id)
        assert ended.state == hitl.v1.EVENT_STATE_ANSWERED, re.sub(r"<[^>]+>|\s+", " ", said)
        assert ended.response.responder.name == "Ann"
        self.answered.append(event.id)


@dataclass
class Program:
    """An example, which is killed once in the middle and started again."""

    command: list[str]
    cwd: Path
    env: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    def start(self) -> "subprocess.Popen[str]":
        """Starts it in a process group of its own."""
        return subprocess.Popen(
            self.command,
            cwd=self.cwd,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def kill(self, running: "subprocess.Popen[str]") -> None:
        """Kills it and whatever it has started, as a crash of the machine would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.communicate(timeout=LIMIT_S)

    def run_and_kill_once(self, person: Person, answers: "list[Callable[[hitl.v1.Event], None]]") -> str:
        """What it prints in the end, after it was killed while it waited for the first of its questions.

        Each of `answers` is how the person answers the next question. The first is answered while nothing runs, so
        what is started again finds the answer, and must not ask anew.
        """
        running = self.start()
        event = asked_by(person, running)
        self.kill(running)
        answers[0](event)
        running = self.start()
        try:
            for give in answers[1:]:
                give(asked_by(person, running))
            said, _ = running.communicate(timeout=LIMIT_S)
        finally:
            self.kill(running)
        assert running.returncode == 0, said
        asked = list(person.client.events())
        assert len(asked) == len(answers), [(event.name, event.prompt) for event in asked]
        return said


def asked_by(person: Person, running: "subprocess.Popen[str]") -> hitl.v1.Event:
    """What the program asks, which fails at once if it ends instead."""

    def look() -> None:
        if running.poll() is not None:
            pytest.fail(f"it ended with {running.returncode}: {running.communicate()[0]}")

    return asked_now(person, look)


def asked_now(person: Person, look: Callable[[], None] = lambda: None) -> hitl.v1.Event:
    """The next question that waits and is not answered yet."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        for event in person.client.events(state=hitl.v1.EVENT_STATE_PENDING):
            if event.id not in person.answered:
                # A list leaves out what is large.
                return person.client.get(event.id)
        look()
        time.sleep(0.02)
    pytest.fail("nothing is asked")


def example(path: str, *arguments: object, cwd: Path) -> Program:
    """The example beside a test, run by this Python in a directory for its files."""
    words = [str(argument) for argument in arguments]
    return Program([sys.executable, str(Path(path).with_name("example.py")), *words], cwd)


@pytest.fixture(autouse=True)
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A local server of the test's own, which is started by the first call and ends with the test."""
    for name in [name for name in os.environ if name.startswith("HITL_") and not name.startswith(_OF_TESTS)]:
        monkeypatch.delenv(name)
    data = tmp_path / "hitl"
    with socket.create_server(("127.0.0.1", 0)) as free:
        monkeypatch.setenv("HITL_PORT", str(free.getsockname()[1]))
    monkeypatch.setenv("HITL_DATA_DIR", str(data))
    # The server is not of the program that is killed.
    hitl.Client().list()
    yield
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
        os.kill(int((data / "server.lock").read_text()), signal.SIGKILL)
        with (data / "server.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)


@pytest.fixture
def person() -> Iterator[Person]:
    """A person at the local server."""
    client = hitl.Client()
    # Its endpoint is known from now on.
    client.list()
    yield Person(client)
    client.close()
