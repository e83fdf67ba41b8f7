import json
import pickle
from pathlib import Path

import pytest
from scripted import Message, serving

import hitl
from hitl import v1

LISTED = json.loads((Path(__file__).parents[2] / "endpoints.json").read_text("utf-8"))


@pytest.mark.parametrize("case", LISTED["headers"], ids=lambda case: ascii(case["name"]))
def test_a_header_can_be_set_as_in_every_other_language(case: dict[str, str]) -> None:
    config = hitl.Config("h", headers={case["name"]: case["value"]})
    if refused := case.get("refused"):
        with pytest.raises(hitl.Invalid, match=refused):
            hitl.Client(config)
    else:
        hitl.Client(config)


def test_more_headers_than_anybody_needs_are_refused() -> None:
    with pytest.raises(hitl.Invalid, match="at most 32"):
        hitl.Client(hitl.Config("h", headers={f"x-{n}": "a" for n in range(33)}))


def test_headers_go_with_every_call_and_stream_beside_the_token() -> None:
    ended = v1.Event(id="e", state=v1.EVENT_STATE_CANCELLED)
    headers = {"X-Team": "payments"}
    with serving([], [Message(event=ended)], headers=headers, token="hitl_a") as (client, script):
        for call in (client.get, client.wait_event):
            script.headers = {}
            call("e")
            assert script.headers["x-team"] == "payments"
            assert script.headers["authorization"] == "Bearer hitl_a"


def test_headers_are_neither_printed_nor_pickled() -> None:
    config = hitl.Config("h", headers={"x-key": "secret"})
    client = hitl.Client(config)
    assert "secret" not in repr((config, client, client.settings))
    assert b"secret" not in pickle.dumps(client)
