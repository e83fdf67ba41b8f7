"""Runs a composite action as a runner of GitHub does: inputs, environment, script, outputs."""

import os
import re
from pathlib import Path
from typing import Any

import yaml

from people import Program

HERE = Path(__file__).parent


def step(inputs: dict[str, str], cwd: Path) -> Program:
    """The one step of the action with these inputs, for a job of run 7."""
    action = yaml.safe_load((HERE / "action.yml").read_text())
    known = {name: str(about.get("default", "")) for name, about in action["inputs"].items()}
    assert inputs.keys() <= known.keys(), "the action has these inputs"
    missing = {name for name, about in action["inputs"].items() if about.get("required")} - inputs.keys()
    assert not missing, f"the action needs {missing}"
    (step,) = action["runs"]["steps"]
    assert step["shell"] == "bash"
    values = {f"inputs.{name}": value for name, value in {**known, **inputs}.items()}
    env = {name: _filled(text, values) for name, text in step["env"].items()}
    runner = {
        "GITHUB_ACTION_PATH": str(HERE),
        "GITHUB_JOB": "deploy",
        "GITHUB_OUTPUT": str(cwd / "output"),
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_RUN_ID": "7",
    }
    script = cwd / "script.sh"
    script.write_text(_filled(step["run"], values))
    (cwd / "output").write_text("")
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)]
    return Program(command, cwd, {**os.environ, **runner, **env})


def outputs(cwd: Path) -> dict[str, str]:
    """What the step handed on."""
    text = (cwd / "output").read_text()
    found = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))
    return found | {name: value for name, _, value in re.findall(r"^(\w+)<<(\S+)\n(.*)\n\2$", text, re.M | re.S)}


def _filled(text: Any, values: dict[str, str]) -> str:
    return re.sub(r"\$\{\{ *([\w.-]+) *\}\}", lambda found: values[found[1]], str(text))
