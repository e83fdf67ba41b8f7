import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Servers, free_port

import hitl

Script = Callable[[str], hitl.Client]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Makes a client whose `hitl` is a script."""

    def make(script: str) -> hitl.Client:
        binary = tmp_path / "hitl"
        binary.write_text(f"#!/bin/sh\n{script}\n")
        binary.chmod(0o755)
        return hitl.Client(hitl.Config(binary=binary))

    return make


def test_a_missing_program_says_what_to_install_or_set(tmp_path: Path) -> None:
    client = hitl.Client(hitl.Config(binary=tmp_path / "absent"))
    with pytest.raises(hitl.Unavailable, match="install hitl, or set HITL_BIN") as caught:
        client.get("e")
    assert not caught.value.retryable


@pytest.mark.parametrize("before", ["exit 1", "echo '{}'", "echo '[]'", "echo no JSON"])
def test_what_up_says_when_it_fails_is_the_error(script: Script, before: str) -> None:
    client = script(f'echo "hitl: told $@" >&2; echo disk full >&2; {before}')
    with pytest.raises(hitl.Unavailable, match=r":\ntold up\ndisk full$") as caught:
        client.get("e")
    assert not caught.value.retryable


def test_a_server_that_came_back_on_another_port_is_found_even_if_calls_are_not_repeated(
    local: int, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = hitl.Client(hitl.Config(retry_for=0))
    assert client.endpoint == ""
    client.list()
    assert client.endpoint == f"http://127.0.0.1:{local}"
    servers.kill()
    # The connection notices.
    limit = time.monotonic() + 5
    while client.connection._channel and client.connection._channel.get_state().name == "READY":
        assert time.monotonic() < limit
        threading.Event().wait(0.01)
    port = free_port()
    variables = {"HITL_PORT": str(port), "HITL_DATA_DIR": str(servers.directory)}
    object.__setattr__(client.connection.settings.local, "environment", tuple(variables.items()))
    client.list()
    assert client.endpoint == f"http://127.0.0.1:{port}"
    state = json.loads((servers.directory / "server.json").read_text())
    assert state["endpoint"] == client.endpoint
