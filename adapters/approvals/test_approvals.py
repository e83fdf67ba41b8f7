"""What a decision is made of, and that silence approves nothing."""

import asyncio
from datetime import timedelta
from typing import Any

import hitl
import pytest
from hitl_approvals import Approvals, Decision, ToolCall

from people import Person, asked_now

CALL = ToolCall("call_1", "refund", {"amount": 40}, allowed=("approve", "edit", "reject"))


def decided(approvals: Approvals, call: ToolCall, *acts: Any) -> Decision:
    """What comes of the call while a person does one thing after the other."""

    async def run() -> Decision:
        deciding = asyncio.create_task(approvals.decide(call))
        for act in acts:
            await asyncio.to_thread(act)
        return await asyncio.wait_for(deciding, 60)

    return asyncio.run(run())


def answer(person: Person, **fields: str) -> Any:
    """The person answers what is asked next."""
    return lambda: person.answer(asked_now(person), **{f"value.{name}": value for name, value in fields.items()})


def test_a_person_approves_edits_and_rejects(person: Person) -> None:
    made = decided(Approvals("a"), CALL, answer(person, decision="approve"))
    assert made == Decision("approve", {"amount": 40}, by="Ann")
    made = decided(Approvals("b"), CALL, answer(person, decision="edit", arguments='{"amount": 50}'))
    assert made == Decision("edit", {"amount": 50}, by="Ann")
    assert made.is_approved
    made = decided(Approvals("c"), CALL, answer(person, decision="reject", message="too much"))
    assert made == Decision("reject", message="too much", by="Ann")
    assert not made.is_approved


def test_nothing_is_approved_by_silence_refusal_or_withdrawal(person: Person) -> None:
    late = decided(Approvals("run", timeout=timedelta(seconds=1)), CALL)
    assert late == Decision("reject", message="nobody decided in time")

    def decline() -> None:
        person.client.decline(asked_now(person).id, "not my task", "Ann")

    declined = decided(Approvals("other"), CALL, decline)
    assert declined == Decision("reject", message="not my task", by="Ann")
    cancelled = decided(Approvals("third"), CALL, lambda: person.client.cancel(asked_now(person).id, "too old"))
    assert (cancelled.kind, cancelled.message) == ("reject", "too old")


def test_a_decision_holds_for_what_was_shown(person: Person) -> None:
    shown = ToolCall("call_1", "refund", {"amount": 40})
    decided(Approvals("run"), shown, answer(person, decision="approve"))
    assert decided(Approvals("run"), shown) == Decision("approve", {"amount": 40}, by="Ann")
    with pytest.raises(hitl.Conflict):
        decided(Approvals("run"), ToolCall("call_1", "refund", {"amount": 4000}))
