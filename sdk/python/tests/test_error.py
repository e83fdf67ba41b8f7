import pickle

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2
from scripted import Refusal, serving

import hitl
from hitl import v1
from hitl.error import of_end


def test_the_servers_details_are_kept() -> None:
    violation = error_details_pb2.BadRequest.FieldViolation(
        field="value", description="must be at least 0"
    )
    refusal = Refusal(
        grpc.StatusCode.FAILED_PRECONDITION,
        "ERROR_REASON_EVENT_ALREADY_FINAL",
        "hitl.v1",
        error_details_pb2.BadRequest(field_violations=[violation]),
        error_details_pb2.RetryInfo(retry_delay=Duration(seconds=3)),
    )
    with serving([refusal]) as (client, _), pytest.raises(hitl.Conflict) as caught:
        client.get("e")
    error = caught.value
    assert (error.kind, error.message, str(error)) == ("conflict", "what happened", "what happened")
    assert error.reason == "ERROR_REASON_EVENT_ALREADY_FINAL"
    assert error.metadata == {"state": "EVENT_STATE_ANSWERED"}
    assert error.field_violations == [hitl.FieldViolation("value", "must be at least 0")]
    assert (error.retry_delay, error.retryable) == (3, False)


def test_an_internal_error_of_the_server_is_not_a_lost_connection() -> None:
    ours = Refusal(grpc.StatusCode.INTERNAL, "ERROR_REASON_INTERNAL")
    with serving([ours]) as (client, _), pytest.raises(hitl.Internal) as caught:
        client.get("e")
    assert not caught.value.retryable
    lost = Refusal(grpc.StatusCode.INTERNAL, "R", "proxy")
    with serving([lost], retry_for=0) as (client, _), pytest.raises(hitl.Unavailable) as gone:
        client.get("e")
    assert (gone.value.reason, gone.value.retryable) == ("", True)


def test_nonsense_in_the_details_of_an_error_is_no_other_error() -> None:
    delay = error_details_pb2.RetryInfo(retry_delay=Duration(seconds=1 << 60, nanos=-1))
    ours = Refusal(grpc.StatusCode.NOT_FOUND, "ERROR_REASON_EVENT_NOT_FOUND", "hitl.v1", delay)
    with serving([ours]) as (client, _), pytest.raises(hitl.NotFound) as caught:
        client.get("e")
    assert 60 <= caught.value.retry_delay < 61
    unreadable = Refusal(grpc.StatusCode.NOT_FOUND)
    unreadable.trailer = b"\xff"
    with serving([unreadable]) as (client, _), pytest.raises(hitl.NotFound, match="refused"):
        client.get("e")


def test_a_server_of_another_kind_is_named() -> None:
    with serving() as (client, _), pytest.raises(hitl.Internal, match="not a hitl server"):
        client.cancel("e")


def test_an_outcome_tells_who_when_and_why() -> None:
    responder = v1.Responder(name="Ada")
    response = v1.Response(reason="not today", time=Timestamp(), responder=responder)
    event = v1.Event(name="deploy", state=v1.EVENT_STATE_TIMED_OUT, response=response)
    error = of_end(event)
    assert isinstance(error, TimeoutError)
    assert error.kind == "timed_out"
    event.state = v1.EVENT_STATE_DECLINED
    error = pickle.loads(pickle.dumps(of_end(event)))
    assert str(error) == '"deploy" was declined by "Ada" (1970-01-01T00:00:00Z): not today'
    assert isinstance(error, hitl.Declined)
    assert error.response and error.response.reason == "not today"
    event.response.time.seconds = 1 << 60
    assert str(of_end(event)) == '"deploy" was declined by "Ada": not today'
