"""Reviews: what is asked, and that only what was approved is done."""

import asyncio
import json
import random
import struct
from typing import Any

import pytest

import hitl
from hitl import v1
from hitl.canonical import action_digest, canonical
from hitl.review import ReviewQuestion, decode_review

DIGEST = "6e754bf35ee93590a88fc501983653a2da86e76841c678157cd4aec356b9ffd5"
ARGUMENTS = {"to": "Ada", "amount": 120, "notify": True}


def decided(**value: Any) -> hitl.Review:
    asked = ReviewQuestion({"action": "refund", "arguments": ARGUMENTS}).input()
    given: dict[str, Any] = {
        "decision": v1.REVIEW_DECISION_APPROVE,
        "arguments": '{"notify": true, "amount": 1.2e2, "to": "Ada"}',
        "shown_digest": DIGEST,
        "approved_digest": DIGEST,
    }
    review = v1.ReviewValue(**{**given, **value})
    return decode_review(v1.Event(input=asked, response=v1.Response(value=v1.Value(review=review))))


def test_the_digest_is_that_of_the_canonical_form() -> None:
    assert action_digest("refund", ARGUMENTS) == DIGEST
    assert action_digest("refund", {"notify": True, "to": "Ada", "amount": 120.0}) == DIGEST
    assert action_digest("refund", {**ARGUMENTS, "amount": 121}) != DIGEST
    for unclear in (2**53, float("nan"), {1: 2}, {1, 2}, b"", "\ud800"):
        with pytest.raises((TypeError, ValueError)):
            action_digest("refund", unclear)


def test_numbers_and_names_are_written_as_rfc_8785_lists_them() -> None:
    for bits, written in [
        (0x0000000000000000, "0"),
        (0x8000000000000000, "0"),
        (0x0000000000000001, "5e-324"),
        (0x7FEFFFFFFFFFFFFF, "1.7976931348623157e+308"),
        (0x4430000000000000, "295147905179352830000"),
        (0x44B52D02C7E14AF6, "1e+23"),
        (0x444B1AE4D6E2EF4E, "999999999999999700000"),
        (0x444B1AE4D6E2EF50, "1e+21"),
        (0x3EB0C6F7A0B5ED8C, "9.999999999999997e-7"),
        (0x3EB0C6F7A0B5ED8D, "0.000001"),
        (0x41B3DE4355555556, "333333333.3333334"),
        (0xBECBF647612F3696, "-0.0000033333333333333333"),
        (0x43143FF3C1CB0959, "1424953923781206.2"),
    ]:
        assert canonical(struct.unpack(">d", bits.to_bytes(8, "big"))[0]) == written
    assert canonical({"\ufb33": 1, "\U0001f600": [], "b": None, "a\n": {}}) == (
        '{"a\\n":{},"b":null,"\U0001f600":[],"\ufb33":1}'
    )
    for _ in range(1_000):
        number = random.uniform(-1, 1) * 10 ** random.randint(-30, 30)
        assert float(canonical(number)) == number


def test_only_what_was_approved_is_done() -> None:
    def refund(to: str, amount: float, notify: bool) -> tuple[str, float, bool]:
        return to, amount, notify

    async def pay(**arguments: Any) -> Any:
        return arguments

    review = decided()
    assert review.execute_if_approved("refund", refund) == ("Ada", 120, True)
    assert asyncio.run(review.execute_if_approved("refund", pay)) == ARGUMENTS
    assert review.approves("refund", ARGUMENTS)
    assert not review.approves("refund", {**ARGUMENTS, "amount": 121})
    for other in (decided(arguments='{"amount": 121}'), review):
        action = "pay" if other is review else "refund"
        with pytest.raises(hitl.Invalid):
            other.execute_if_approved(action, lambda **_: pytest.fail("it is done"))
    review.arguments["amount"] = 121
    with pytest.raises(hitl.Invalid):
        review.execute_if_approved("refund", refund)


def test_what_was_not_approved_is_not_done() -> None:
    for decision in (v1.REVIEW_DECISION_REJECT, v1.REVIEW_DECISION_RESPOND):
        review = decided(decision=decision, message="not now")
        with pytest.raises(hitl.Declined, match="not now"):
            review.execute_if_approved("refund", lambda **_: pytest.fail("it is done"))
    with pytest.raises(hitl.Declined):
        decided(approved_digest="").execute_if_approved("refund", lambda **_: None)


def test_a_decision_on_something_else_is_an_error() -> None:
    with pytest.raises(hitl.Internal):
        decided(shown_digest="00")
    with pytest.raises(hitl.Internal):
        decided(decision=0)


def test_what_is_set_is_what_is_asked() -> None:
    question = ReviewQuestion(
        {
            "action": "refund",
            "arguments": ARGUMENTS,
            "schema": {"type": "object"},
            "allow": ["edit"],
        }
    )
    review = question.input().review
    assert (review.action, json.loads(review.arguments)) == ("refund", ARGUMENTS)
    assert (review.json_schema, list(review.allow)) == (
        '{"type": "object"}',
        [v1.REVIEW_DECISION_EDIT],
    )
    default = question.encode(hitl.Review("reject", message="nobody was there"))
    assert default.review.message == "nobody was there"
    for wrong in ({"allow": ["maybe"]}, {"arguments": {1, 2}}, {"min": 1}):
        with pytest.raises(hitl.Invalid):
            ReviewQuestion({"action": "x", **wrong}).input()
    with pytest.raises(hitl.Invalid):
        question.encode(7)
