"""A support agent that may refund only what a person approves. A scripted model stands for a real one.

`python example.py RUN_ID`: kill it whenever you like, and start it again with the same run id.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import hitl_openai_agents
from agents import Agent, Model, ModelResponse, RunConfig, Usage, function_tool
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText


class ScriptedModel(Model):
    """Refunds two orders at once, and says what came of it."""

    async def get_response(self, system_instructions: Any, input: Any, *_: Any, **__: Any) -> ModelResponse:
        outputs = [item["output"] for item in input if item.get("type") == "function_call_output"]
        if outputs:
            text = ResponseOutputText(text=" | ".join(outputs), type="output_text", annotations=[])
            message = ResponseOutputMessage(
                id="m", content=[text], role="assistant", status="completed", type="message"
            )
            return ModelResponse(output=[message], usage=Usage(), response_id=None)
        calls = [
            ResponseFunctionToolCall(
                call_id=f"call_{order}", name="refund", arguments=json.dumps({"order": order}), type="function_call"
            )
            for order in (1, 2)
        ]
        return ModelResponse(output=[*calls], usage=Usage(), response_id=None)

    def stream_response(self, *_: Any, **__: Any) -> AsyncIterator[Any]:
        raise NotImplementedError


@function_tool(needs_approval=True)
def refund(order: int) -> str:
    """Refunds an order."""
    return f"order {order} is refunded"


agent = Agent(name="support", model=ScriptedModel(), tools=[refund])
run = hitl_openai_agents.run(
    agent,
    "Refund orders 1 and 2.",
    run_id=sys.argv[1],
    state=f"{sys.argv[1]}.json",
    run_config=RunConfig(tracing_disabled=True),
)
print(asyncio.run(run).final_output)
