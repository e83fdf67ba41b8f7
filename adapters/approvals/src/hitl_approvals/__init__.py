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
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal

import hitl

Kind = Literal["approve", "edit", "reject", "respond"]
"""What a person may decide: call it, call it with other arguments, do not call it, or give the result in its place."""

_TITLES: dict[Kind, str] = {
    "approve": "Approve",
    "edit": "Approve with the arguments below",
    "reject": "Reject",
    "respond": "Reply in its place",
}

_CORRECTIONS_MAX = 5
"""How often a person is asked again whose arguments are no JSON object."""


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
        for attempt in range(_CORRECTIONS_MAX):
            event = await self._ask(call, attempt)
            try:
                answer = await event.wait_details.aio()
            except hitl.Declined as ended:
                return Decision("reject", message=ended.response.reason or "declined", by=_who(ended.response))
            except hitl.TimedOut:
                return Decision("reject", message="nobody decided in time")
            except hitl.Cancelled as ended:
                return Decision("reject", message=ended.response.reason or "the question was withdrawn")
            decision = _decision(call, answer)
            if decision is not None:
                return decision
        return Decision("reject", message="the arguments were never a JSON object")

    async def _ask(self, call: ToolCall, attempt: int) -> hitl.Event[Any]:
        data_type: type = bool
        options: dict[str, Any] = {"yes": _TITLES["approve"], "no": _TITLES["reject"]}
        if set(call.allowed) != {"approve", "reject"}:
            data_type, options = dict, {"schema": _schema(call)}
        prompt = call.description or f"An agent wants to call {call.tool}."
        if attempt:
            prompt += "\n\nThe arguments of the answer before were no JSON object. Please write them again."
        create = self.client.event if self.client else hitl.new_event
        return await create.aio(
            call.tool,
            data_type,
            scope=self.run,
            prompt=prompt,
            title=f"Call {call.tool}?",
            timeout_seconds=self.timeout,
            risk=self.risk,
            evidence=[hitl.evidence.json("Arguments", dict(call.arguments))],
            labels={**self.labels, "tool": call.tool},
            idempotency_key=key("call", self.run, call.id, *([str(attempt)] if attempt else [])),
            **options,
        )


def key(*parts: str) -> str:
    """A key for the event of these parts, the same in every process."""
    return f"{parts[0]}-" + hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _schema(call: ToolCall) -> dict[str, Any]:
    choices = [{"const": kind, "title": _TITLES[kind]} for kind in call.allowed]
    properties: dict[str, Any] = {"decision": {"type": "string", "title": "Decision", "oneOf": choices}}
    if "edit" in call.allowed:
        shown = json.dumps(dict(call.arguments), ensure_ascii=False)
        properties["arguments"] = {"type": "string", "title": "Arguments, as JSON", "default": shown}
    properties["message"] = {"type": "string", "title": "Reason or reply"}
    return {"type": "object", "properties": properties, "required": ["decision"]}


def _decision(call: ToolCall, answer: "hitl.Details[Any]") -> Decision | None:
    """What an answer means; nothing if it cannot be used."""
    value, by = answer.value, _who(answer.response)
    if isinstance(value, bool):
        value = {"decision": "approve" if value else "reject"}
    message = value.get("message") or answer.response.comment
    decision = Decision(value["decision"], message=message, by=by)
    if decision.kind == "approve":
        return replace(decision, arguments=dict(call.arguments))
    if decision.kind != "edit":
        return decision
    try:
        edited = json.loads(value.get("arguments", ""))
    except ValueError:
        return None
    return replace(decision, arguments=edited) if isinstance(edited, dict) else None


def _who(response: "hitl.v1.Response") -> str:
    return response.responder.name or response.responder.principal
