from collections.abc import Sequence
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from scripted import Refusal, serving

import hitl
from hitl import many, v1

LOST = Refusal(grpc.StatusCode.UNAVAILABLE)


def question(name: str, prompt: str = "How many?") -> v1.CreateEventRequest:
    return v1.CreateEventRequest(name=name, prompt=prompt, input=v1.Input(int=v1.IntInput()))


def questions(count: int) -> list[v1.CreateEventRequest]:
    return [question(f"n{number}") for number in range(count)]


def created(event_id: str) -> v1.CreateEventResult:
    return v1.CreateEventResult(created=v1.CreateEventResponse(event=v1.Event(id=event_id)))


def failed(reason: str, code: grpc.StatusCode, **more: Any) -> v1.CreateEventResult:
    number = v1.ErrorReason.Value(f"ERROR_REASON_{reason}")
    failure = v1.Failure(code=code.value[0], reason=number, message="what\nhappened", **more)
    return v1.CreateEventResult(failure=failure)


def full(retry_after: Duration) -> v1.CreateEventResult:
    return failed("OVERLOADED", grpc.StatusCode.RESOURCE_EXHAUSTED, retry_after=retry_after)


def ids(results: Sequence[v1.CreateEventResponse | hitl.Error]) -> list[str]:
    return [r.event.id if isinstance(r, v1.CreateEventResponse) else r.kind for r in results]


def names(request: v1.BatchCreateEventsRequest) -> list[str]:
    return [entry.name for entry in request.requests]


def test_many_are_created_and_answered_in_order_and_what_is_wrong_with_one_concerns_no_other(
    local: int,
) -> None:
    client = hitl.Client()
    asked = [question("" if place == 1 else f"n{place}") for place in range(2_002)]
    results = client.create_many(asked)
    assert isinstance(results[1], hitl.Invalid)
    assert results[1].reason == "ERROR_REASON_INVALID_REQUEST"
    assert [violation.field for violation in results[1].field_violations] == ["name"]
    events = [r.event for r in results if isinstance(r, v1.CreateEventResponse)]
    assert [event.name for event in events] == [r.name for r in asked if r.name]

    answers = [v1.AnswerEventRequest(event_id=e.id, json=e.name[1:]) for e in events]
    answers[3].json = '"three"'
    ended = client.answer_many(answers)
    assert isinstance(ended[3], hitl.Invalid)
    values = [response.value.int for response in ended if isinstance(response, v1.Response)]
    assert values == [place for place in range(2_002) if place not in (1, 4)]
    (again,) = client.answer_many([v1.AnswerEventRequest(event_id=events[0].id, json="1")])
    assert isinstance(again, hitl.Conflict)
    assert again.metadata["state"] == "EVENT_STATE_ANSWERED"
    assert client.wait_event(events[0].id).response.value.int == 0


def test_a_failure_is_the_error_that_a_call_of_its_own_would_have_had() -> None:
    violations = [v1.FieldViolation(field="name", description="is empty")]
    invalid = failed(
        "INVALID_REQUEST",
        grpc.StatusCode.INVALID_ARGUMENT,
        field_violations=violations,
        metadata={"a": "b"},
    )
    unknown = v1.CreateEventResult(failure=v1.Failure(code=99))
    unknown.failure.reason = 999  # type: ignore[assignment]
    with serving([invalid, unknown, v1.CreateEventResult()]) as (client, _):
        error, new, missing = client.create_many(questions(3))
    assert isinstance(error, hitl.Invalid)
    assert (error.reason, error.message) == ("ERROR_REASON_INVALID_REQUEST", "what\\nhappened")
    assert (error.metadata, error.retryable) == ({"a": "b"}, False)
    assert error.field_violations == [hitl.FieldViolation("name", "is empty")]
    assert isinstance(new, hitl.Internal)
    assert new.reason == ""
    assert isinstance(missing, hitl.Internal)
    assert "no result" in missing.message


def test_what_a_full_reply_left_out_is_sent_again_at_once() -> None:
    step = [created("0"), full(Duration()), created("2"), full(Duration())]
    with serving(step, [created("1"), full(Duration())], [created("3")], retry_for=0) as (
        client,
        script,
    ):
        assert ids(client.create_many(questions(4))) == ["0", "1", "2", "3"]
        assert [names(request) for request in script.seen[1:]] == [["n1", "n3"], ["n3"]]
        sent = {entry.name: entry for request in script.seen for entry in request.requests}
        assert all(entry in sent.values() for entry in script.seen[0].requests)


def test_what_makes_no_progress_is_given_up_in_time() -> None:
    asked_to_wait = full(Duration(seconds=9))
    with serving([created("0"), asked_to_wait], retry_for=1) as (client, script):
        assert ids(client.create_many(questions(2))) == ["0", "exhausted"]
        assert script.calls == 1


def test_a_lost_call_is_repeated_and_creates_nothing_twice() -> None:
    with serving([LOST], [created("0"), created("1")]) as (client, script):
        assert ids(client.create_many(questions(2))) == ["0", "1"]
        assert script.seen[0] == script.seen[1]
        keys = {entry.idempotency_key for entry in script.seen[0].requests}
        assert len(keys - {""}) == 2


def test_a_server_that_is_not_there_fails_all_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "ENTRIES_MAX", 2)
    with serving([created("0"), created("1")], [LOST], retry_for=0) as (client, script):
        results = client.create_many(questions(7))
        assert ids(results) == ["0", "1", *["unavailable"] * 5]
        assert script.calls == 2


def test_a_batch_has_no_more_bytes_than_one_reply_may(monkeypatch: pytest.MonkeyPatch) -> None:
    large = "x" * (many.BATCH_BYTES_MAX // 2)
    asked = [question("a", large), question("b", large), question("c", 3 * large), question("d")]
    with serving(*[[created(name)] for name in "abcd"]) as (client, script):
        assert ids(client.create_many(asked)) == ["a", "b", "c", "d"]
        assert [names(request) for request in script.seen] == [["a"], ["b"], ["c"], ["d"]]


def test_what_was_not_created_gives_its_number_back() -> None:
    refused = failed("INVALID_REQUEST", grpc.StatusCode.INVALID_ARGUMENT)
    asked = [question("n"), question("n")]
    with serving([refused, created("2")], [created("1")], run_id="many") as (client, script):
        client.create_many(asked)
        client.create_many(asked[:1])
        (first, second), (again,) = (request.requests for request in script.seen)
        assert first.idempotency_key == again.idempotency_key != second.idempotency_key


def test_no_entries_need_no_call() -> None:
    with serving() as (client, script):
        assert client.create_many([]) == client.answer_many([]) == []
        assert script.calls == 0
