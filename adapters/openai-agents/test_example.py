"""The example with a person who answers, killed once."""

from pathlib import Path

from people import Person, example


def test_what_is_approved_is_called_and_what_is_rejected_is_not(person: Person, tmp_path: Path) -> None:
    said = example(__file__, "orders", cwd=tmp_path).run_and_kill_once(
        person,
        [
            lambda event: person.answer(event, value="true" if "1" in shown(event) else "false", comment="it is late"),
            lambda event: person.answer(event, value="true" if "1" in shown(event) else "false", comment="it is late"),
        ],
    )
    assert said.endswith("order 1 is refunded | A person rejected this call: it is late\n")
    assert not list(tmp_path.glob("*.json")), "the state of a run that is done is removed"


def shown(event: object) -> str:
    """The arguments that the person sees."""
    return str(event.evidence[0].json.json)  # type: ignore[attr-defined]
