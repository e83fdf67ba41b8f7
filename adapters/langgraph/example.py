"""A travel agent that asks where to go, and whether it may book. A scripted model stands for a real one.

`python example.py THREAD_ID`: kill it whenever you like, and start it again with the same thread id.
"""

import sqlite3
import sys
from typing import Any

import hitl_langgraph
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import interrupt


class ScriptedModel(BaseChatModel):
    """Asks for the city, books there, and says what came of it."""

    def bind_tools(self, tools: Any, **options: Any) -> Any:
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        said = [message.content for message in messages if isinstance(message, ToolMessage)]
        calls = [
            {"name": "choose_city", "args": {}, "id": "call_1"},
            {"name": "book", "args": {"city": said[0] if said else "", "nights": 30}, "id": "call_2"},
        ]
        message = AIMessage("", tool_calls=[calls[len(said)]]) if len(said) < 2 else AIMessage(f"Done: {said[-1]}")
        return ChatResult(generations=[ChatGeneration(message=message)])

    @property
    def _llm_type(self) -> str:
        return "scripted"


@tool
def choose_city() -> str:
    """Asks the traveller where to go."""
    city = interrupt("Where do you want to go?", response_schema={"type": "string", "minLength": 2})
    return str(city)


@tool
def book(city: str, nights: int) -> str:
    """Books a hotel."""
    return f"booked {nights} nights in {city}"


agent = create_agent(
    ScriptedModel(),
    tools=[choose_city, book],
    middleware=[HumanInTheLoopMiddleware(interrupt_on={"book": True}, interrupt_mode=sys.argv[2])],
    checkpointer=SqliteSaver(sqlite3.connect("threads.db", check_same_thread=False)),
)
question = {"messages": [{"role": "user", "content": "Book me a trip."}]}
result = hitl_langgraph.invoke(agent, question, {"configurable": {"thread_id": sys.argv[1]}})
print(result["messages"][-1].content)
