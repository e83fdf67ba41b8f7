"""The example with the server of Prefect and a person who answers, killed once."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from people import LIMIT_S, Person, asked_by, example


@pytest.fixture
def prefect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server of Prefect, to which this environment leads."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{port}/api")
    monkeypatch.setenv("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    command = [sys.executable, "-m", "prefect", "server", "start", "--port", str(port)]
    with (tmp_path / "prefect.log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        for _ in range(LIMIT_S * 5):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=1).close()
                break
            threading.Event().wait(0.2)
        yield
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


@pytest.mark.usefixtures("prefect")
def test_a_flow_run_that_is_carried_out_again_meets_its_questions(person: Person, tmp_path: Path) -> None:
    made = subprocess.run(example(__file__, cwd=tmp_path).command, cwd=tmp_path, capture_output=True, text=True)
    flow_run_id = made.stdout.strip()
    said = example(__file__, flow_run_id, cwd=tmp_path).run_and_kill_once(
        person,
        [lambda event: person.answer(event, value="3"), lambda event: person.answer(event, value="true")],
    )
    assert "3 servers are added" in said


@pytest.mark.usefixtures("prefect")
def test_a_question_that_is_declined_fails_the_flow_run(person: Person, tmp_path: Path) -> None:
    made = subprocess.run(example(__file__, cwd=tmp_path).command, cwd=tmp_path, capture_output=True, text=True)
    running = example(__file__, made.stdout.strip(), cwd=tmp_path).start()
    person.client.decline(asked_by(person, running).id, "not my task")
    said, _ = running.communicate(timeout=LIMIT_S)
    assert running.returncode != 0
    assert "not my task" in said
