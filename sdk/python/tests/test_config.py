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


@pytest.mark.parametrize("home", ["", ".", "users/ada"])
def test_no_data_is_kept_in_the_working_directory_by_accident(home: str) -> None:
    launcher = Config().resolve({"HOME": home, "XDG_DATA_HOME": home}).launcher
    assert launcher and launcher.data_dir is None


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (Config(namespace="\udcff"), r"the namespace is '\\udcff'"),
        (Config(run_id="\udcff"), r"the run id is '\\udcff'"),
        (Config(retry_for=-1), "retry_for is -1"),
        (Config(retry_for=float("nan")), "retry_for is nan"),
        (Config(endpoint=80), "the endpoint is 80"),  # type: ignore[arg-type]
    ],
)
def test_a_setting_that_can_never_work_is_refused_when_the_client_is_made(
    config: Config, told: str
) -> None:
    with pytest.raises(hitl.Invalid, match=told):
        hitl.Client(config)


@pytest.mark.parametrize("port", ["x", "0", "65536", "+80", "8_0", "\uff18\uff10", " 80"])
def test_an_unusable_port_says_what_to_do(port: str) -> None:
    with pytest.raises(hitl.Invalid, match="HITL_PORT"):
        Config().resolve({"HITL_PORT": port})
