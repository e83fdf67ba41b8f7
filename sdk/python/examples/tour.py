"""What tasks do with questions, one after the other: `python examples/tour.py nightly-42`.

Kill it where you like and start it again with the same run id: it goes on. While it shares a
question at its end, the same with `attach` behind it waits for that question too.
"""

import asyncio
import sys
from dataclasses import dataclass, field
from typing import Literal

import hitl


@dataclass
class Expense:
    """What the form asks for, and what it refuses."""

    amount: int = field(metadata={"min": 1, "max": 500})
    purpose: str = field(metadata={"min_length": 3})
    category: Literal["travel", "meals"]


def main(run_id: str) -> None:
    client = hitl.Client(hitl.Config(run_id=run_id))

    # An approval, with what the decision rests on.
    deploy = client.event(
        "deploy",
        bool,
        prompt="Deploy 2.4 to production?",
        title="Deploy 2.4?",
        risk="high",
        facts={"Version": "2.4"},
    )
    say("deploy", yes_no(deploy.wait()))

    # A form with fields. What does not fit is refused by the server, and asked for again.
    expense = client.event("expense", Expense, prompt="What was paid?").wait()
    say("expense", f"{expense.amount} for {expense.purpose} ({expense.category})")

    # A loop asks each time it comes round.
    total = 0
    for item in range(1, 4):
        total += client.event("item", int, prompt=f"How many of item {item}?", min=0).wait()
    say("loop", total)

    say("many", asyncio.run(many(client, 200)))

    # A question that is withdrawn.
    obsolete = client.event("obsolete", bool, prompt="Is it still needed?")
    obsolete.cancel("nobody needs it any more")
    try:
        obsolete.wait()
    except hitl.Cancelled as cancelled:
        say("cancel", cancelled.response.reason)

    # A question that nobody answers in time.
    silence = client.event(
        "silence", bool, prompt="Is anybody there?", timeout_seconds=1, default_on_timeout=False
    )
    say("silence", yes_no(silence.wait()))

    # Killed here and started again, it meets the answer that was given meanwhile.
    crash = client.event("crash", int, prompt="How many?")
    say("crash", "waits")
    say("crash", crash.wait())

    # A step that is tried again in this process meets the question of its first attempt.
    attempts = [attempt(client.run(f"{run_id}-step")) for _ in range(2)]
    asked = "once" if attempts[0] == attempts[1] else "twice"
    say("retry", f"{attempts[0][1]} after {len(attempts)} attempts, asked {asked}")

    shared = client.event("shared", str, prompt="What do you say?")
    say("shared", "waits")
    say("shared", shared.wait())


async def many(client: hitl.Client, count: int) -> int:
    """So many at once, whose waits share one stream."""
    events = [await client.event.aio("many", int, prompt="How many?") for _ in range(count)]
    return sum(await asyncio.gather(*(event.wait.aio() for event in events)))


def attempt(run: hitl.Run) -> tuple[str, int]:
    event = run.event("retry", int, prompt="How many more?")
    return event.id, event.wait()


def attach(run_id: str) -> None:
    """Another process, which waits for the question of the first."""
    event = hitl.Client().run(run_id).attach("shared", str)
    say("attached", "waits")
    say("attached", event.wait())


def say(what: str, how: object) -> None:
    print(f"{what}: {how}", flush=True)


def yes_no(answer: bool) -> str:
    return "yes" if answer else "no"


run_id = sys.argv[1] if len(sys.argv) > 1 else "example-tour"
attach(run_id) if "attach" in sys.argv[2:] else main(run_id)
