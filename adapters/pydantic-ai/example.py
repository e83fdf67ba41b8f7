"""An agent that asks whom to write to, and sends only what a person approves. A scripted model stands for a real one.

`python example.py RUN_ID`: kill it whenever you like, and start it again with the same run id.
"""

import asyncio
import sys

import hitl_pydantic_ai
from pydantic_ai import Agent, CallDeferred, DeferredToolRequests
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel


def scripted(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
    """Asks whom to write to, writes, and says what came of it."""
    parts = [part for message in messages for part in message.parts]
    said = [str(part.content) for part in parts if isinstance(part, ToolReturnPart)]
    if not said:
        return ModelResponse([ToolCallPart("ask_user", {"question": "Whom shall I write to?"}, "call_1")])
    if len(said) == 1:
        return ModelResponse([ToolCallPart("send", {"to": said[0], "text": "You owe us 100 €."}, "call_2")])
    return ModelResponse([TextPart(f"Done: {said[1]}")])


agent = Agent(FunctionModel(scripted), output_type=[str, DeferredToolRequests])


@agent.tool_plain
def ask_user(question: str) -> str:
    """Asks the user something."""
    raise CallDeferred(kind="question")


@agent.tool_plain(requires_approval=True)
def send(to: str, text: str) -> str:
    """Sends a letter."""
    return f"sent to {to}: {text}"


run = hitl_pydantic_ai.run(
    agent, "Remind the debtor.", run_id=sys.argv[1], state=f"{sys.argv[1]}.json", allow_edits=True
)
print(asyncio.run(run).output)
