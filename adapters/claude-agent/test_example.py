"""The example with the real program of the SDK, a scripted model, and a person who answers; killed once."""

import asyncio
import os
from pathlib import Path

import hitl_claude_agent
import pytest
from claude_agent_sdk import (
    ClaudeAgentOptions,
    ClaudeSDKClient,
    PermissionResultAllow,
    PermissionResultDeny,
    ResultMessage,
    ToolPermissionContext,
)

from people import LIMIT_S, Person, Program, asked_now, example
from scripted_model import scripted_model


def alone(address: str, directory: Path) -> dict[str, str]:
    """What makes the program of the SDK talk to the scripted model and to nobody else."""
    return {
        "ANTHROPIC_BASE_URL": address,
        "ANTHROPIC_API_KEY": "none",
        "CLAUDE_CONFIG_DIR": str(directory / "config"),
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "ENABLE_TOOL_SEARCH": "false",
    }


@pytest.mark.parametrize("permitted", [True, False], ids=["permitted", "refused"])
def test_a_command_is_run_only_if_it_was_permitted(person: Person, tmp_path: Path, permitted: bool) -> None:
    call = {"command": "echo hello > hello.txt && echo done", "description": "Writes a greeting"}
    with scripted_model("Bash", call) as address:
        program: Program = example(__file__, "greeting", cwd=tmp_path)
        program.env |= alone(address, tmp_path)
        decision = {"value.decision": "approve"}
        if not permitted:
            decision = {"value.decision": "reject", "value.message": "not today"}
        said = program.run_and_kill_once(person, [lambda event: person.answer(event, **decision)])
    if permitted:
        assert 'the call was made: "done' in said
    else:
        assert "the call was refused" in said
        assert "not today" in said, "the model is told why"
    assert (tmp_path / "hello.txt").exists() == permitted


def test_the_agent_is_told_why_and_gets_the_arguments_that_were_approved(person: Person) -> None:
    async def decide(call_id: str, **fields: str) -> PermissionResultAllow | PermissionResultDeny:
        ask = hitl_claude_agent.ask_people("edits", allow_edits=True)
        context = ToolPermissionContext(tool_use_id=call_id, title="Claude wants to run rm")
        deciding = asyncio.create_task(ask("Bash", {"command": "rm -r /tmp/x"}, context))
        event = await asyncio.to_thread(asked_now, person)
        assert event.prompt == "Claude wants to run rm"
        await asyncio.to_thread(lambda: person.answer(event, **fields))
        return await deciding

    refused = asyncio.run(decide("toolu_1", **{"value.decision": "reject", "value.message": "not that"}))
    assert refused == PermissionResultDeny(message="not that")
    edited = {"value.decision": "edit", "value.arguments": '{"command": "ls /tmp/x"}'}
    assert asyncio.run(decide("toolu_2", **edited)) == PermissionResultAllow(updated_input={"command": "ls /tmp/x"})


def test_a_call_without_an_id_is_refused() -> None:
    ask = hitl_claude_agent.ask_people("x")
    assert isinstance(asyncio.run(ask("Bash", {}, ToolPermissionContext())), PermissionResultDeny)


def test_the_agent_asks_by_the_tools_of_mcp(person: Person, tmp_path: Path) -> None:
    tool, question = "mcp__hitl__ask_human", {"prompt": "Which colour?", "options": ["red", "green"]}

    async def ask(address: str) -> str | None:
        hitl_mcp = {"type": "stdio", "command": os.environ["HITL_BIN"], "args": ["mcp"]}
        options = ClaudeAgentOptions(
            mcp_servers={"hitl": hitl_mcp},  # type: ignore[dict-item]
            allowed_tools=[tool],
            setting_sources=[],
            cwd=tmp_path,
            env=alone(address, tmp_path),
        )
        async with ClaudeSDKClient(options) as client:
            await client.query("Paint it.")
            async for message in client.receive_response():
                if isinstance(message, ResultMessage):
                    return message.result
        return None

    async def main(address: str) -> str | None:
        asking = asyncio.create_task(ask(address))
        event = await asyncio.to_thread(asked_now, person)
        await asyncio.to_thread(lambda: person.answer(event, value="green"))
        return await asyncio.wait_for(asking, LIMIT_S)

    with scripted_model(tool, question) as address:
        said = asyncio.run(main(address))
    assert said is not None
    assert said.startswith("the call was made")
    assert "green" in said
