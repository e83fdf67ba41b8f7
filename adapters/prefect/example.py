"""A flow that asks how many servers to add, and whether to.

`python example.py FLOW_RUN_ID` carries out a flow run, as a worker does; without an id it makes one and prints its id.
"""

import asyncio
import sys
from uuid import UUID

from hitl_prefect import ask
from prefect.flow_engine import run_flow

from prefect import flow, get_client


@flow(name="scale")
def scale() -> str:
    """Asks twice, and says what is done."""
    servers = ask("servers", int, prompt="How many servers shall I add?", min=1)
    if not ask("sure", bool, prompt=f"Add {servers} servers?"):
        return "none"
    return f"{servers} servers are added"


async def create() -> str:
    """A flow run that nobody has carried out yet."""
    async with get_client() as client:
        return str((await client.create_flow_run(scale)).id)


async def read(flow_run_id: str) -> object:
    """A flow run as the server has it."""
    async with get_client() as client:
        return await client.read_flow_run(UUID(flow_run_id))


if len(sys.argv) == 1:
    print(asyncio.run(create()))
else:
    print(run_flow(scale, flow_run=asyncio.run(read(sys.argv[1]))))
