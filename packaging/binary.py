"""What the packages have to know of the binary that goes into them."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent

# Names of one processor in ELF, npm, Debian and OCI.
_MACHINES = {62: ("x86_64", "x64", "amd64"), 183: ("aarch64", "arm64", "arm64")}


@dataclass(frozen=True)
class Binary:
    """A stripped binary for Linux with glibc."""

    path: Path
    version: str
    machine: str
    """As Python and the kernel call it: x86_64."""
    npm_cpu: str
    debian: str
    """As Debian and OCI call it: amd64."""
    glibc: tuple[int, int]
    """The oldest version of glibc that it runs with."""

    def run(self, *arguments: str, **options: str) -> str:
        """What it prints."""
        env = {**os.environ, **options}
        return subprocess.run([self.path, *arguments], env=env, check=True, capture_output=True, text=True).stdout


def stripped(source: Path, into: Path) -> Binary:
    """A copy without symbols, with what its own bytes say about where it runs."""
    into.mkdir(parents=True, exist_ok=True)
    path = into / "hitl"
    shutil.copy(source, path)
    subprocess.run(["strip", path], check=True)
    path.chmod(0o755)
    content = path.read_bytes()
    if content[:5] != b"\x7fELF\x02":
        raise SystemExit(f"{source} is no 64-bit program for Linux: packages of others are made on their own machines")
    machine, npm_cpu, debian = _MACHINES[int.from_bytes(content[18:20], "little")]
    needed = {(int(major), int(minor)) for major, minor in re.findall(rb"GLIBC_(\d+)\.(\d+)", content)}
    version = subprocess.run([path, "--version"], check=True, capture_output=True, text=True).stdout.split()[1]
    return Binary(path, version, machine, npm_cpu, debian, max(needed))
