import json
from pathlib import Path
from typing import Any

import pytest

import hitl

LIST = Path(__file__).parents[2] / "endpoints.json"
CASES: list[dict[str, str]] = json.loads(LIST.read_text("utf-8"))["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: ascii(case["given"]))
def test_every_endpoint_is_taken_as_in_every_other_language(case: dict[str, str]) -> None:
    if used := case.get("used"):
        assert hitl.Client(hitl.Config(case["given"])).endpoint == used
    else:
        with pytest.raises(hitl.Invalid) as caught:
            hitl.Client(hitl.Config(case["given"]))
        assert case["refused"] in str(caught.value)


def test_a_refusal_says_what_to_leave_out_and_no_password() -> None:
    told: dict[Any, str] = {
        "https://h": 'the endpoint "https://h" is not usable: give it as http://HOST:PORT, '
        "without TLS",
        "http://h/a/": 'the endpoint "http://h/a/" is not usable: give it as http://HOST:PORT. It '
        'has the path "/a", and hitl serves nothing below a path: leave it out',
        "http://u:secret@h": 'the endpoint "http://…@h" is not usable: give it as http://HOST:PORT',
        "u:secret@h\u202e": r'the endpoint "…@h\u{202E}" is not usable: give it as '
        "http://HOST:PORT",
        "http://\u212aelvin": 'the endpoint "http://\u212aelvin" is not usable: give it as '
        "http://HOST:PORT",
    }
    for endpoint, message in told.items():
        with pytest.raises(hitl.Invalid) as caught:
            hitl.Client(hitl.Config(endpoint))
        assert str(caught.value) == message
