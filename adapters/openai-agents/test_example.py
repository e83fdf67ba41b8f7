"""The example with a person who answers, killed once."""

import json
from pathlib import Path

import hitl

from people import Person, example


def test_what_is_approved_is_called_and_what_is_rejected_is_not(person: Person, tmp_path: Path) -> None:
    said = example(__file__, "orders", cwd=tmp_path).run_and_kill_once(
        person,
        [
            lambda event: decide(person, event),
            lambda event: decide(person, event),
        ],
    )
    assert said.endswith("order 1 is refunded | A person rejected this call: it is late\n")
    assert not list(tmp_path.glob("*.json")), "the state of a run that is done is removed"


def decide(person: Person, event: hitl.v1.Event) -> None:
    """Approves the first order, and no other."""
    if json.loads(event.input.review.arguments) == {"order": 1}:
        person.answer(event, **{"value.decision": "approve"})
    else:
        person.answer(event, **{"value.decision": "reject", "value.message": "it is late"})
