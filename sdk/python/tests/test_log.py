import logging
from collections.abc import Iterator

import grpc
import pytest
from conftest import free_port
from scripted import HEADERS, Refusal, serving

import hitl
from hitl import log

LOST = Refusal(grpc.StatusCode.UNAVAILABLE)


@pytest.fixture(autouse=True)
def _silent() -> Iterator[None]:
    yield
    log.logger.removeHandler(log._shown)
    log.logger.setLevel(logging.NOTSET)


def test_nothing_is_logged_unless_it_is_wanted(capfd: pytest.CaptureFixture[str]) -> None:
    with serving([LOST]) as (client, _):
        client.get("e")
    assert "hitl" not in capfd.readouterr().err


def test_the_logger_tells_of_calls_that_are_repeated(caplog: pytest.LogCaptureFixture) -> None:
    with serving([LOST], token="hitl_secret") as (client, _):
        client.get("e")
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("hitl", "WARNING")
    assert "calls again in 0.0 s (attempt 2): cannot reach the hitl server at" in caplog.text
    assert "secret" not in caplog.text


def test_the_logger_tells_of_waits_that_begin_and_are_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "hitl")
    answered = hitl.v1.WaitEventsResponse()
    answered.event.id, answered.event.state = "e", hitl.v1.EVENT_STATE_ANSWERED
    with serving([HEADERS, LOST], [answered]) as (client, _):
        client.wait_event("e")
    told = [record.getMessage().split(" at ")[0] for record in caplog.records]
    assert told == ["waits for 1 events", "lost the server", "waits for 1 events"]


def test_the_environment_has_it_printed(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HITL_LOG", "warn")
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    with serving([LOST]) as (client, _):
        client.get("e")
    assert "hitl warn: calls again in" in capfd.readouterr().err


def test_nobody_at_the_endpoint_is_told_of_at_once() -> None:
    client = hitl.Client(hitl.Config(f"http://127.0.0.1:{free_port()}"))
    for call in (client.get, client.wait_event):
        with pytest.raises(hitl.Unavailable, match="Check that it runs there") as caught:
            call("e")
        assert caught.value.retryable


def test_who_says_how_long_has_calls_repeated_for_as_long(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = hitl.Client(hitl.Config(f"http://127.0.0.1:{free_port()}", retry_for=0.1))
    with pytest.raises(hitl.Unavailable):
        client.get("e")
    assert "attempt 2" in caplog.text
