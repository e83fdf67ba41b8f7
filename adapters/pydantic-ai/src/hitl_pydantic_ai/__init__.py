"""Lets people settle the deferred tool calls of a Pydantic AI agent.

Tools with `requires_approval=True` wait for an approval, and tools that raise `CallDeferred(kind="question")`
for an answer. Inside of one process, a capability asks while the run goes on:

    agent = Agent("openai:gpt-5", capabilities=[hitl_pydantic_ai.ask_people(run_id="order-4711")])

For runs that outlive a process, `run` takes the place of `agent.run`: it keeps the messages in a file before anybody
is asked. Started again with the same file, the run goes on where it waited, and meets the questions that it had asked.
"""

import asyncio
import json
import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, TypedDict

import hitl
from hitl_approvals import Approvals, Kind, ToolCall, key
from pydantic import TypeAdapter
from pydantic_ai import Agent, AgentRunResult, RunContext
from pydantic_ai.capabilities import HandleDeferredToolCalls
from pydantic_ai.messages import ModelMessagesTypeAdapter, ToolCallPart
from pydantic_ai.tools import DeferredToolRequests, DeferredToolResults, ToolApproved, ToolDenied
from typing_extensions import Unpack

__all__ = ["Options", "answer", "ask_people", "run"]

_REQUESTS = TypeAdapter(DeferredToolRequests)


class Options(TypedDict, total=False):
    """How people are asked."""

    client: hitl.Client | None
    """Whom to ask through; else the client of the environment."""
    timeout: timedelta
    """How long they have for each call: a day unless set. Without a decision by then it is denied."""
    risk: Literal["low", "medium", "high"]
    """How much is at stake."""
    allow_edits: bool
    """Lets people change the arguments of what they approve."""


def ask_people(run_id: str, **options: Unpack[Options]) -> HandleDeferredToolCalls[Any]:
    """A capability that asks about each deferred call, and has the run wait for it."""

    async def handle(_: RunContext[Any], requests: DeferredToolRequests) -> DeferredToolResults:
        return await answer(requests, run_id, **options)

    return HandleDeferredToolCalls(handler=handle)


async def run(
    agent: Agent[Any, Any],
    prompt: str,
    *,
    run_id: str,
    state: str | os.PathLike[str],
    deps: Any = None,
    **options: Unpack[Options],
) -> AgentRunResult[Any]:
    """Like `agent.run`, with people who settle what is deferred; `DeferredToolRequests` must be one of its outputs.

    `run_id` names the run: its questions are those of any run of that name. `state` is the file that the messages are
    kept in while people are asked, and which is removed when the run is done.
    """
    kept = Path(state)
    result = None if kept.exists() else await agent.run(prompt, deps=deps)
    while True:
        if result is not None:
            if not isinstance(result.output, DeferredToolRequests):
                kept.unlink(missing_ok=True)
                return result
            requests = json.loads(_REQUESTS.dump_json(result.output))
            _write(kept, json.dumps({"messages": json.loads(result.all_messages_json()), "requests": requests}))
        waiting = json.loads(kept.read_text())
        results = await answer(_REQUESTS.validate_python(waiting["requests"]), run_id, **options)
        messages = ModelMessagesTypeAdapter.validate_python(waiting["messages"])
        result = await agent.run(message_history=messages, deferred_tool_results=results, deps=deps)


async def answer(requests: DeferredToolRequests, run_id: str, **options: Unpack[Options]) -> DeferredToolResults:
    """Asks people about all of these calls at once, and returns what they say. Calls that wait for a program stay."""
    people = Approvals(
        run_id,
        options.get("client"),
        options.get("timeout", timedelta(days=1)),
        options.get("risk", "medium"),
        {"framework": "pydantic-ai"},
    )
    allowed: Sequence[Kind] = ("approve", "edit", "reject") if options.get("allow_edits") else ("approve", "reject")
    questions = [call for call in requests.calls if requests.kind(call.tool_call_id) == "question"]

    async def approve(call: ToolCallPart) -> ToolApproved | ToolDenied:
        shown = ToolCall(call.tool_call_id, call.tool_name, call.args_as_dict(), allowed=allowed)
        decision = await people.decide(shown)
        if not decision.is_approved:
            return ToolDenied(decision.message or "A person rejected this call.")
        return ToolApproved(override_args=decision.arguments if decision.kind == "edit" else None)

    approvals = await asyncio.gather(*[approve(call) for call in requests.approvals])
    answers = await asyncio.gather(*[_ask(people, call) for call in questions])
    return DeferredToolResults(
        approvals={call.tool_call_id: made for call, made in zip(requests.approvals, approvals, strict=True)},
        calls={call.tool_call_id: said for call, said in zip(questions, answers, strict=True)},
    )


async def _ask(people: Approvals, call: ToolCallPart) -> str:
    """A question that the model asks: an argument `question` or `prompt` is the prompt, the others are shown."""
    arguments = call.args_as_dict()
    prompt = arguments.pop("question", None) or arguments.pop("prompt", None) or f"An agent asks: {call.tool_name}"
    create = people.client.event if people.client else hitl.new_event
    event = await create.aio(
        call.tool_name,
        str,
        scope=people.run,
        prompt=str(prompt),
        timeout_seconds=people.timeout,
        evidence=[hitl.evidence.json("What the agent says", arguments)] if arguments else [],
        labels={**people.labels, "tool": call.tool_name},
        idempotency_key=key("question", people.run, call.tool_call_id),
    )
    try:
        return await event.wait.aio()
    except (hitl.Declined, hitl.TimedOut, hitl.Cancelled) as ended:
        return f"No answer: {ended}"


def _write(path: Path, text: str) -> None:
    """Replaces the file at once, and durably: what is asked must not outlive what is to be gone on with."""
    beside = path.with_name(path.name + ".new")
    with beside.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
