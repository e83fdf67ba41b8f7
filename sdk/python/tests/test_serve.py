import asyncio
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Server, free_port

import hitl
from hitl.serve import Launcher

Launch = Callable[[str], Launcher]

ALIVE = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nalive\n"


@contextmanager
def listening(port: int, reply: bytes) -> Iterator[None]:
    """A program that replies the same to whoever connects."""
    with socket.create_server(("127.0.0.1", port)) as listener:

        def serve() -> None:
            while (client := listener.accept()[0]).recv(1000):
                client.sendall(reply)
                client.close()
            client.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            socket.create_connection(("127.0.0.1", port)).close()
            thread.join(5)


@pytest.fixture
def launch(tmp_path: Path, started: list[Server]) -> Launch:
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

    with ThreadPoolExecutor() as thread:
        ready = thread.submit(asyncio.run, launcher.ensure())
        while not (tmp_path / "data/started").exists():
            threading.Event().wait(0.01)
        with listening(launcher.port, ALIVE):
            ready.result(5)


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
    launcher = launch(
        f'[ -e ended ] || {{ touch ended; exit 1; }}\nexec {os.environ["HITL_BIN"]} "$@"'
    )
    asyncio.run(replace(launcher, start_limit_s=10).ensure())


def test_a_server_that_ends_later_is_started_again_even_if_calls_are_not_repeated(
    local: int, started: list[Server]
) -> None:
    client = hitl.Client(hitl.Config(retry_for=0))
    client.list()
    started[0].kill()
    # Its process is gone, and not only ended.
    limit = time.monotonic() + 5
    while Path(f"/proc/{started[0].pid}").exists():
        assert time.monotonic() < limit
        threading.Event().wait(0.01)
    client.list()
    assert len(started) == 2


@pytest.mark.parametrize(
    "reply",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK",
    ],
)
def test_another_program_on_the_port_is_named_at_once(
    monkeypatch: pytest.MonkeyPatch, reply: bytes
) -> None:
    port = free_port()
    monkeypatch.setenv("HITL_PORT", str(port))
    begun = time.monotonic()
    told = f"something that is not hitl listens on 127.0.0.1:{port}: set HITL_PORT"
    with listening(port, reply), pytest.raises(hitl.Unavailable, match=told) as caught:
        hitl.Client().get("e")
    assert not caught.value.retryable
    assert time.monotonic() - begun < 2


def test_a_server_that_says_nothing_is_given_up(launch: Launch) -> None:
    launcher = launch("exit 1")
    told = f"the server at http://{launcher.address} sent nothing for 1 s"
    with listening(launcher.port, b""), pytest.raises(hitl.Unavailable, match=told) as caught:
        asyncio.run(launcher.ensure())
    assert caught.value.retryable
