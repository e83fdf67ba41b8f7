"""An agent that may run a command only if a person permits it.

`python example.py RUN_ID`: kill it whenever you like, and start it again with the same run id.
"""

import asyncio
import sys

import hitl_claude_agent
from claude_agent_sdk import ClaudeAgentOptions, ClaudeSDKClient, ResultMessage


async def main() -> None:
    """Lets the agent work, and prints what came of it."""
    options = ClaudeAgentOptions(
        can_use_tool=hitl_claude_agent.ask_people(run_id=sys.argv[1]),
        allowed_tools=[],
        setting_sources=[],
        max_turns=4,
    )
    async with ClaudeSDKClient(options) as client:
        await client.query("Write a greeting into hello.txt.")
        async for message in client.receive_response():
            if isinstance(message, ResultMessage):
                print(message.result)


asyncio.run(main())
