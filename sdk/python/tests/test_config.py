from datetime import timedelta

import pytest

import hitl
from hitl import Config


def test_code_wins_over_environment_over_default() -> None:
    env = {"HITL_ENDPOINT": "http://env:1", "HITL_NAMESPACE": "env", "HITL_RUN_ID": "env-run"}
    config = Config(endpoint="code:2/", run_id="code-run", retry_for=timedelta(seconds=2))
    settings = config.resolve(env)
    assert (settings.endpoint, settings.run_id) == ("http://code:2", "code-run")
    assert (settings.namespace, settings.local) == ("env", None)
    assert settings.retry_for_s == 2

    empty = Config(endpoint="", namespace="", run_id="", binary="")
    assert empty.resolve(env).endpoint == "http://env:1"
    settings = empty.resolve(dict.fromkeys([*env, "HITL_PORT", "HITL_BIN"], ""))
    assert settings.endpoint == ""
    assert (settings.namespace, settings.run_id, settings.retry_for_s) == ("default", "", 30)
    assert settings.local and settings.local.binary == "hitl"


def test_the_local_server_is_that_of_the_environment_in_which_the_client_was_made() -> None:
    env = {"HITL_PORT": "7001", "HITL_BIN": "/opt/hitl", "HOME": "/users/ada"}
    local = Config().resolve(env).local
    assert local
    assert (local.binary, local.environment) == ("/opt/hitl", (("HITL_PORT", "7001"),))


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
