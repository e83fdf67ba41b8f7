"""The example with the real server of Temporal and a person who answers, its worker killed once."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from people import LIMIT_S, Person, asked_by, example


@pytest.fixture
def temporal(tmp_path: Path) -> Iterator[str]:
    """The address of a server of Temporal."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [os.environ["HITL_TEST_TEMPORAL"], "server", "start-dev", "--headless", "--port", str(port)]
    with (tmp_path / "temporal.log").open("w") as log:
        server = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log, start_new_session=True)
    try:
        for _ in range(LIMIT_S * 10):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            threading.Event().wait(0.1)
        yield f"127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def test_a_workflow_goes_on_with_the_answers_whatever_becomes_of_its_worker(
    person: Person, tmp_path: Path, temporal: str
) -> None:
    worker = example(__file__, temporal, "worker", cwd=tmp_path)
    starter = example(__file__, temporal, "start", "release-2", cwd=tmp_path)
    working, started = worker.start(), starter.start()
    try:
        first = asked_by(person, working)
        worker.kill(working)
        person.answer(first, value="3")
        # Temporal misses the heartbeats of the first worker, and gives the activity to this one.
        working = worker.start()
        second = asked_by(person, working)
        assert second.prompt == "Ship v2 to 3 replicas?"
        person.answer(second, value="true")
        said, _ = started.communicate(timeout=LIMIT_S)
    finally:
        worker.kill(working)
        starter.kill(started)
    assert said.startswith("v2 is on 3 replicas\n")
    assert len(list(person.client.events())) == 2


def test_a_question_that_is_declined_fails_the_activity_and_no_other_try_asks_again(
    person: Person, tmp_path: Path, temporal: str
) -> None:
    worker = example(__file__, temporal, "worker", cwd=tmp_path)
    starter = example(__file__, temporal, "start", "release-3", cwd=tmp_path)
    working, started = worker.start(), starter.start()
    try:
        person.client.decline(asked_by(person, working).id, "not my task")
        said, _ = started.communicate(timeout=LIMIT_S)
    finally:
        worker.kill(working)
        starter.kill(started)
    assert started.returncode != 0
    assert "not my task" in said
    assert len(list(person.client.events())) == 1
