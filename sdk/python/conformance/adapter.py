"""Drives the SDK for the conformance runner: commands as JSON lines on stdin, replies on stdout."""

import asyncio
import dataclasses
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from google.protobuf.message import Message

import hitl
from hitl import v1

Json = dict[str, Any]

TYPES: dict[str, Any] = {kind.__name__: kind for kind in (int, float, str, bool)}
TYPES.update(choice=str, choices=list[str], object=dict[str, Any], review=hitl.Review)
# What a create command has besides options that are called and given the same here.
OTHER = set("id op client run event name type format timeout_ms".split())

clients: dict[str, hitl.Client] = {}
runs: dict[str, hitl.Run] = {}
events: dict[str, hitl.Event[Any]] = {}


async def handle(command: Json) -> Json:
    op, name = command["op"], command["client"]
    if op == "client":
        given = {
            key: command.get(key)
            for key in ("endpoint", "namespace", "run_id", "token", "headers", "proxy")
        }
        if "retry_for_ms" in command:
            given["retry_for"] = command["retry_for_ms"] / 1000
        if "call_timeout_ms" in command:
            given["call_timeout"] = command["call_timeout_ms"] / 1000
        clients[name] = hitl.Client(hitl.Config(**given, insecure=command.get("insecure", False)))
        return {}
    if op == "verify":
        return verify(command)
    client = clients[name]
    if "call_timeout_ms" in command:
        client = client.with_call_timeout(command["call_timeout_ms"] / 1000)
    if op == "run":
        runs[command["run"]] = client.run(command["run_id"])
        return {}
    if op == "create":
        return await create(runs[command["run"]] if "run" in command else client, command)
    if op == "attach":
        return await attach(client, command)
    if op == "within":
        return {"event_ids": await within(client, command)}
    if op == "poll":
        value = await events[command["event"]].poll.aio()
        return {"pending": True} if value is None else {"value": value}
    if op == "json":
        return {"json": json.loads(events[command["event"]].to_json())}
    if op == "wait":
        return await wait(events[command["event"]], command.get("limit_ms"))
    if op == "wait_details":
        details = await events[command["event"]].wait_details.aio()
        return {"value": details.value, "comment": details.response.comment}
    if op == "execute":
        return execute(await events[command["event"]].wait.aio(), command)
    if op == "cancel_event":
        await events[command["event"]].cancel.aio(command.get("reason", ""))
        return {}
    if op == "ask_valid":
        return await ask_valid(runs[command["run"]] if "run" in command else client, command)
    if op == "ask":
        return {"value": await hitl.ask.aio(command["name"], command["prompt"], int)}
    if op == "list":
        request = v1.ListEventsRequest.FromString(bytes(command["message"]))
        filters: Json = {field.name: value for field, value in request.ListFields()}
        return {"page": pack(await client.list.aio(**filters))}
    if op == "events":
        request = v1.ListEventsRequest.FromString(bytes(command["message"]))
        filters = {field.name: value for field, value in request.ListFields()}
        matching = client.events(**filters, limit=command.get("limit"))
        return {"listed": [pack(event) async for event in matching]}
    if op == "watch":
        return {"changes": await watch(client, command)}
    if op == "create_many":
        questions = map(v1.CreateEventRequest.FromString, map(bytes, command["messages"]))
        return {"results": outcomes("created", await client.create_many.aio(questions))}
    if op == "answer_many":
        answers = map(v1.AnswerEventRequest.FromString, map(bytes, command["messages"]))
        return {"results": outcomes("response", await client.answer_many.aio(answers))}
    if op == "comment":
        said = await client.comment.aio(
            command["event_id"],
            command["text"],
            needs_info=command.get("needs_info", False),
            author=command.get("responder", ""),
        )
        return comments([said])
    if op == "comments":
        return comments(await client.comments.aio(command["event_id"]))
    if op == "receipt":
        receipt, keys = (
            await client.receipt.aio(command["event_id"]),
            await client.receipt_keys.aio(),
        )
        return {"receipt": json.loads(receipt.to_json()), "keys": json.loads(keys.to_json())}
    if op == "create_link":
        ttl = command["ttl_ms"] / 1000 if "ttl_ms" in command else None
        link = await client.create_link.aio(command["event_id"], command["responder"], ttl)
        expires_ms = round(link.expires.timestamp() * 1000)
        told = {"url": link.url, "api_url": link.api_url, "expires_ms": expires_ms}
        return {**told, "printed": repr(link)}
    if op == "revoke_links":
        await client.revoke_links.aio(command["event_id"], command.get("responder", ""))
        return {}
    if op == "wait_many":
        waits = [client.wait_event.aio(event_id) for event_id in command["event_ids"]]
        return {"events": [pack(event) for event in await asyncio.gather(*waits)]}
    return {"event": pack(await untyped(client, command))}


def comments(said: Iterable[v1.Comment]) -> Json:
    each = [{"author": it.author.name, "text": it.text, "needs_info": it.needs_info} for it in said]
    return {"comments": each}


async def create(client: hitl.Client | hitl.Run, command: Json) -> Json:
    options: Json = {key: value for key, value in command.items() if key not in OTHER}
    if "format" in command:
        name = command["format"].removeprefix("STR_FORMAT_")
        options["format"] = name.lower().replace("_", "-")
    if "evidence" in command:
        options["evidence"] = map(v1.Evidence.FromString, map(bytes, command["evidence"]))
    if "timeout_ms" in command:
        options["timeout_seconds"] = timedelta(milliseconds=command["timeout_ms"])
    if command["type"] == "review" and "default_on_timeout" in options:
        options["default_on_timeout"] = hitl.Review(**options["default_on_timeout"])
    event = await client.event.aio(command["name"], TYPES[command["type"]], **options)
    return keep(command, event)


async def ask_valid(client: hitl.Client | hitl.Run, command: Json) -> Json:
    def even(number: int) -> None:
        if number % 2:
            raise ValueError(f"{number} is odd")

    name, prompt, attempts = command["name"], command["prompt"], command.get("attempts", 3)
    value = await client.ask_valid.aio(name, int, even, prompt=prompt, attempts=attempts)
    return {"value": value}


async def attach(client: hitl.Client, command: Json) -> Json:
    data_type = TYPES[command["type"]]
    if "event_id" in command:
        return keep(command, await client.attach.aio(command["event_id"], data_type))
    run, n = runs[command["run"]], command.get("number", 1)
    return keep(command, await run.attach.aio(command["name"], data_type, n))


async def within(client: hitl.Client, command: Json) -> list[str]:
    async with client.run(command["run_id"]):
        names = [command["name"]] * command["count"]
        return [(await client.event.aio(name, int)).id for name in names]


def keep(command: Json, event: hitl.Event[Any]) -> Json:
    events[command["event"]] = event
    names = ("request_id", "name", "form_url", "api_url", "endpoint", "existed")
    reply = {name: getattr(event, name) for name in names}
    deadline_ms = round(event.deadline.timestamp() * 1000)
    return {**reply, "event_id": event.id, "deadline_ms": deadline_ms}


async def wait(event: hitl.Event[Any], limit_ms: int | None) -> Json:
    if limit_ms is None:
        return {"value": await event.wait.aio()}
    value = await event.wait_for.aio(limit_ms / 1000)
    return {"gave_up": True} if value is None else {"value": value}


def execute(review: hitl.Review, command: Json) -> Json:
    given = command.get("arguments", review.arguments)
    approves = review.approves(command["action"], given)

    def run(**arguments: Any) -> Any:
        return arguments

    executed = review.execute_if_approved(command["action"], run)
    return {"executed": executed, "approves": approves}


def verify(command: Json) -> Json:
    keys = hitl.KeySet.from_json(json.dumps(command["keys"]))
    said = hitl.Receipt.from_json(json.dumps(command["receipt"])).verify(keys)
    return {name: getattr(said, name) for name in ("event_id", "namespace", "state", "time")}


async def watch(client: hitl.Client, command: Json) -> list[Json]:
    request = v1.WatchEventsRequest.FromString(bytes(command["message"]))
    filters: Json = {field.name: value for field, value in request.ListFields()}
    changes: list[Json] = []
    async for change in client.watch(**filters):
        event, token = pack(change.event), change.resume_token
        changes.append({"kind": change.kind, "event": event, "resume_token": token})
        if change.kind == v1.CHANGE_KIND_ENDED and change.event.name == command["last"]:
            break
    return changes


async def untyped(client: hitl.Client, command: Json) -> v1.Event:
    op, event_id = command["op"], command["event_id"]
    reason, responder = command.get("reason", ""), command.get("responder", "")
    if op == "get":
        return await client.get.aio(event_id)
    if op == "wait_event":
        return await client.wait_event.aio(event_id)
    if op == "decline":
        return await client.decline.aio(event_id, reason, responder)
    if op == "cancel":
        return await client.cancel.aio(event_id, reason)
    said = {"responder": responder, "comment": command.get("comment", "")}
    request = v1.AnswerEventRequest.FromString(bytes(command["message"]))
    if request.HasField("text"):
        return await client.answer.aio(event_id, text=request.text, **said)
    value = request.value if request.HasField("value") else json.loads(request.json)
    return await client.answer.aio(event_id, value, **said)


def outcomes(name: str, results: Sequence[Message | hitl.Error]) -> list[Json]:
    return [
        {"error": failure(result)} if isinstance(result, hitl.Error) else {name: pack(result)}
        for result in results
    ]


def pack(message: Message) -> list[int]:
    return list(message.SerializeToString())


def failure(error: hitl.Error) -> Json:
    return {
        "kind": error.kind,
        "reason": error.reason,
        "message": error.message,
        "fields": [violation.field for violation in error.field_violations],
        "retryable": error.retryable,
        "response": error.response and pack(error.response),
    }


async def reply(command: Json) -> None:
    try:
        outcome: Json = {"ok": await handle(command)}
    except hitl.Error as error:
        outcome = {"error": failure(error)}
    except Exception as fault:
        outcome = {"error": {"kind": "adapter", "message": repr(fault)}}
    line = json.dumps({"id": command["id"], **outcome}, default=dataclasses.asdict)
    print(line, flush=True)


async def main() -> None:
    replies: set[asyncio.Task[None]] = set()
    while line := await asyncio.to_thread(sys.stdin.readline):
        task = asyncio.create_task(reply(json.loads(line)))
        replies.add(task)
        task.add_done_callback(replies.discard)


asyncio.run(main())
