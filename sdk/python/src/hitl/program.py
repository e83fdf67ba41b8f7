"""Which file the program is that starts a local server."""

import os
from importlib import metadata
from pathlib import Path

# What programs may end in where the system goes by the ends of names.
_ENDINGS = ("", ".exe") if os.name == "nt" else ("",)


# Directories that programs of packages are installed into.
_SCRIPTS = ("bin", "Scripts")

# What the program is called where nobody has named another.
NAME = "hitl"

# Wheels of it have the program for their platform inside.
_DISTRIBUTION = "hitl-sdk"


def packaged_program() -> str | None:
    """The program that was installed with this package, if one was."""
    try:
        files = metadata.files(_DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return None
    programs = [
        Path(str(file.locate()))
        for file in files
        if file.stem == NAME and file.parent.name in _SCRIPTS
    ]
    for program in programs:
        path = program.resolve()
        if path.is_file() and os.access(path, os.X_OK):
            return str(path)
    return None


def find_program(binary: str) -> str:
    """The absolute path of the program.

    Unless another one is named, it is the one that came along. A bare name is looked up in the
    absolute directories of `PATH` alone: whoever can write to where a program happens to run must
    not choose what it starts. A path is meant as one.
    """
    if os.path.dirname(binary):
        return os.path.abspath(binary)
    if binary == NAME and (packaged := packaged_program()):
        return packaged
    for directory in os.get_exec_path():
        for ending in _ENDINGS:
            path = Path(directory, binary + ending)
            if path.is_absolute() and path.is_file() and os.access(path, os.X_OK):
                return str(path)
    raise FileNotFoundError("it is in no absolute directory of PATH")
