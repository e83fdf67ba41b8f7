"""Asks a person whether an agent may call a tool.

What the adapters for agents share. A framework says which call waits (`ToolCall`), a person decides
in a form, and the framework goes on with the `Decision`:

    approvals = Approvals(run="support-4711")
    decision = await approvals.decide(ToolCall("call_1", "refund", {"amount": 40}))

The run and the id of the call make the key of the event. So a program that crashed and comes to the
same call again meets the same question, and the decision if it was made meanwhile. A call of that id
with other arguments is refused by the server: a decision holds for what was shown.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

import hitl

Kind = Literal["approve", "edit", "reject", "respond"]
"""What a person may decide: call it, call it with other arguments, do not call it, or give the result in its place."""

_LABEL_CHARS_MAX = 63
"""The most that a label holds."""


@dataclass(frozen=True)
class ToolCall:
    """A call that waits for a person."""

    id: str
    """Tells it from the other calls of the run; the same when the program is started again."""
    tool: str
    """Name of the tool."""
    arguments: Mapping[str, Any]
    """What it is to be called with; JSON."""
    description: str = ""
    """The question, if it shall not be the usual one."""
    allowed: Sequence[Kind] = ("approve", "reject")
    """What the person may decide."""


@dataclass(frozen=True)
class Decision:
    """What was decided."""

    kind: Kind
    arguments: dict[str, Any] = field(default_factory=dict)
    """What to call it with: what was shown, or what the person made of it. Empty unless it may be called."""
    message: str = ""
    """Why it is rejected, or the reply in its place."""
    by: str = ""
    """Who decided, if that is known."""

    @property
    def is_approved(self) -> bool:
        """Whether the tool may be called, with `arguments`."""
        return self.kind in ("approve", "edit")


@dataclass(frozen=True)
class Approvals:
    """How a run asks. Nothing is ever approved by silence: without a decision in time the call is rejected."""

    run: str
    """Names the run: the conversation, thread or job whose calls these are."""
    client: hitl.Client | None = None
    """Whom to ask through; else the client of the environment."""
    timeout: timedelta = timedelta(days=1)
    """How long a person has."""
    risk: Literal["low", "medium", "high"] = "medium"
    """How much is at stake: at high risk a person confirms the answer."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels to list the questions by, beside `tool`."""

    async def decide(self, call: ToolCall) -> Decision:
        """Asks, and waits until somebody has decided or the time is over."""
        event = await self._ask(call)
        try:
            answer = await event.wait_details.aio()
        except hitl.Declined as ended:
            return Decision("reject", message=_reason(ended) or "declined", by=_who(ended.response))
        except hitl.TimedOut:
            return Decision("reject", message="nobody decided in time")
        except hitl.Cancelled as ended:
            return Decision("reject", message=_reason(ended) or "the question was withdrawn")
        review, by = answer.value, _who(answer.response)
        # The digests say that what is approved is what was shown, or what the person made of it.
        if review.is_approved and review.approves(call.tool, review.arguments):
            return Decision(review.decision, dict(review.arguments), by=by)
        message = review.message or answer.response.comment
        return Decision("respond" if review.decision == "respond" else "reject", message=message, by=by)

    async def _ask(self, call: ToolCall) -> "hitl.Event[hitl.Review]":
        review = self.client.review if self.client else hitl.review
        return await review.aio(
            call.tool,
            dict(call.arguments),
            allow=tuple(call.allowed),
            prompt=call.description or f"An agent wants to call {call.tool}.",
            title=f"Call {call.tool}?",
            timeout_seconds=self.timeout,
            risk=self.risk,
            labels={**self.labels, "tool": call.tool, "run": self.run[:_LABEL_CHARS_MAX]},
            idempotency_key=key("call", self.run, call.id),
        )


def key(*parts: str) -> str:
    """A key for the event of these parts, the same in every process."""
    return f"{parts[0]}-" + hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _reason(ended: hitl.Error) -> str:
    return ended.response.reason if ended.response else ""


def _who(response: "hitl.v1.Response | None") -> str:
    return response.responder.name or response.responder.principal if response else ""
