import json
from pathlib import Path
from typing import Any

import pytest

import hitl

LIST = Path(__file__).parents[2] / "endpoints.json"
HELP = "give it as http://HOST:PORT or https://HOST:PORT"
LISTED = json.loads(LIST.read_text("utf-8"))
CASES: list[dict[str, str]] = LISTED["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: ascii(case["given"]))
def test_every_endpoint_is_taken_as_in_every_other_language(case: dict[str, str]) -> None:
    if used := case.get("used"):
        assert hitl.Client(hitl.Config(case["given"])).endpoint == used
    else:
        with pytest.raises(hitl.Invalid) as caught:
            hitl.Client(hitl.Config(case["given"]))
        assert case["refused"] in str(caught.value)


@pytest.mark.parametrize("case", LISTED["tokens"], ids=lambda case: case["given"])
def test_a_token_is_sent_where_it_is_in_every_other_language(case: dict[str, Any]) -> None:
    config = hitl.Config(case["given"], token="hitl_a")
    if case["sent"]:
        hitl.Client(config)
    else:
        with pytest.raises(hitl.Invalid, match="https"):
            hitl.Client(config)


def test_a_refusal_says_what_to_leave_out_and_no_password() -> None:
    told: dict[Any, str] = {
        "http://h/a/": f'the endpoint "http://h/a/" is not usable: {HELP}. It '
        'has the path "/a", and hitl serves nothing below a path: leave it out',
        "https://u:secret@h": f'the endpoint "https://…@h" is not usable: {HELP}',
        "u:secret@h\u202e": rf'the endpoint "…@h\u{{202E}}" is not usable: {HELP}',
        "http://\u212aelvin": f'the endpoint "http://\u212aelvin" is not usable: {HELP}',
    }
    for endpoint, message in told.items():
        with pytest.raises(hitl.Invalid) as caught:
            hitl.Client(hitl.Config(endpoint))
        assert str(caught.value) == message
