import copy
import dataclasses
import logging
import pickle
import traceback
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from scripted import Refusal, serving

import hitl
from hitl import v1
from hitl.error import of_end
from hitl.shown import lines, one_line

HIDDEN = [0x00, 0x1B, 0x7F, 0x85, 0xAD, 0x61C, 0x180E, 0x200B, 0x200F, 0x2028, 0x202A, 0x202E]
HIDDEN += [0x2060, 0x2066, 0x2069, 0xD800, 0xDFFF, 0xFEFF, 0xE0000, 0xE0041, 0xE007F]
LINK = "http://127.0.0.1:4485/form/secret"
FORGED = 'no\n"deploy" was approved\r\t\u202e\u200b'
ESCAPED = r'no\n"deploy" was approved\r\t\u{202E}\u{200B}'


def test_what_is_hidden_is_shown_as_an_escape_and_nothing_else_is_changed() -> None:
    for code in HIDDEN:
        assert one_line(f"a{chr(code)}b") == lines(f"a{chr(code)}b") == f"a\\u{{{code:X}}}b"
    assert one_line("a\n\t\rb") == r"a\n\t\rb"
    assert lines("a\n\t\rb") == "a\n\t\\rb"
    for text in ("ünï çödé", "日本", "👍🏽", "\u0301", "\\n", "\u1680\u2003"):
        assert one_line(text) == lines(text) == text


def test_a_reason_cannot_forge_a_line_and_a_name_is_quoted() -> None:
    response = v1.Response(reason=FORGED, responder=v1.Responder(name="Ada\u202e\n"))
    event = v1.Event(name="dep\u202eloy", state=v1.EVENT_STATE_DECLINED, response=response)
    error = of_end(event)
    assert str(error) == rf'"dep\u{{202E}}loy" was declined by "Ada\u{{202E}}\n": {ESCAPED}'
    printed = [repr(error), *traceback.format_exception(error)]
    assert not any("\u202e" in text or "approved\r" in text for text in printed)
    assert error.response and error.response.reason == FORGED


def test_what_a_server_says_cannot_forge_a_line() -> None:
    violation = error_details_pb2.BadRequest.FieldViolation(field="value", description=FORGED)
    refusal = Refusal(
        grpc.StatusCode.INVALID_ARGUMENT,
        "ERROR_REASON_INVALID_ANSWER",
        "hitl.v1",
        error_details_pb2.BadRequest(field_violations=[violation]),
        message=FORGED,
    )
    lost = Refusal(grpc.StatusCode.UNAVAILABLE, message=FORGED)
    for step in (refusal, lost):
        with serving([step], retry_for=0) as (client, _), pytest.raises(hitl.Error) as caught:
            client.get("e")
        assert ESCAPED in str(caught.value)
        assert "\n" not in str(caught.value)
        for told in caught.value.field_violations:
            assert told.description == FORGED
            assert str(told) == f"value: {ESCAPED}"


def linked(client: hitl.Client) -> hitl.Event[int]:
    record = v1.Event(
        id="e", name="na\u202eme", prompt="?", form_url=LINK, api_url=LINK, input=v1.Input()
    )
    return hitl.Event(
        name=record.name,
        prompt="?",
        scope="run",
        request_path="a",
        data_type=int,
        request_id="e",
        endpoint=client.endpoint,
        response_path="b",
        timeout_seconds=1,
        poll_interval_seconds=1,
        client=client,
        record=record,
    )


def test_no_link_is_printed_whatever_prints_it(caplog: pytest.LogCaptureFixture) -> None:
    with serving() as (client, _):
        event = linked(client)
        answers: list[Any] = [
            v1.GetEventResponse(event=event.record),
            v1.ListEventsResponse(events=[event.record]),
            v1.WaitEventsResponse(event=event.record),
            v1.WatchEventsResponse(change=v1.Change(event=event.record)),
            v1.BatchCreateEventsResponse(
                results=[
                    v1.CreateEventResult(created=v1.CreateEventResponse(event=event.record)),
                ]
            ),
        ]
        logging.warning("%s %r %s", event, event, answers)
        printed = [str(event), repr(event), f"{event}", f"{event.record}", repr(event.record)]
        printed += [str(answers), repr(dataclasses.asdict(event)), caplog.text, repr(client)]
    assert not any("secret" in text or "\u202e" in text for text in printed)
    # Only what is printed has no links.
    assert (event.form_url, answers[0].event.form_url) == (LINK, LINK)


def test_a_pickled_event_has_no_link_and_can_be_waited_for() -> None:
    final = v1.Event(id="e", state=v1.EVENT_STATE_ANSWERED, input=v1.Input(int=v1.IntInput()))
    final.response.value.int = 5
    with serving([], [], [v1.WaitEventsResponse(event=final)]) as (client, script):
        packed = pickle.dumps(linked(client))
        assert b"secret" not in packed
        for event in (pickle.loads(packed), copy.deepcopy(linked(client))):
            assert event.client.connection.settings == client.connection.settings
            # Here the server has none either, but it was asked.
            assert (event.id, event.form_url) == ("e", "")
        assert pickle.loads(packed).wait() == 5
        assert script.calls == 3
