from datetime import timedelta
from pathlib import Path

import pytest

import hitl
from hitl import Config


def test_code_wins_over_environment_over_default() -> None:
    env = {"HITL_ENDPOINT": "http://env:1", "HITL_NAMESPACE": "env", "HITL_RUN_ID": "env-run"}
    config = Config(endpoint="code:2/", run_id="code-run", retry_for=timedelta(seconds=2))
    settings = config.resolve(env)
    assert (settings.endpoint, settings.run_id) == ("http://code:2", "code-run")
    assert (settings.namespace, settings.launcher) == ("env", None)
    assert settings.retry_for_s == 2

    empty = Config(endpoint="", namespace="", run_id="", binary="")
    assert empty.resolve(env).endpoint == "http://env:1"
    settings = empty.resolve(dict.fromkeys([*env, "HITL_PORT", "HITL_BIN"], ""))
    assert settings.endpoint == "http://127.0.0.1:4485"
    assert (settings.namespace, settings.run_id, settings.retry_for_s) == ("default", "", 30)
    assert settings.launcher


def test_the_local_server_follows_its_variables() -> None:
    env = {"HITL_PORT": "7001", "HITL_BIN": "/opt/hitl", "HOME": "/users/ada"}
    launcher = Config().resolve(env).launcher
    assert launcher
    assert (launcher.port, launcher.binary) == (7001, "/opt/hitl")
    assert launcher.data_dir == Path("/users/ada/.local/share/hitl")
    for shared, directory in [("/data", "/data/hitl"), ("data", "/users/ada/.local/share/hitl")]:
        launcher = Config().resolve({**env, "XDG_DATA_HOME": shared}).launcher
        assert launcher and launcher.data_dir == Path(directory)


@pytest.mark.parametrize("endpoint", ["https://host", "http://", "a b", "http://host:x"])
def test_an_unusable_endpoint_says_what_to_do(endpoint: str) -> None:
    with pytest.raises(hitl.Invalid, match="http://HOST:PORT"):
        Config(endpoint=endpoint).resolve({})


@pytest.mark.parametrize("port", ["x", "0", "65536"])
def test_an_unusable_port_says_what_to_do(port: str) -> None:
    with pytest.raises(hitl.Invalid, match="HITL_PORT"):
        Config().resolve({"HITL_PORT": port})
