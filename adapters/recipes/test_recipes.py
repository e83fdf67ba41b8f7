"""Every recipe of docs/recipes.md, killed once, with a person who answers."""

import os
import re
import subprocess
from pathlib import Path

import hitl
import pytest

from people import Person, Program

RECIPES = Path(__file__).parents[2] / "docs/recipes.md"

EXPECTED: dict[str, tuple[dict[str, dict[str, str]], str]] = {
    "A deployment that waits for a yes": ({"": {"value": "true"}}, "deploying 2.4"),
    "A nightly job that asks when it is in doubt": ({"": {"value": "200"}}, "removing 200 files"),
    "One of several": ({"": {"value": "us"}}, "starting in us"),
    "What each ending means": ({"": {"value": "green"}}, "painting it green"),
    "A form with several fields": ({"": {"value.severity": "high", "value.people": "7"}}, "high 7"),
    "Several people at once": (
        {"data": {"value": "true"}, "web": {"value": "false"}},
        "data: true, web: false",
    ),
    "Without the program: JSON over HTTP": ({"": {"value": "true"}}, "EVENT_STATE_ANSWERED: True"),
    "A push that somebody else has to allow": ({"": {"value": "true"}}, "pushing"),
}
"""Of each recipe what a person answers to questions with this in their name, and the last line that it prints."""


def recipes() -> dict[str, str]:
    """The script under each heading."""
    parts = re.split(r"^## (.*)$", RECIPES.read_text(), flags=re.MULTILINE)[1:]
    scripts = [re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL) for text in parts[1::2]]
    return dict(zip(parts[::2], ["\n".join(script) for script in scripts], strict=True))


def test_every_recipe_is_run() -> None:
    assert list(recipes()) == list(EXPECTED)


@pytest.mark.parametrize("heading", EXPECTED)
def test_it_does_what_it_says(person: Person, tmp_path: Path, heading: str) -> None:
    program = os.environ["HITL_BIN"]
    bin = tmp_path / "bin"
    bin.mkdir()
    (bin / "hitl").symlink_to(Path(program).resolve())
    token = subprocess.run([program, "token", "local"], capture_output=True, text=True, check=True).stdout.strip()
    git = ["git", "-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", "Mend it"], cwd=tmp_path, check=True)
    (tmp_path / "recipe.sh").write_text(recipes()[heading])
    path = f"{bin}:{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "HITL_ENDPOINT": person.client.endpoint, "HITL_TOKEN": token}
    answers, expected = EXPECTED[heading]

    def answer(event: hitl.v1.Event) -> None:
        (fields,) = [fields for name, fields in answers.items() if name in event.name]
        person.answer(event, **fields)

    said = Program(["bash", "-eu", "recipe.sh"], tmp_path, env).run_and_kill_once(person, [answer] * len(answers))
    assert said.splitlines()[-1] == expected
