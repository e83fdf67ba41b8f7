"""The Python reference client, told what to do line by line: see `client.rs`."""

import asyncio
import json
import sys

import httpx2
from mcp import Client, StdioServerParameters, types
from mcp.client.streamable_http import streamable_http_client

settings = json.loads(sys.argv[1])
elicited: list[dict] = []


def say(message: dict) -> None:
    print(json.dumps(message), flush=True)


async def elicit(_context, params) -> types.ElicitResult:
    elicited.append(params.model_dump(mode="json", by_alias=True, exclude_none=True))
    replies = settings["replies"]
    return types.ElicitResult(**(replies.pop(0) if replies else {"action": "cancel"}))


async def call(client: Client, tool: str, args: dict, timeout_s: float | None = None) -> dict:
    progress = 0

    async def count(_progress, _total, _message) -> None:
        nonlocal progress
        progress += 1

    result = await client.call_tool(tool, args, read_timeout_seconds=timeout_s, progress_callback=count)
    return {
        "structured": result.structured_content,
        "is_error": result.is_error,
        "text": getattr(result.content[0], "text", None),
        "progress": progress,
    }


async def serve(client: Client) -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    say({"version": client.protocol_version})
    while line := await lines.readline():
        command = json.loads(line)
        try:
            if "tool" in command:
                reply = await call(client, **command)
            else:
                listed = await client.list_tools()
                tools = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in listed.tools]
                reply = {"tools": tools}
        except Exception as error:
            reply = {"failed": f"{type(error).__name__}: {error}"}
        say({**reply, "elicited": elicited[:]})
        elicited.clear()


async def main() -> None:
    if http := settings.get("http"):
        headers = {"Authorization": f"Bearer {http['token']}"}
        session = httpx2.AsyncClient(headers=headers, timeout=httpx2.Timeout(10, read=120))
        server = streamable_http_client(http["url"], http_client=session)
    else:
        server = StdioServerParameters(**settings["stdio"])
    elicitation = {"elicitation_callback": elicit} if settings.get("modes") else {}
    info = types.Implementation(name="test-client", version="1")
    async with Client(server, mode=settings["mode"], client_info=info, **elicitation) as client:
        await serve(client)


try:
    asyncio.run(main())
except BaseException as error:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    say({"failed": f"{type(error).__name__}: {error}"})
