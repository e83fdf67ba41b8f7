"""The example with a person who answers, killed once."""

from pathlib import Path

import pytest

from people import Person, example


@pytest.mark.parametrize("mode", ["batched", "per_call"])
@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        ({"value.decision": "approve"}, "Done: booked 30 nights in Rome"),
        (
            {"value.decision": "edit", "value.arguments": '{"city": "Rome", "nights": 3}'},
            "booked 3 nights in Rome",
        ),
        ({"value.decision": "reject", "value.message": "too long"}, "with reason: too long"),
        ({"value.decision": "respond", "value.message": "full"}, "Done: full"),
    ],
    ids=["approve", "edit", "reject", "respond"],
)
def test_it_ends_with_what_was_decided(
    person: Person, tmp_path: Path, mode: str, decision: dict[str, str], expected: str
) -> None:
    said = example(__file__, "trip-1", mode, cwd=tmp_path).run_and_kill_once(
        person,
        [lambda event: person.answer(event, value="Rome"), lambda event: person.answer(event, **decision)],
    )
    assert expected in said
