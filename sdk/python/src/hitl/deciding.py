"""Whom an event is for, and how many have to agree."""

from typing import Any

from hitl import v1
from hitl.error import Invalid
from hitl.messages import message_of
from hitl.shown import one_line


def deciding(options: dict[str, Any]) -> dict[str, Any]:
    """Who decides, taken out of the options of a question, as a request has it."""
    people, groups = (_names(options, name) for name in ("assignees", "groups"))
    required = options.pop("required", None)
    outvotes = options.pop("outvotes_declines", False)
    if required is None and outvotes:
        raise Invalid("outvotes_declines goes with required: say how many have to agree")
    quorum = required is not None and message_of(
        v1.Quorum, required=required, decline_ends=not outvotes
    )
    return {
        "assignees": [
            *(message_of(v1.Assignee, person=name) for name in people),
            *(message_of(v1.Assignee, group=name) for name in groups),
        ],
        "quorum": quorum or None,
    }


def _names(options: dict[str, Any], name: str) -> list[str]:
    given = options.pop(name, None) or ()
    if isinstance(given, str):
        raise Invalid(one_line(f"{name} is {given!r}: give a list of names"))
    return list(given)
