"""The Debian package: installed, upgraded, removed and purged by dpkg, below a root of its own."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from conftest import is_ready, one, until

SCORE_MAX = 2.0
"""What systemd may hold against the unit, of 10."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with what the package's scripts call, and dpkg's own files."""
    root = tmp_path / "root"
    for directory in ("var/lib/dpkg/info", "var/lib/dpkg/updates", "bin", "usr/bin", "dev", "tmp", "lib64"):
        (root / directory).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    (root / "var/lib/dpkg/available").touch()
    for program in ("sh", "od", "tr", "rm"):
        found = shutil.which(program)
        assert found
        shutil.copy(found, root / "bin" / program)
        for word in subprocess.run(["ldd", found], capture_output=True, text=True).stdout.split():
            if word.startswith("/"):
                (root / word[1:]).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(word, root / word[1:])
    (root / "dev/urandom").write_bytes(os.urandom(64))
    return root


def dpkg(root: Path, *arguments: object) -> None:
    """Runs dpkg on that root."""
    # What it depends on is of the machine, and not of this root.
    command = ["dpkg", f"--root={root}", "--force-depends", "--force-not-root", "--force-confold", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "DPKG_FRONTEND_LOCKED": ""})


def serve(root: Path, port: int) -> "subprocess.Popen[bytes]":
    """Runs what the unit says, with the directories that systemd would make."""
    unit = (root / "lib/systemd/system/hitl.service").read_text()
    (line,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    state = root / "var/lib/private/hitl"
    state.mkdir(parents=True, exist_ok=True)
    credentials = root.parent / "credentials"
    credentials.mkdir(exist_ok=True)
    shutil.copy(root / "etc/hitl/admin.token", credentials)
    words = line.replace("%d", str(credentials)).replace("/usr/bin/hitl", str(root / "usr/bin/hitl")).split()
    env = {"PATH": "/usr/bin:/bin", "HITL_DATA_DIR": str(state), "HITL_LISTEN": f"127.0.0.1:{port}"}
    server = subprocess.Popen(words, env=env)
    until(lambda: is_ready(f"http://127.0.0.1:{port}") or server.poll() is not None)
    assert server.poll() is None, "it serves"
    return server


def end(server: "subprocess.Popen[bytes]") -> None:
    """Ends it as systemd does."""
    server.send_signal(signal.SIGTERM)
    assert server.wait(30) == 0


def test_it_installs_serves_upgrades_keeps_its_data_and_is_removed_cleanly(
    made: Path, tmp_path: Path, root: Path, free_port: int
) -> None:
    package = one(made, "*.deb")
    dpkg(root, "--install", package)
    token = root / "etc/hitl/admin.token"
    assert token.stat().st_mode & 0o777 == 0o600
    secret = token.read_text()
    assert re.fullmatch("[0-9a-f]{64}", secret)
    env = {
        "PATH": "/usr/bin:/bin",
        "HITL_ENDPOINT": f"http://127.0.0.1:{free_port}",
        "HITL_TOKEN": secret,
        "HOME": str(tmp_path),
    }
    hitl = root / "usr/bin/hitl"

    def run(*arguments: str) -> str:
        return subprocess.run([hitl, *arguments], env=env, check=True, capture_output=True, text=True).stdout

    server = serve(root, free_port)
    asking = subprocess.Popen([hitl, "ask", "Kept?", "--type", "bool", "--idempotency-key", "kept"], env=env)
    until(lambda: "Kept?" in run("list"))
    asking.kill()
    end(server)

    (root / "etc/hitl/hitl.env").write_text("# an admin's own\n")
    dpkg(root, "--install", newer(package, tmp_path))
    assert token.read_text() == secret, "an upgrade keeps the token"
    assert (root / "etc/hitl/hitl.env").read_text() == "# an admin's own\n", "and the settings"
    server = serve(root, free_port)
    assert "Kept?" in run("list"), "and the events"
    end(server)

    dpkg(root, "--remove", "hitl")
    assert not hitl.exists()
    assert (root / "var/lib/private/hitl").exists(), "the events outlive the program"
    dpkg(root, "--purge", "hitl")
    left = [path for path in root.rglob("*hitl*") if "dpkg" not in str(path)]
    assert left == []


def test_the_unit_is_right_and_hardened(made: Path, tmp_path: Path) -> None:
    files = tmp_path / "files"
    subprocess.run(["dpkg-deb", "--extract", one(made, "*.deb"), files], check=True)
    unit = files / "lib/systemd/system/hitl.service"
    unit.write_text(unit.read_text().replace("/usr/bin/hitl ", f"{files}/usr/bin/hitl "))
    verify = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)
    said = [line for line in verify.stderr.splitlines() if "hitl.service" in line]
    assert verify.returncode == 0, said
    assert said == []
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", unit]
    security = subprocess.run(command, capture_output=True, text=True).stdout
    (score,) = re.findall(r"Overall exposure level for \S+: ([0-9.]+)", security)
    assert float(score) <= SCORE_MAX, security


def newer(package: Path, tmp_path: Path) -> Path:
    """The same package of a version after it."""
    files = tmp_path / "newer"
    subprocess.run(["dpkg-deb", "--raw-extract", package, files], check=True)
    control = files / "DEBIAN/control"
    control.write_text(re.sub(r"^Version: (.*)$", r"Version: \1.1", control.read_text(), flags=re.MULTILINE))
    path = tmp_path / "newer.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Znone", "--build", files, path], check=True, capture_output=True
    )
    return path
