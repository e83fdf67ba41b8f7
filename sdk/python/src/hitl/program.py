"""Which file the program is that starts a local server."""

import os
from pathlib import Path

# What programs may end in where the system goes by the ends of names.
_ENDINGS = ("", ".exe") if os.name == "nt" else ("",)


def find_program(binary: str) -> str:
    """The absolute path of the program.

    A bare name is looked up in the absolute directories of `PATH` alone: whoever can write to where
    a program happens to run must not choose what it starts. A path is meant as one.
    """
    if os.path.dirname(binary):
        return os.path.abspath(binary)
    for directory in os.get_exec_path():
        for ending in _ENDINGS:
            path = Path(directory, binary + ending)
            if path.is_absolute() and path.is_file() and os.access(path, os.X_OK):
                return str(path)
    raise FileNotFoundError("it is in no absolute directory of PATH")
