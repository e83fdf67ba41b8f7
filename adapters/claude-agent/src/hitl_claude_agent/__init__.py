"""Lets people permit what an agent of the Claude Agent SDK wants to do.

The SDK calls `can_use_tool` when no rule of its own has decided. This one asks a person:

    options = ClaudeAgentOptions(can_use_tool=hitl_claude_agent.ask_people(run_id="ticket-4711"))

The run and the id of the call make the question, so one that is asked again meets the question that was asked, and
the decision if it was made meanwhile.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal

import hitl
from claude_agent_sdk import CanUseTool, PermissionResultAllow, PermissionResultDeny, ToolPermissionContext
from hitl_approvals import Approvals, Kind, ToolCall

__all__ = ["ask_people"]


def ask_people(
    run_id: str,
    *,
    client: hitl.Client | None = None,
    timeout: timedelta = timedelta(days=1),
    risk: Literal["low", "medium", "high"] = "medium",
    allow_edits: bool = False,
    labels: Mapping[str, str] | None = None,
) -> CanUseTool:
    """A permission callback that asks a person.

    `run_id` names the conversation, `timeout` is how long a person has: without a decision by then the tool is not
    used, and the agent is told why. With `allow_edits` the person may change what the tool is called with.
    """
    people = Approvals(run_id, client, timeout, risk, {**(labels or {}), "framework": "claude-agent"})
    allowed: Sequence[Kind] = ("approve", "edit", "reject") if allow_edits else ("approve", "reject")

    async def can_use_tool(
        tool: str, arguments: dict[str, Any], context: ToolPermissionContext
    ) -> PermissionResultAllow | PermissionResultDeny:
        # Without an id nothing tells this call from an equal one, and an approval must not hold for both.
        if not context.tool_use_id:
            return PermissionResultDeny(message="this call has no id, so nobody can be asked about it")
        reasons = [text for text in (context.title, context.description, context.decision_reason) if text]
        decision = await people.decide(
            ToolCall(context.tool_use_id, tool, arguments, "\n\n".join(reasons), allowed=allowed)
        )
        if decision.is_approved:
            return PermissionResultAllow(updated_input=decision.arguments)
        return PermissionResultDeny(message=decision.message or "a person rejected this call")

    return can_use_tool
