"""What people install by one line asks and gets its answer, with no cargo and nothing of ours in the path."""

import subprocess
import sys
from pathlib import Path

from conftest import ask, clean, one

TOP = Path(__file__).resolve().parents[2]

PYTHON = """
import hitl
event = hitl.new_event("x", int, prompt="What should I add?", timeout_seconds=600)
print(event.api_url, flush=True)
print(1 + event.wait())
"""

JAVASCRIPT = """
import { Client, int } from "hitl-sdk";
const event = await new Client().event("x", "What should I add?", int()).create();
console.log(event.apiUrl);
console.log(`${1n + (await event.wait())}`);
process.exit(0);
"""


def test_the_wheel_brings_the_program_and_five_lines_ask(made: Path, tmp_path: Path, free_port: int) -> None:
    env = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", env], check=True)
    lock = (TOP / "sdk/python/dev-requirements.lock").read_text().splitlines()
    pinned = [line.removesuffix(" \\") for line in lock if "==" in line and not line.startswith(" ")]
    (tmp_path / "constraint.txt").write_text("\n".join(pinned))
    wheel = one(made, "hitl_sdk-*-manylinux_*.whl")
    command = [env / "bin/pip", "install", "--quiet", "--disable-pip-version-check", "--constraint"]
    subprocess.run([*command, tmp_path / "constraint.txt", wheel], check=True)
    (tmp_path / "ask.py").write_text(PYTHON)
    settings = clean(tmp_path, free_port)
    said = ask([str(env / "bin/python"), "ask.py"], settings, tmp_path, [str(env / "bin/hitl"), "stop"])
    assert said == "42\n"
    # What pip has installed it can check and remove, the program too.
    subprocess.run([env / "bin/pip", "uninstall", "--quiet", "--yes", "hitl-sdk"], check=True)
    assert not (env / "bin/hitl").exists()


def test_the_npm_packages_bring_the_program_and_five_lines_ask(made: Path, tmp_path: Path, free_port: int) -> None:
    (tmp_path / "package.json").write_text('{"private": true, "type": "module"}')
    packages = [one(made, "hitl-sdk-linux-*.tgz"), one(made, "hitl-sdk-[0-9]*.tgz")]
    command = ["npm", "install", "--silent", "--ignore-scripts", "--no-audit", "--save-exact", *packages]
    subprocess.run(command, cwd=tmp_path, check=True)
    (tmp_path / "ask.js").write_text(JAVASCRIPT)
    node = subprocess.run(["which", "node"], capture_output=True, text=True, check=True).stdout.strip()
    settings = clean(tmp_path, free_port)
    program = str(tmp_path / "node_modules/.bin/hitl")
    said = ask([node, "ask.js"], settings, tmp_path, [node, program, "stop"])
    assert said == "42\n"
    version = subprocess.run([node, program, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.startswith("hitl ")
    wrong = subprocess.run([node, program, "no-such-command"], capture_output=True)
    assert wrong.returncode == 2, "the launcher hands on the exit status"
