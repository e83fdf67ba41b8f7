"""The example with a database and tasks of Airflow itself, and a person who answers; killed once."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

import hitl
import pytest
from hitl_airflow import HitlTrigger

from people import Person, Program, asked_by, example


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """The example, with a database that is made."""
    program = example(__file__, "2026-11-29T00:00:00+00:00", cwd=tmp_path)
    # Airflow looks through the whole directory that a DAG is in.
    dags = tmp_path / "dags"
    dags.mkdir()
    program.command[1] = shutil.copy(program.command[1], dags)
    program.env = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
    }
    subprocess.run([program.command[0], "-m", "airflow", "db", "migrate"], env=program.env, check=True)
    return program


@pytest.mark.parametrize(("answer", "expected"), [("true", "published"), ("false", "kept back")])
def test_a_run_that_is_repeated_meets_its_question_and_goes_on_with_the_answer(
    person: Person, program: Program, answer: str, expected: str
) -> None:
    said = program.run_and_kill_once(person, [lambda event: person.answer(event, value=answer)])
    assert f"the report is {expected}" in said
    assert "the run is success" in said


def test_a_question_that_is_declined_fails_the_task(person: Person, program: Program) -> None:
    running = program.start()
    event = asked_by(person, running)
    assert event.prompt == "Publish the report of 2026-11-29?", "templates are filled in"
    person.client.decline(event.id, "not my task")
    said, _ = running.communicate(timeout=120)
    assert "not my task" in said
    assert "the run is failed" in said
    assert len(list(person.client.events())) == 1, "no other try asks again"


def test_the_trigger_is_made_again_of_what_is_kept_of_it_and_fires_when_the_event_ends(person: Person) -> None:
    event = hitl.new_event("approve", bool)
    path, kept = HitlTrigger(event.id).serialize()
    assert path == "hitl_airflow.HitlTrigger"

    async def fired() -> object:
        waiting = asyncio.create_task(anext(aiter(HitlTrigger(**kept).run())))
        await asyncio.sleep(0)
        await asyncio.to_thread(lambda: person.answer(person.client.get(event.id), value="true"))
        return (await asyncio.wait_for(waiting, 60)).payload

    assert asyncio.run(fired()) == {"event_id": event.id}
