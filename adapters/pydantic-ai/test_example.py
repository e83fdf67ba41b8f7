"""The example with a person who answers, killed once; and the capability that asks inside of a process."""

import asyncio
import threading
from pathlib import Path

import hitl_pydantic_ai
import pytest
from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from people import Person, asked_now, example


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        ({"value.decision": "approve"}, "Done: sent to Bob: You owe us 100 €.\n"),
        (
            {"value.decision": "edit", "value.arguments": '{"to": "Bob", "text": "Please pay."}'},
            "Done: sent to Bob: Please pay.\n",
        ),
        ({"value.decision": "reject", "value.message": "he has paid"}, "Done: he has paid\n"),
    ],
    ids=["approve", "edit", "reject"],
)
def test_it_ends_with_what_was_decided(person: Person, tmp_path: Path, decision: dict[str, str], expected: str) -> None:
    said = example(__file__, "letter", cwd=tmp_path).run_and_kill_once(
        person,
        [lambda event: person.answer(event, value="Bob"), lambda event: person.answer(event, **decision)],
    )
    assert said.endswith(expected)
    assert not list(tmp_path.glob("*.json")), "the state of a run that is done is removed"


def test_the_capability_asks_while_the_run_goes_on(person: Person) -> None:
    def model(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
        parts = [part for message in messages for part in message.parts if isinstance(part, ToolReturnPart)]
        if parts:
            return ModelResponse([TextPart(str(parts[0].content))])
        return ModelResponse([ToolCallPart("launch", {}, "call_1")])

    agent = Agent(FunctionModel(model), capabilities=[hitl_pydantic_ai.ask_people(run_id="launch")])

    @agent.tool_plain(requires_approval=True)
    def launch() -> str:
        return "launched"

    said: list[str] = []
    running = threading.Thread(target=lambda: said.append(asyncio.run(agent.run("Launch.")).output))
    running.start()
    person.answer(asked_now(person), **{"value.decision": "reject", "value.message": "not on a Friday"})
    running.join(60)
    assert said == ["not on a Friday"]
