"""Lets people approve the tool calls of an agent of the OpenAI Agents SDK.

A tool with `needs_approval=True` interrupts the run. `run` takes the place of `Runner.run`: it asks a
person about each such call, and goes on with what they decided until the agent is done:

    result = await hitl_openai_agents.run(agent, "Refund order 4711", run_id="order-4711", state="order.json")

The state of the run is written to a file before anybody is asked. Started again with the same file, the
run goes on where it waited, and meets the questions that it had asked.
"""

import asyncio
import json
import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar

import hitl
from agents import Agent, Runner, RunResult, RunState
from agents.items import ToolApprovalItem, TResponseInputItem
from hitl_approvals import Approvals, Decision, ToolCall

__all__ = ["decide", "run"]

ContextT = TypeVar("ContextT")


async def run(
    agent: Agent[ContextT],
    input: str | list[TResponseInputItem],
    *,
    run_id: str,
    state: str | os.PathLike[str],
    client: hitl.Client | None = None,
    timeout: timedelta = timedelta(days=1),
    risk: Literal["low", "medium", "high"] = "medium",
    labels: Mapping[str, str] | None = None,
    **runner: Any,
) -> RunResult:
    """Like `Runner.run`, with a person who decides about each call that needs approval.

    `run_id` names the run: its questions are those of any run of that name. `state` is the file that the run is kept
    in while people are asked, and which is removed when it is done. `timeout` is how long a person has: without a
    decision by then the call is rejected. What else is given goes to `Runner.run`.

    A tool may be called twice if the process dies while it is being called, as with any state that is kept outside of
    the tool.
    """
    kept = Path(state)
    people = Approvals(run_id, client, timeout, risk, {**(labels or {}), "framework": "openai-agents"})
    step: Any = input
    if kept.exists():
        step = await decide(people, await RunState.from_string(agent, kept.read_text()))
    while True:
        result = await Runner.run(agent, step, **runner)
        if not result.interruptions:
            kept.unlink(missing_ok=True)
            return result
        paused = result.to_state()
        _write(kept, paused.to_string())
        step = await decide(people, paused)


async def decide(people: Approvals, state: RunState[Any, Any]) -> RunState[Any, Any]:
    """Asks about every call that a run waits for, and writes the decisions into its state."""
    waiting = state.get_interruptions()
    decisions = await asyncio.gather(*[people.decide(_call(item)) for item in waiting])
    for item, decision in zip(waiting, decisions, strict=True):
        _record(state, item, decision)
    return state


def _call(item: ToolApprovalItem) -> ToolCall:
    arguments = json.loads(item.arguments or "{}")
    if not isinstance(arguments, dict):
        arguments = {"arguments": arguments}
    return ToolCall(item.call_id or "", item.qualified_name or "", arguments)


def _record(state: RunState[Any, Any], item: ToolApprovalItem, decision: Decision) -> None:
    if decision.is_approved:
        state.approve(item)
    else:
        state.reject(item, rejection_message=f"A person rejected this call: {decision.message or 'no reason given'}")


def _write(path: Path, text: str) -> None:
    """Replaces the file at once, and durably: what is asked must not outlive what is to be gone on with."""
    beside = path.with_name(path.name + ".new")
    with beside.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
