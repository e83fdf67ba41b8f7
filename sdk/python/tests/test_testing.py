"""The test kit against the real server."""

import os
from collections.abc import Iterator

import pytest

import hitl
from hitl.testing import Human, TestServer


@pytest.fixture
def server() -> Iterator[TestServer]:
    with TestServer() as server:
        yield server


def test_a_person_does_as_a_test_says_and_no_time_is_lost(server: TestServer) -> None:
    human = server.human
    human.answer("count", 3, nonsense=["many", -1], comment="about")
    human.decline("ship", "not on a Friday")
    human.answer("ship", True)
    human.answer("slow", text="yes", after=7200)
    details = hitl.new_event("count", int, prompt="How many?", min=0).wait_details()
    assert (details.value, details.response.comment) == (3, "about")
    with pytest.raises(hitl.Declined, match="not on a Friday"):
        hitl.ask("ship", "Ship it?", bool)
    assert hitl.ask("ship", "Ship it?", bool)
    with pytest.raises(hitl.TimedOut):
        hitl.new_event("slow", bool, timeout_seconds=3600).wait()
    later = hitl.new_event("later", bool, timeout_seconds=3600, default_on_timeout=False)
    server.advance(3600)
    assert later.wait() is False


def test_a_test_that_says_what_does_not_happen_fails(server: TestServer) -> None:
    server.human.answer("never", 1)
    server.human.answer("text", "x", nonsense=["fits"])
    assert hitl.ask("text", "What?", str) == "fits"
    with pytest.raises(AssertionError, match=r"nobody has asked .never., 1 more times") as failed:
        server.human.check()
    assert "'fits' was to be refused, and was taken" in str(failed.value)


def test_the_environment_leads_there_and_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HITL_RUN_ID", "outside")
    with TestServer() as server:
        assert os.environ["HITL_ENDPOINT"] == server.endpoint
        assert "HITL_RUN_ID" not in os.environ
    assert os.environ["HITL_RUN_ID"] == "outside"
    assert "HITL_ENDPOINT" not in os.environ


def test_nobody_answers_for_people_on_a_server_that_is_none_for_tests(local: int) -> None:
    client = hitl.Client()
    with pytest.raises(hitl.Invalid, match="the local server is no server for tests"):
        Human(client)
    client.list()
    with pytest.raises(hitl.Invalid, match="no server for tests"):
        Human(client)
