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


def test_arguments_that_are_no_object_are_asked_for_again(person: Person) -> None:
    def answer(**fields: str) -> Any:
        return lambda: person.answer(asked_now(person), **fields)

    decision = decided(
        Approvals("run"),
        CALL,
        answer(**{"value.decision": "edit", "value.arguments": "fifty"}),
        answer(**{"value.decision": "edit", "value.arguments": '{"amount": 50}'}),
    )
    assert decision == Decision("edit", {"amount": 50}, by="Ann")
    assert decision.is_approved


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
    decided(Approvals("run"), shown, lambda: person.answer(asked_now(person), value="true"))
    assert decided(Approvals("run"), shown) == Decision("approve", {"amount": 40}, by="Ann")
    with pytest.raises(hitl.Conflict):
        decided(Approvals("run"), ToolCall("call_1", "refund", {"amount": 4000}))
