"""The example with the real program of the SDK, a scripted model, and a person who answers; killed once."""

import asyncio
import os
from pathlib import Path

import hitl_claude_agent
import pytest
from claude_agent_sdk import PermissionResultAllow, PermissionResultDeny, ToolPermissionContext

from people import Person, Program, asked_now, example
from scripted_model import scripted_model


@pytest.mark.parametrize("permitted", [True, False], ids=["permitted", "refused"])
def test_a_command_is_run_only_if_it_was_permitted(person: Person, tmp_path: Path, permitted: bool) -> None:
    with scripted_model("echo hello > hello.txt && echo done") as address:
        program: Program = example(__file__, "greeting", cwd=tmp_path)
        program.env = {
            **os.environ,
            "ANTHROPIC_BASE_URL": address,
            "ANTHROPIC_API_KEY": "none",
            "CLAUDE_CONFIG_DIR": str(tmp_path / "config"),
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
        }
        decision = {"value.decision": "approve"}
        if not permitted:
            decision = {"value.decision": "reject", "value.message": "not today"}
        said = program.run_and_kill_once(person, [lambda event: person.answer(event, **decision)])
    if permitted:
        assert 'the command was run: "done' in said
    else:
        assert "the command was refused" in said
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
    assert refused == PermissionResultDeny("not that")
    edited = {"value.decision": "edit", "value.arguments": '{"command": "ls /tmp/x"}'}
    assert asyncio.run(decide("toolu_2", **edited)) == PermissionResultAllow(updated_input={"command": "ls /tmp/x"})


def test_a_call_without_an_id_is_refused() -> None:
    ask = hitl_claude_agent.ask_people("x")
    assert isinstance(asyncio.run(ask("Bash", {}, ToolPermissionContext())), PermissionResultDeny)
