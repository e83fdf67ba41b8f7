"""The action as a runner runs it, with a person who answers, killed once."""

import os
import subprocess
from pathlib import Path

import hitl
import pytest

from people import LIMIT_S, Person, Program, asked_by
from runner import outputs, step


@pytest.fixture
def where() -> dict[str, str]:
    """The server and a token for it."""
    client = hitl.Client()
    client.list()
    token = subprocess.run([os.environ["HITL_BIN"], "token", "local"], capture_output=True, text=True, check=True)
    return {"endpoint": client.endpoint, "token": token.stdout.strip(), "program": os.environ["HITL_BIN"]}


def test_a_job_that_is_run_again_meets_its_question(person: Person, tmp_path: Path, where: dict[str, str]) -> None:
    options = "eu=Europe\nus=The United States"
    asked = step({"prompt": "Where?", "type": "choice", "options": options, **where}, tmp_path)
    said = asked.run_and_kill_once(person, [lambda event: person.answer(event, value="us")])
    assert outputs(tmp_path) == {"answer": "us", "outcome": "answered"}
    assert "http" not in said, "whoever reads the log cannot answer"


@pytest.mark.parametrize(("answer", "succeeds"), [("true", True), ("false", False)])
def test_the_step_fails_unless_the_answer_is_the_one_that_it_needs(
    person: Person, tmp_path: Path, where: dict[str, str], answer: str, succeeds: bool
) -> None:
    asked = step({"prompt": "Deploy `$(touch pwned)`; touch pwned?", "required-answer": "true", **where}, tmp_path)
    code = answered(asked, person, answer)
    assert (code == 0) == succeeds
    assert outputs(tmp_path) == {"answer": answer, "outcome": "answered"}
    assert not (tmp_path / "pwned").exists(), "a prompt is text"


def test_a_question_that_is_declined_fails_the_step(person: Person, tmp_path: Path, where: dict[str, str]) -> None:
    asked = step({"prompt": "Deploy?", **where}, tmp_path)
    running = asked.start()
    person.client.decline(asked_by(person, running).id)
    running.communicate(timeout=LIMIT_S)
    assert running.returncode == 3
    assert outputs(tmp_path)["outcome"] == "declined"


def answered(asked: Program, person: Person, value: str) -> int:
    """The exit status of a step whose question was answered with this."""
    running = asked.start()
    person.answer(asked_by(person, running), value=value)
    running.communicate(timeout=LIMIT_S)
    return running.returncode
