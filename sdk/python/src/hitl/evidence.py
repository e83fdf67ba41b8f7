"""What is shown beside a question so that a person can decide.

Each function makes an item for `evidence=[...]` of `new_event`:

    hitl.new_event("ship", bool, evidence=[evidence.diff("app.toml", before, after)])

`title` is what the item is called, `note` what is worth knowing about it, such as a file name.
"""

import json as _json
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

from hitl import v1
from hitl.error import Invalid
from hitl.messages import message_of
from hitl.shown import one_line

Facts: TypeAlias = Mapping[str, Any] | Iterable[tuple[str, Any]]
"""Names and what they stand for, which is shown as `str` writes it."""

Risk: TypeAlias = Literal["low", "medium", "high"]


def facts(title: str, facts: Facts, *, note: str = "") -> v1.Evidence:
    """Names and what they stand for, in order."""
    pairs = facts.items() if isinstance(facts, Mapping) else facts
    items = [message_of(v1.Fact, label=label, value=str(value)) for label, value in pairs]
    return _item(title, note, facts=v1.FactsEvidence(facts=items))


def text(title: str, text: str, *, note: str = "") -> v1.Evidence:
    """Text as it is, whose long lines are wrapped."""
    return _item(title, note, text=message_of(v1.TextEvidence, text=text))


def code(title: str, code: str, language: str = "", *, note: str = "") -> v1.Evidence:
    """Source code in a language such as `sql`; empty if that is not known."""
    return _item(title, note, code=message_of(v1.CodeEvidence, code=code, language=language))


def json(title: str, value: Any, *, note: str = "") -> v1.Evidence:
    """A value that JSON can express."""
    try:
        written = _json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (RecursionError, TypeError, ValueError) as error:
        raise Invalid(one_line(f"this cannot be shown as JSON: {error}")) from error
    return _item(title, note, json=message_of(v1.JsonEvidence, json=written))


def diff(title: str, before: str, after: str, *, note: str = "") -> v1.Evidence:
    """What changes from one text to another."""
    texts = message_of(v1.DiffTexts, before=before, after=after)
    return _item(title, note, diff=v1.DiffEvidence(texts=texts))


def unified_diff(title: str, unified: str, *, note: str = "") -> v1.Evidence:
    """What changes, as `git diff` writes it."""
    return _item(title, note, diff=message_of(v1.DiffEvidence, unified=unified))


def table(
    title: str, columns: Iterable[str], rows: Iterable[Iterable[Any]], *, note: str = ""
) -> v1.Evidence:
    """Rows, each with a cell for each of the columns, shown as `str` writes it."""
    written = [message_of(v1.TableRow, cells=[str(cell) for cell in row]) for row in rows]
    table = message_of(v1.TableEvidence, columns=list(columns), rows=written)
    return _item(title, note, table=table)


def link(title: str, url: str, label: str = "", *, note: str = "") -> v1.Evidence:
    """A place on the web: an absolute http or https URL. `label` says what is there."""
    return _item(title, note, link=message_of(v1.LinkEvidence, url=url, label=label))


def taken(options: dict[str, Any]) -> dict[str, Any]:
    """What is shown of a question, taken out of its options, as a request has it."""
    beside = [*(options.pop("evidence", None) or ())]
    if given := options.pop("facts", None):
        beside.insert(0, facts("", given))
    risk = options.pop("risk", None)
    if risk not in (None, "low", "medium", "high"):
        raise Invalid(one_line(f"risk is {risk!r}: give low, medium or high"))
    return {
        "title": options.pop("title", ""),
        "risk": risk and v1.Risk.Value(f"RISK_{risk.upper()}"),
        "evidence": beside,
        "require_confirmation": options.pop("require_confirmation", False),
    }


def _item(title: str, note: str, **content: Any) -> v1.Evidence:
    return message_of(v1.Evidence, title=title, note=note, **content)
