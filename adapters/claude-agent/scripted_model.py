"""Stands for the model behind the agent: it calls one tool, and then says what came of it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@contextmanager
def scripted_model(tool: str, arguments: dict[str, Any]) -> Iterator[str]:
    """Serves the API of the model at the address that it yields."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._send("application/json", b"")

        def do_GET(self) -> None:
            self._send("application/json", b"{}")

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if "count_tokens" in self.path:
                return self._send("application/json", b'{"input_tokens": 1}')
            block, stop = _next(asked.get("messages", []), asked.get("tools", []), tool, arguments)
            return self._send("text/event-stream", _stream(block, stop).encode())

        def _send(self, kind: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def _next(messages: list[Any], tools: list[Any], tool: str, arguments: dict[str, Any]) -> tuple[dict[str, Any], str]:
    if not any(known.get("name") == tool for known in tools):
        return {"type": "text", "text": f"there is no {tool}"}, "end_turn"
    blocks = [block for message in messages if isinstance(message["content"], list) for block in message["content"]]
    results = [block for block in blocks if block.get("type") == "tool_result"]
    if results:
        outcome = "was refused" if results[-1].get("is_error") else "was made"
        said = json.dumps(results[-1]["content"], ensure_ascii=False)
        return {"type": "text", "text": f"the call {outcome}: {said}"}, "end_turn"
    return {"type": "tool_use", "id": "toolu_1", "name": tool, "input": arguments}, "tool_use"


def _stream(block: dict[str, Any], stop: str) -> str:
    """One message, as the API streams it."""
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "scripted", "content": []}
    message |= {"stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}}
    if block["type"] == "text":
        start = {**block, "text": ""}
        delta = {"type": "text_delta", "text": block["text"]}
    else:
        start = {**block, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    events = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": start},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ]
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
