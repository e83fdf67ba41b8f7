import asyncio
import os
from importlib import metadata
from pathlib import Path

import pytest

import hitl
from hitl.local import Local
from hitl.program import find_program


def plant(directory: Path, script: str = "exit 1") -> str:
    directory.mkdir(parents=True, exist_ok=True)
    program = directory / "hitl"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize("path", ["", ":", ".", "bin", "./bin", "..", "/nowhere:", "bin::."])
def test_a_bare_name_is_never_found_in_the_working_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: str
) -> None:
    installed = plant(tmp_path / "installed")
    for directory in ("work", "work/bin", ""):
        plant(tmp_path / directory)
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("PATH", path)
    with pytest.raises(FileNotFoundError):
        find_program("hitl")
    monkeypatch.setenv("PATH", f"{path}:{tmp_path / 'installed'}")
    assert find_program("hitl") == installed
    # What is given as a path is meant as one.
    assert find_program("./hitl") == str(tmp_path / "work/hitl")


def test_a_planted_program_is_not_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plant(tmp_path, f"touch {tmp_path}/ran")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{os.pathsep}.")
    for name in ("hitl", "hi\u202etl"):
        with pytest.raises(hitl.Unavailable, match="install hitl, or set HITL_BIN") as caught:
            asyncio.run(Local(name).up())
        assert "\u202e" not in str(caught.value)
    assert not (tmp_path / "ran").exists()


def test_the_program_that_came_along_is_taken_unless_another_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class InPackage(metadata.PackagePath):
        def locate(self) -> Path:
            return tmp_path / self

    elsewhere = plant(tmp_path / "elsewhere")
    came_along = plant(tmp_path / "env/bin")
    listed = [InPackage("hitl/__init__.py"), InPackage("env/lib/../bin/hitl")]
    (tmp_path / "env/lib").mkdir()
    monkeypatch.setattr(metadata, "files", lambda _: listed)
    monkeypatch.setenv("PATH", str(tmp_path / "elsewhere"))
    assert find_program("hitl") == str(Path(came_along).resolve())
    assert find_program(elsewhere) == elsewhere
    Path(came_along).unlink()
    assert find_program("hitl") == elsewhere
