import asyncio
import os
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import free_port, stop

import hitl
from hitl import serve
from hitl.serve import Launcher

Launch = Callable[[str], Launcher]


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    """Makes a launcher whose `hitl` is a script."""

    def make(script: str) -> Launcher:
        binary = tmp_path / "hitl"
        binary.write_text(f"#!/bin/sh\n{script}\n")
        binary.chmod(0o755)
        return Launcher(free_port(), str(binary), tmp_path / "data", start_limit_s=1)

    return make


def test_a_missing_program_says_what_to_install_or_set_through_the_whole_client(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HITL_PORT", str(free_port()))
    monkeypatch.setenv("HITL_DATA_DIR", str(tmp_path))
    client = hitl.Client(hitl.Config(binary=tmp_path / "absent"))
    with pytest.raises(hitl.Unavailable, match="install hitl, or set HITL_BIN") as caught:
        client.get("e")
    assert not caught.value.retryable


def test_a_server_that_cannot_start_shows_the_end_of_its_log(launch: Launch) -> None:
    launcher = launch('echo told "$@"; echo disk full >&2; exit 1')
    with pytest.raises(hitl.Unavailable, match="disk full") as caught:
        asyncio.run(launcher.ensure())
    assert f"told serve --idle-exit 10m --listen {launcher.address}" in str(caught.value)


def test_a_server_that_loses_the_race_is_no_failure(launch: Launch, tmp_path: Path) -> None:
    launcher = launch("touch started; exit 1")

    def win() -> None:
        while not (tmp_path / "data/started").exists():
            threading.Event().wait(0.01)
        with socket.create_server(("127.0.0.1", launcher.port)) as listener:
            probe, _ = listener.accept()
            with probe:
                probe.recv(1000)
                probe.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    winner = threading.Thread(target=win)
    winner.start()
    asyncio.run(launcher.ensure())
    winner.join(5)
    assert not winner.is_alive()


def test_a_log_grown_large_is_put_aside(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    log = tmp_path / "data/serve.log"
    with log.open("wb") as file:
        os.truncate(file.fileno(), (8 << 20) + 1)
    with pytest.raises(hitl.Unavailable):
        asyncio.run(launch("echo new; exit 1").ensure())
    assert log.read_text().startswith("new")
    assert log.with_name("serve.log.1").stat().st_size > 8 << 20


def test_a_server_that_ended_is_started_again(launch: Launch) -> None:
    second = f'exec "{sys.executable}" -m http.server --bind 127.0.0.1 "${{5#*:}}"'
    launcher = launch(f"[ -e ended ] || {{ touch ended; exit 1; }}\n{second}")
    try:
        asyncio.run(replace(launcher, start_limit_s=10).ensure())
    finally:
        stop(serve._started[-1])
