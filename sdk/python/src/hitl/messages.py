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
    elif isinstance(message, v1.ListEventsResponse):
        yield from message.events
    elif message.HasField("event"):
        yield message.event


def print_without_links() -> None:
    """Has every message that holds events leave out their links where it is printed."""
    for kind in vars(v1).values():
        if isinstance(kind, type) and issubclass(kind, Message) and _holds_events(kind):
            _replace(kind)


def _holds_events(kind: type[Message]) -> bool:
    event = v1.Event.DESCRIPTOR
    return kind is v1.Event or any(f.message_type is event for f in kind.DESCRIPTOR.fields)


def _replace(kind: Any) -> None:
    original = kind.__str__

    def text(message: Message) -> str:
        return lines(original(without_links(message)))

    kind.__str__ = kind.__repr__ = text
