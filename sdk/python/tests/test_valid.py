"""Answers that are asked for again: what is shown of them, and when that ends."""

import pytest
from scripted import serving

import hitl
from hitl import v1
from hitl.valid import _shortened, _text


def test_an_answer_is_shown_as_people_read_it() -> None:
    fields = {name: v1.Value(str=text) for name, text in (("b", "2"), ("a", "1"))}
    decided = v1.ReviewValue(decision=v1.REVIEW_DECISION_REJECT, message="too much")
    for value, shown in [
        (v1.Value(int=-7), "-7"),
        (v1.Value(float=1.5), "1.5"),
        (v1.Value(str="seven"), "seven"),
        (v1.Value(bool=True), "true"),
        (v1.Value(choice=v1.ChoiceValue(selected=["a", "b"])), "a, b"),
        (v1.Value(object=v1.ObjectValue(fields=fields)), "a: 1; b: 2"),
        (v1.Value(review=decided), "reject too much"),
        (v1.Value(), ""),
    ]:
        assert _text(value) == shown


def test_what_is_long_is_cut_between_characters() -> None:
    assert _shortened("ü" * 500) == "ü" * 500
    assert _shortened("ü" * 501) == "ü" * 500 + "…"


def test_without_an_attempt_nothing_is_asked() -> None:
    with serving() as (client, _), pytest.raises(hitl.Invalid, match="give a number from 1"):
        client.ask_valid("a", str, len, attempts=0)
