import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from scripted import HEADERS, Refusal, serving

import hitl
from hitl import Config, v1
from hitl.connection import Connection

UNKNOWN = Refusal(grpc.StatusCode.UNAUTHENTICATED, "ERROR_REASON_UNAUTHENTICATED")
ANSWERED = v1.WaitEventsResponse(event=v1.Event(id="e", state=v1.EVENT_STATE_ANSWERED))


def test_a_token_comes_with_every_call_and_stream() -> None:
    change = v1.WatchEventsResponse()
    change.change.event.id = "e"
    with serving([], [ANSWERED], [change, HEADERS], token=" hitl_a\n") as (client, script):
        client.get("e")
        client.wait_event("e")
        next(iter(client.watch()))
        assert script.credentials == ["Bearer hitl_a"] * 3


def test_a_function_is_asked_for_each_call() -> None:
    tokens = iter(["hitl_a", "hitl_b", ""])
    with serving(token=lambda: next(tokens)) as (client, script):
        for _ in range(3):
            client.get("e")
        assert script.credentials == ["Bearer hitl_a", "Bearer hitl_b", ""]


def test_a_function_that_fails_is_asked_again() -> None:
    answers: Iterator[str | Exception] = iter([OSError("no network"), "hitl_a"])

    def token() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with serving(token=token) as (client, script):
        client.get("e")
        assert script.credentials == ["Bearer hitl_a"]
    with serving(token=lambda: str(1 // 0), retry_for=0) as (client, _):
        with pytest.raises(hitl.Unavailable, match="the token cannot be had") as caught:
            client.get("e")
        assert caught.value.retryable


def test_a_function_is_asked_for_another_token_when_one_is_refused() -> None:
    tokens = iter(["old", "new", "spent", "spent"])
    steps: list[Any] = [[UNKNOWN], [], [UNKNOWN], [UNKNOWN]]
    with serving(*steps, token=lambda: next(tokens)) as (client, script):
        client.get("e")
        assert script.credentials == ["Bearer old", "Bearer new"]
        with pytest.raises(hitl.Unauthenticated):
            client.get("e")
        assert script.credentials[2:] == ["Bearer spent", "Bearer spent"]
    with serving([UNKNOWN], token="fixed") as (client, script):
        with pytest.raises(hitl.Unauthenticated):
            client.get("e")
        assert script.calls == 1


def test_the_environment_has_the_token_of_its_server_and_not_of_the_local_one() -> None:
    env = {"HITL_ENDPOINT": "127.0.0.1:1", "HITL_TOKEN": "hitl_env"}
    assert Config().resolve(env).token == "hitl_env"
    assert Config(token="hitl_code").resolve(env).token == "hitl_code"
    assert Config().resolve({"HITL_TOKEN": "hitl_env"}).token == ""


@pytest.mark.parametrize("token", ["hitl_secret\u202e", "hitl_ secret", "secret" * 1000])
def test_what_no_header_can_have_is_refused_and_not_told(token: str) -> None:
    with pytest.raises(hitl.Invalid, match="the token has characters") as caught:
        hitl.Client(Config("127.0.0.1:1", token=token))
    assert "secret" not in str(caught.value)
    client = hitl.Client(Config("127.0.0.1:1", token=lambda: token))
    with pytest.raises(hitl.Invalid, match="the token has characters"):
        client.get("e")


def test_a_token_goes_to_no_other_machine_in_the_clear() -> None:
    for endpoint in ("http://hitl.example.org", "10.0.0.1:4485", "http://[2001:db8::1]:4485"):
        for token in ("hitl_a", lambda: "hitl_a"):
            with pytest.raises(hitl.Invalid, match="HITL_INSECURE_TRANSPORT"):
                hitl.Client(Config(endpoint, token=token))
        Config(endpoint, token="hitl_a", insecure=True).resolve({})
        Config(endpoint, token="hitl_a").resolve({"HITL_INSECURE_TRANSPORT": "1"})
    for endpoint in ("localhost", "127.3.2.1:1", "[::1]:1", "https://hitl.example.org"):
        Config(endpoint, token="hitl_a").resolve({})


def test_nothing_that_is_printed_shows_a_token_or_a_key() -> None:
    config = Config("https://h", token="hitl_secret", cert=b"cert", key=b"secret")
    settings = config.resolve({})
    shown: list[Any] = [config, settings, hitl.Client(config), Connection(settings), settings.tls]
    assert "secret" not in repr(shown)


def script(tmp_path: Path, text: str) -> Path:
    binary = tmp_path / "hitl"
    binary.write_text(f"#!/bin/sh\n{text}\n")
    binary.chmod(0o755)
    return binary


def test_the_local_server_says_itself_what_it_takes(tmp_path: Path) -> None:
    with serving() as (client, served):
        said = json.dumps({"endpoint": client.endpoint, "token": "hitl_local"})
        binary = script(tmp_path, f"echo '{said}'")
        hitl.Client(Config(binary=binary)).get("e")
        hitl.Client(Config(binary=binary, token="hitl_mine")).get("e")
        assert served.credentials == ["Bearer hitl_local", "Bearer hitl_mine"]


def test_a_local_server_that_was_started_anew_is_asked_what_it_takes_now(tmp_path: Path) -> None:
    steps: list[Any] = [[], [UNKNOWN], [], [UNKNOWN], [ANSWERED], [UNKNOWN], [UNKNOWN]]
    with serving(*steps) as (client, served):
        now = tmp_path / "now"
        local = hitl.Client(Config(binary=script(tmp_path, f"cat {now}")))
        for token, call in (("a", local.get), ("b", local.get), ("c", local.wait_event)):
            now.write_text(json.dumps({"endpoint": client.endpoint, "token": token}))
            call("e")
            assert served.credentials[-1] == f"Bearer {token}"
        with pytest.raises(hitl.Unauthenticated):
            local.get("e")


def test_what_up_says_is_in_no_error(tmp_path: Path) -> None:
    said = '{"endpoint":"nonsense ://","token":"hitl_secret"}'
    client = hitl.Client(Config(binary=script(tmp_path, f"echo '{said}'")))
    with pytest.raises(hitl.Unavailable, match="`hitl up` failed") as caught:
        client.get("e")
    assert caught.value.__cause__ is None
    assert "secret" not in str(caught.value)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates of `localhost` and of a client, by an authority of their own."""
    folder = tmp_path_factory.mktemp("pki")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca")
    (folder / "names").write_text("subjectAltName=DNS:localhost")
    for name in ("server", "client"):
        openssl("req", *new, "-keyout", f"{name}.key", "-out", "csr", "-subj", f"/CN={name}")
        by = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names")
        openssl("x509", "-req", "-in", "csr", *by, "-out", f"{name}.pem")
    return folder


def test_a_server_is_known_by_its_certificate_and_knows_the_client(
    pki: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca, key, cert = (pki.joinpath(n).read_bytes() for n in ("ca.pem", "server.key", "server.pem"))
    credentials = grpc.ssl_server_credentials([(key, cert)], ca, require_client_auth=True)
    mine: dict[str, Any] = {"cert": pki / "client.pem", "key": (pki / "client.key").read_bytes()}
    with serving(credentials=credentials, ca=ca, **mine, token="hitl_a") as (client, served):
        assert client.get("e").id == "e"
        assert served.credentials == ["Bearer hitl_a"]
        for name, file in (("CA", "ca.pem"), ("CERT", "client.pem"), ("KEY", "client.key")):
            monkeypatch.setenv(f"HITL_{name}", str(pki / file))
        assert hitl.Client(Config(client.endpoint)).get("e").id == "e"
        monkeypatch.delenv("HITL_CA")
        # Nobody is asked again whom the program does not trust.
        with pytest.raises(hitl.Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
            hitl.Client(Config(client.endpoint)).get("e")


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (Config("https://h", ca="/no/such/file"), "ca: the file '/no/such/file' cannot be read"),
        (Config("https://h", cert=b"c"), "both cert and key"),
        (Config("http://h", ca=b"c"), "ca: give an https endpoint"),
        (Config(ca=b"c"), "ca: give an https endpoint, for the local server has no TLS"),
    ],
)
def test_certificates_that_can_never_work_are_refused_when_the_client_is_made(
    config: Config, told: str
) -> None:
    with pytest.raises(hitl.Invalid, match=told):
        hitl.Client(config)
