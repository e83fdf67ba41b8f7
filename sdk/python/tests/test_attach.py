import copy
import json
import pickle

import pytest
from scripted import HEADERS, serving

import hitl
from hitl import v1

WORDS = v1.Input(str=v1.StrInput())
PENDING = v1.Event(
    id="e",
    namespace="default",
    name="n",
    state=v1.EVENT_STATE_PENDING,
    input=WORDS,
    form_url="http://h/f/secret",
    api_url="http://h/a/secret",
)
ANSWERED = v1.Event(id="e", name="n", input=WORDS, state=v1.EVENT_STATE_ANSWERED)
ANSWERED.response.value.str = ""
DECLINED = v1.Event(id="e", name="n", input=WORDS, state=v1.EVENT_STATE_DECLINED)


def told(capfd: pytest.CaptureFixture[str]) -> list[str]:
    """What we have printed. gRPC may have printed too."""
    return [line for line in capfd.readouterr().err.splitlines() if line.startswith("hitl")]


def test_an_event_that_was_asked_before_has_its_type_again() -> None:
    with serving([PENDING], [ANSWERED]) as (client, _):
        event = client.attach("e", str)
        assert (event.id, event.name, event.existed, event.data_type) == ("e", "n", True, str)
        assert event.poll() == ""


def test_another_kind_of_answer_than_the_event_asks_for_is_refused() -> None:
    told = "asks for str, not int"
    with serving([PENDING]) as (client, _), pytest.raises(hitl.Invalid, match=told):
        client.attach("e", int)


def test_a_poll_looks_once_and_tells_every_end() -> None:
    with serving([PENDING], [PENDING], [ANSWERED], [DECLINED]) as (client, script):
        event = client.attach("e", str)
        assert event.poll() is None
        assert event.poll() == ""
        with pytest.raises(hitl.Declined):
            event.poll()
        assert script.calls == 4


@pytest.mark.parametrize("limit", [0, -1, 0.0])
def test_a_wait_with_no_time_looks_once(limit: float) -> None:
    with serving([PENDING], [PENDING], [ANSWERED]) as (client, script):
        event = client.attach("e", str)
        assert event.wait_for(limit) is None
        assert event.wait_for(limit) == ""
        assert "waits" not in script.seen


def test_a_limit_that_is_no_number_is_refused() -> None:
    with serving([PENDING]) as (client, _):
        event = client.attach("e", str)
        with pytest.raises(hitl.Invalid):
            event.wait_for(float("nan"))


def test_as_json_an_event_says_which_it_is_and_no_secret() -> None:
    with serving([PENDING]) as (client, _):
        written = client.attach("e", str).to_json()
        told = json.loads(written)
        assert set(told) == {"id", "namespace", "name", "deadline", "existed"}
        assert (told["id"], told["namespace"], told["name"]) == ("e", "default", "n")
        assert "http" not in written


def test_what_is_pickled_has_no_secret_and_what_is_copied_has_the_same_client(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving([PENDING], token="hitl_secret") as (client, script):
        event = client.attach("e", str)
        kept = pickle.dumps(event)
        assert b"secret" not in kept
        assert copy.copy(event).client is client
        assert copy.deepcopy(event).client is client
        monkeypatch.setenv("HITL_TOKEN", "hitl_other")
        pickle.loads(kept).poll()
        assert script.credentials == ["Bearer hitl_secret", "Bearer hitl_other"]


def test_a_wait_tells_once_where_to_answer(capfd: pytest.CaptureFixture[str]) -> None:
    with serving([PENDING], [HEADERS], [HEADERS]) as (client, _):
        event = client.attach("e", str)
        for _ in range(2):
            event.wait_for(0.05)
    assert told(capfd) == ['hitl: "n" waits for an answer at http://h/f/secret']


def test_who_looks_at_the_link_tells_people_itself(capfd: pytest.CaptureFixture[str]) -> None:
    with serving([PENDING], [HEADERS]) as (client, _):
        event = client.attach("e", str)
        assert event.form_url
        event.wait_for(0.05)
    assert told(capfd) == []


def test_a_wait_without_a_link_names_the_event(capfd: pytest.CaptureFixture[str]) -> None:
    bare = v1.Event(id="e", name="n", input=WORDS, state=v1.EVENT_STATE_PENDING)
    with serving([bare], [HEADERS]) as (client, _):
        client.attach("e", str).wait_for(0.05)
    assert told(capfd) == ['hitl: "n" waits for an answer (event e)']


def test_a_client_is_quiet_that_is_told_to_be(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving([PENDING], [HEADERS], announce=False) as (client, _):
        client.attach("e", str).wait_for(0.05)
    monkeypatch.setenv("HITL_ANNOUNCE", "0")
    with serving([PENDING], [HEADERS]) as (client, _):
        client.attach("e", str).wait_for(0.05)
    assert told(capfd) == []


def test_a_client_does_not_tell_of_thousands(capfd: pytest.CaptureFixture[str]) -> None:
    with serving() as (client, _):
        for _ in range(30):
            client.connection.telling.tell(PENDING)
    lines = told(capfd)
    assert len(lines) == 21
    assert lines[-1] == "hitl: if more events wait for answers, they are not told of here"
