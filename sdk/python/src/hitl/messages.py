"""Messages of the API: only what can be sent is in one, and they are printed without links.

Whoever has a link can answer, and what is printed ends up in logs.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from google.protobuf.message import Message

from hitl import v1
from hitl.error import Invalid
from hitl.shown import lines, one_line

M = TypeVar("M")


def message_of(kind: Callable[..., M], **fields: Any) -> M:
    """A message, if the fields can be in one."""
    try:
        return kind(**fields)
    except (OverflowError, TypeError, ValueError) as error:
        raise Invalid(one_line(f"this cannot be sent: {error}")) from error


_FINAL = {
    v1.EVENT_STATE_ANSWERED,
    v1.EVENT_STATE_DECLINED,
    v1.EVENT_STATE_CANCELLED,
    v1.EVENT_STATE_TIMED_OUT,
}


def is_final(event: v1.Event) -> bool:
    """Whether it has ended. A state that this version does not know counts as pending."""
    return event.state in _FINAL


def without_links(message: Any) -> Any:
    """A copy in which no event has its links."""
    copy = type(message)()
    copy.CopyFrom(message)
    for event in _events(copy):
        event.ClearField("form_url")
        event.ClearField("api_url")
    return copy


def _events(message: Any) -> Iterator[v1.Event]:
    if isinstance(message, v1.Event):
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type and field.message_type.full_name in _HOLDING:
            for part in [value] if isinstance(value, Message) else value:
                yield from _events(part)


def print_without_links() -> None:
    """Has every message that holds events leave out their links where it is printed."""
    for kind in _KINDS:
        if kind.DESCRIPTOR.full_name in _HOLDING:
            _replace(kind)


def _holding() -> set[str]:
    """The names of the messages that hold events, however deep."""
    holding, more = set[str](), {v1.Event.DESCRIPTOR.full_name}
    while more:
        holding |= more
        more = {
            kind.DESCRIPTOR.full_name
            for kind in _KINDS
            for field in kind.DESCRIPTOR.fields
            if field.message_type and field.message_type.full_name in holding
        } - holding
    return holding


_KINDS: list[type[Message]] = [
    kind for kind in vars(v1).values() if isinstance(kind, type) and issubclass(kind, Message)
]
_HOLDING = _holding()


def _replace(kind: Any) -> None:
    original = kind.__str__

    def text(message: Message) -> str:
        return lines(original(without_links(message)))

    kind.__str__ = kind.__repr__ = text
