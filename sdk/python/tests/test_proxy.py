import json
import pickle
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

import hitl
from hitl.proxy import read_proxy

LISTED = json.loads((Path(__file__).parents[2] / "endpoints.json").read_text("utf-8"))
SECRET = "http://ada:secret@proxy:3128"


@pytest.mark.parametrize("case", LISTED["proxies"], ids=lambda case: ascii(case["given"]))
def test_every_proxy_is_taken_as_in_every_other_language(case: dict[str, str]) -> None:
    if used := case.get("used"):
        proxy = read_proxy(case["given"], {})
        assert proxy and (proxy.endpoint, proxy.authorization) == (used, case.get("says", ""))
        return
    with pytest.raises(hitl.Invalid, match=r"^proxy .*%40") as refused:
        hitl.Client(hitl.Config("h", proxy=case["given"]))
    assert "secret" not in str(refused.value) and "3128" not in str(refused.value)


def test_no_password_of_a_proxy_is_printed_or_pickled() -> None:
    config = hitl.Config("h", proxy=SECRET)
    client = hitl.Client(config)
    told = f"{config!r} {client!r} {client.settings!r}"
    assert "secret" not in told and "http://proxy:3128" in told
    kept = client.settings.portable()
    assert b"Basic" not in pickle.dumps(kept) and kept.proxy
    # It is gone through all the same, as whom the environment says.
    assert kept.complete({}).proxy == kept.proxy
    assert kept.complete({"HITL_PROXY": SECRET}).proxy == client.settings.proxy
    assert kept.complete({"HITL_PROXY": "http://ada:secret@other:1"}).proxy == kept.proxy


def test_a_proxy_of_the_environment_is_not_for_servers_of_this_machine() -> None:
    code = read_proxy("http://proxy:1", {"HITL_PROXY": "http://other:1"})
    environment = read_proxy("", {"HITL_PROXY": "http://proxy:1"})
    assert code and environment and environment == replace(code, spares_loopback=True)
    here, away = "http://localhost:2", "https://hitl.example.org:443"
    assert [code.is_for(here), code.is_for(away)] == [True, True]
    assert [environment.is_for(here), environment.is_for(away)] == [False, True]
    assert read_proxy(None, {"HITL_PROXY": ""}) is None


def test_a_loss_behind_the_proxy_names_both() -> None:
    proxy = read_proxy("http://proxy:1", {})
    assert proxy
    lost = grpc.aio.AioRpcError(
        grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), "Socket\nclosed"
    )
    error = proxy.explain(lost, "http://h:2")
    assert error.retryable and not error.is_hopeless
    assert "http://h:2 through the proxy at http://proxy:1: Socket\\nclosed" in error.message
