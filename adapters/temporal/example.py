"""A workflow that ships only if a person says so, and a worker for it.

`python example.py ADDRESS worker` works until it is killed; `python example.py ADDRESS start ID` starts a workflow, or
meets the one of that id, and prints what came of it.
"""

import asyncio
import sys
from datetime import timedelta

from temporalio import workflow
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    from hitl_temporal import People, Question


@workflow.defn
class Release:
    """Asks how many replicas, and whether to ship."""

    @workflow.run
    async def run(self, version: str) -> str:
        """Returns what was done."""
        replicas = await self.ask(Question("replicas", f"How many replicas of {version}?", {"int": {"min": "1"}}))
        ship = await self.ask(Question("ship", f"Ship {version} to {replicas} replicas?", {"bool": {}}))
        return f"{version} is on {replicas} replicas" if ship else f"{version} stays here"

    async def ask(self, question: Question) -> object:
        """The answer of a person."""
        return await workflow.execute_activity(
            "ask_person",
            question,
            start_to_close_timeout=timedelta(days=2),
            heartbeat_timeout=timedelta(seconds=3),
        )


async def main(address: str, role: str, workflow_id: str = "") -> None:
    """Works, or starts a workflow."""
    client = await Client.connect(address)
    if role == "worker":
        people = People(client)
        async with Worker(client, task_queue="hitl", workflows=[Release], activities=[people.ask_person]):
            await asyncio.Event().wait()
    print(
        await client.execute_workflow(
            Release.run,
            "v2",
            id=workflow_id,
            task_queue="hitl",
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
    )


# The sandbox of workflows imports this file again.
if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
