"""Lets people answer the interrupts of a LangGraph graph.

A graph stops at `interrupt(...)` and goes on with `Command(resume=...)`. What is between the two is
here: `invoke` and `ainvoke` take the place of the graph's own, make each interrupt a question, wait
for its answer and resume, until the graph is done:

    answer = interrupt("Which city?", response_schema={"type": "string"})  # in a node
    result = hitl_langgraph.invoke(graph, {"trip": "Rome"}, {"configurable": {"thread_id": "42"}})

Tool calls that LangChain's `HumanInTheLoopMiddleware` holds are decided by a person too, with edits
and replies where the middleware allows them. The graph needs a checkpointer. Started again with the
same thread id, the graph goes on where it was, and meets the questions that it had asked.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal, TypedDict

import hitl
from hitl_approvals import Approvals, Decision, ToolCall, key
from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, Interrupt
from typing_extensions import Unpack

__all__ = ["Options", "ainvoke", "invoke"]

Graph = CompiledStateGraph[Any, Any, Any, Any]


class Options(TypedDict, total=False):
    """How people are asked."""

    client: hitl.Client | None
    """Whom to ask through; else the client of the environment."""
    timeout: timedelta
    """How long they have for each question: a day unless set."""
    risk: Literal["low", "medium", "high"]
    """How much is at stake when a tool is called."""
    labels: Mapping[str, str]
    """Labels to list the questions by."""


_KINDS: dict[str, type] = {"boolean": bool, "integer": int, "number": float, "string": str}
"""Types of answer by the type of a JSON Schema."""

_RESTRICTIONS = {"minimum": "min", "maximum": "max", "minLength": "min_length", "maxLength": "max_length"}
"""What a JSON Schema calls them, and what the SDK does."""


def invoke(graph: Graph, input: Any, config: RunnableConfig, **options: Unpack[Options]) -> Any:
    """Like `graph.invoke`, with people who answer its interrupts. Where a loop of asyncio runs, await `ainvoke`.

    A question that ends without an answer raises `hitl.Declined`, `hitl.TimedOut` or `hitl.Cancelled`, and the thread
    stays where it is; a tool call is rejected by it.
    """
    people = _people(config, options)
    state = graph.get_state(config)
    # A thread that has not come to its end goes on, whatever it is given: its input is in its first checkpoint.
    step, waiting = None if state.next else input, state.interrupts
    while True:
        if waiting:
            step = asyncio.run(_answers(people, waiting))
        done = graph.invoke(step, config)
        waiting = graph.get_state(config).interrupts
        if not waiting:
            return done


async def ainvoke(graph: Graph, input: Any, config: RunnableConfig, **options: Unpack[Options]) -> Any:
    """Like `graph.ainvoke`, with people who answer its interrupts, as `invoke` does."""
    people = _people(config, options)
    state = await graph.aget_state(config)
    step, waiting = None if state.next else input, state.interrupts
    while True:
        if waiting:
            step = await _answers(people, waiting)
        done = await graph.ainvoke(step, config)
        waiting = (await graph.aget_state(config)).interrupts
        if not waiting:
            return done


def _people(config: RunnableConfig, options: Options) -> Approvals:
    thread = str(config.get("configurable", {}).get("thread_id", ""))
    if not thread:
        raise hitl.Invalid("the graph has no thread_id: give one in config['configurable']")
    labels = {**options.get("labels", {}), "framework": "langgraph"}
    timeout = options.get("timeout", timedelta(days=1))
    return Approvals(thread, options.get("client"), timeout, options.get("risk", "medium"), labels)


async def _answers(people: Approvals, waiting: Sequence[Interrupt]) -> Command[Any]:
    """Asks about all that the graph waits for at once, and says how to go on."""
    answers = await asyncio.gather(*[_answer(people, interrupt) for interrupt in waiting])
    return Command(resume={one.id: answer for one, answer in zip(waiting, answers, strict=True)})


async def _answer(people: Approvals, interrupt: Interrupt) -> Any:
    """What the graph is resumed with: a decision, several of them, or the answer to a question."""
    value = interrupt.value
    if isinstance(value, dict) and value.get("type") == "tool_approval":
        call = ToolCall(value["tool_call_id"], value["name"], value["args"], value["description"], _allowed(interrupt))
        return _resumed(call, await people.decide(call))
    if isinstance(value, dict) and "action_requests" in value:
        configs = {config["action_name"]: config for config in value["review_configs"]}
        calls = [
            ToolCall(
                f"{interrupt.id}-{number}",
                action["name"],
                action["args"],
                action.get("description", ""),
                configs[action["name"]]["allowed_decisions"],
            )
            for number, action in enumerate(value["action_requests"])
        ]
        decisions = await asyncio.gather(*[people.decide(call) for call in calls])
        return {"decisions": [_resumed(call, made) for call, made in zip(calls, decisions, strict=True)]}
    return await _ask(people, interrupt)


def _allowed(interrupt: Interrupt) -> Any:
    """The decisions that the schema of an answer has room for."""
    found: list[str] = []

    def look(part: Any) -> None:
        if isinstance(part, dict):
            kind = part.get("properties", {}).get("type", {}) if isinstance(part.get("properties"), dict) else {}
            found.extend([kind["const"]] if "const" in kind else [])
            part = list(part.values())
        for inner in part if isinstance(part, list) else ():
            look(inner)

    look(interrupt.response_schema)
    return [kind for kind in ("approve", "edit", "reject", "respond") if kind in found] or ["approve", "reject"]


def _resumed(call: ToolCall, decision: Decision) -> dict[str, Any]:
    """A decision as the middleware wants it."""
    if decision.kind == "edit":
        return {"type": "edit", "edited_action": {"name": call.tool, "args": decision.arguments}}
    if decision.kind == "reject":
        return {"type": "reject", "message": decision.message or "rejected"}
    if decision.kind == "respond":
        return {"type": "respond", "message": decision.message}
    return {"type": "approve"}


async def _ask(people: Approvals, interrupt: Interrupt) -> Any:
    """A question of the graph's own. A text is the prompt; anything else is shown, and its `prompt` is one."""
    value, options = interrupt.value, dict[str, Any]()
    prompt = value if isinstance(value, str) else "The graph waits for an answer."
    if isinstance(value, dict) and isinstance(value.get("prompt"), str):
        prompt = value["prompt"]
        value = {name: shown for name, shown in value.items() if name != "prompt"}
    if not isinstance(value, str) and value:
        options["evidence"] = [hitl.evidence.json("What the graph says", value)]
    data_type, restrictions = _type(interrupt.response_schema)
    create = people.client.event if people.client else hitl.new_event
    event = await create.aio(
        "interrupt",
        data_type,
        scope=people.run,
        prompt=prompt,
        timeout_seconds=people.timeout,
        labels=people.labels,
        idempotency_key=key("interrupt", people.run, interrupt.id, json.dumps(interrupt.value, default=str)),
        **options,
        **restrictions,
    )
    return await event.wait.aio()


def _type(schema: Any) -> tuple[Any, dict[str, Any]]:
    """The type of answer that a JSON Schema asks for, and its restrictions; a text without one."""
    if not isinstance(schema, dict):
        return str, {}
    if schema.get("type") == "object":
        return dict, {"schema": schema}
    if "enum" in schema:
        return str, {"options": [str(choice) for choice in schema["enum"]]}
    restrictions = {ours: schema[theirs] for theirs, ours in _RESTRICTIONS.items() if theirs in schema}
    return _KINDS.get(schema.get("type", "string"), str), restrictions
