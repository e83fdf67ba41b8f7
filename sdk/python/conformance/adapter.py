"""Drives the SDK for the conformance runner: one command a line on stdin, one reply on stdout."""

import asyncio
import json
import sys
from datetime import timedelta
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict

import hitl
from hitl import v1
from hitl.value import Question

Json = dict[str, Any]

TYPES: dict[str, Any] = {kind.__name__: kind for kind in (int, float, str, bool)}
TYPES.update(choice=str, choices=list[str], object=dict[str, Any])
# What a create command has besides options that are called and given the same here.
OTHER = set("id op client event name prompt type min max format options timeout_ms default".split())

clients: dict[str, hitl.Client] = {}
events: dict[str, hitl.Event[Any]] = {}
questions: dict[str, Question] = {}


def state_name(state: v1.EventState.ValueType) -> str:
    return v1.EventState.Name(state).removeprefix("EVENT_STATE_")


def ending(response: v1.Response) -> Json:
    return {"reason": response.reason, "responder": response.responder.name}


def summary(event: v1.Event) -> Json:
    """What the runner wants to know of an event."""
    response = event.response
    return {
        "event_id": event.id,
        "name": event.name,
        "state": state_name(event.state),
        "value": MessageToDict(response.value) if response.HasField("value") else None,
        **ending(response),
    }


async def create(client: hitl.Client, command: Json) -> Json:
    options: Json = {key: value for key, value in command.items() if key not in OTHER}
    data_type = TYPES[command["type"]]
    for bound in {"min", "max"} & command.keys():
        options[bound] = int(command[bound]) if data_type is int else command[bound]
    if "format" in command:
        options["format"] = command["format"].lower().replace("_", "-")
    if command["type"] in ("choice", "choices"):
        options["options"] = [(o["value"], o.get("label", "")) for o in command.get("options", [])]
    if "default" in command:
        options["default_on_timeout"] = ParseDict(command["default"], v1.Value())
    if "timeout_ms" in command:
        options["timeout_seconds"] = timedelta(milliseconds=command["timeout_ms"])
    event = await client.event.aio(command["name"], data_type, prompt=command["prompt"], **options)
    events[command["event"]] = event
    shaping: Json = {key: options[key] for key in ("schema", "options") if key in options}
    questions[command["event"]] = Question(data_type, shaping)
    names = ("request_id", "name", "form_url", "api_url", "endpoint", "existed")
    reply = {name: getattr(event, name) for name in names}
    return {**reply, "event_id": event.id, "deadline_ms": event.record.deadline.ToMilliseconds()}


async def handle(command: Json) -> Json:
    op, name = command["op"], command.get("client", "default")
    if op == "client":
        retry_for = command.get("retry_for_ms", 30_000) / 1000
        given = {key: command.get(key) for key in ("endpoint", "namespace", "run_id")}
        clients[name] = hitl.Client(hitl.Config(**given, retry_for=retry_for))
        return {}
    client = clients.get(name) or clients.setdefault(name, hitl.Client())
    event_id, reason = command.get("event_id", ""), command.get("reason", "")
    responder = command.get("responder", "")
    if op == "create":
        return await create(client, command)
    if op == "wait":
        event = events[command["event"]]
        limit = command["limit_ms"] / 1000 if "limit_ms" in command else None
        try:
            value = await asyncio.wait_for(event.wait.aio(), limit)
        except hitl.Error:
            raise
        except asyncio.TimeoutError:
            return {"gave_up": True}
        return {"value": MessageToDict(questions[command["event"]].encode(value))}
    if op == "cancel_event":
        await events[command["event"]].cancel.aio(reason)
        return {}
    if op == "answer":
        value = command.get("json")
        if "value" in command:
            value = ParseDict(command["value"], v1.Value())
        text = command.get("text")
        return summary(await client.answer.aio(event_id, value, text=text, responder=responder))
    if op == "decline":
        return summary(await client.decline.aio(event_id, reason, responder))
    if op == "cancel":
        return summary(await client.cancel.aio(event_id, reason))
    if op == "list":
        keys = ("name", "scope", "labels", "page_size", "page_token")
        filters = {key: command[key] for key in keys if key in command}
        state = v1.EventState.Value(f"EVENT_STATE_{command.get('state', 'UNSPECIFIED')}")
        page = await client.list.aio(state=state, **filters)
        listed = [summary(event) for event in page.events]
        return {"events": listed, "next_page_token": page.next_page_token}
    if op == "ask":
        data_type = TYPES[command["type"]]
        value = await hitl.ask.aio(command["name"], command["prompt"], data_type)
        return {"value": MessageToDict(Question(data_type, {}).encode(value))}
    untyped = {"get": client.get, "wait_event": client.wait_event}[op]
    return summary(await untyped.aio(event_id))


def failure(error: hitl.Error) -> Json:
    end = error.response
    return {
        "kind": error.kind,
        "reason": error.reason,
        "message": error.message,
        "fields": [violation.field for violation in error.field_violations],
        "retryable": error.retryable,
        "response": end and {"state": state_name(end.state), **ending(end)},
    }


async def reply(command: Json) -> None:
    try:
        outcome: Json = {"ok": await handle(command)}
    except hitl.Error as error:
        outcome = {"error": failure(error)}
    print(json.dumps({"id": command["id"], **outcome}), flush=True)


async def main() -> None:
    replies: set[asyncio.Task[None]] = set()
    while line := await asyncio.to_thread(sys.stdin.readline):
        task = asyncio.create_task(reply(json.loads(line)))
        replies.add(task)
        task.add_done_callback(replies.discard)


asyncio.run(main())
