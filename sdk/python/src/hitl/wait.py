"""Waits that outlive connections.

A wait is one server stream: the event as it stands, heartbeats, the final event. To resume after
any loss is to call again, so there is nothing to remember but the event's id.
"""

from typing import TYPE_CHECKING

from hitl import v1
from hitl.error import Error, Unavailable
from hitl.messages import message_of
from hitl.retry import Persistence

if TYPE_CHECKING:
    from hitl.connection import Connection

# Three of the server's default heartbeats.
SILENCE_LIMIT_S = 45.0

_FINAL = {
    v1.EVENT_STATE_ANSWERED,
    v1.EVENT_STATE_DECLINED,
    v1.EVENT_STATE_CANCELLED,
    v1.EVENT_STATE_TIMED_OUT,
}


async def wait(connection: "Connection", event_id: str) -> v1.Event:
    """Waits until the event has ended, and returns it."""
    persistence = Persistence(connection)
    while True:
        try:
            return await _attend(connection, event_id, persistence)
        except Error as error:
            await persistence.pause(error)


async def _attend(connection: "Connection", event_id: str, persistence: Persistence) -> v1.Event:
    """Follows one stream until it brings the final event or is lost."""
    request = message_of(
        v1.WaitEventRequest, namespace=connection.settings.namespace, event_id=event_id
    )
    stream = (await connection.stub()).WaitEvent(request)
    try:
        while True:
            message = await connection.reply(stream.read(), SILENCE_LIMIT_S)
            if not isinstance(message, v1.WaitEventResponse):
                raise Unavailable("the stream ended before the event", retryable=True)
            persistence.progress()
            if is_final(message.event):
                return message.event
    finally:
        stream.cancel()


def is_final(event: v1.Event) -> bool:
    """Whether it has ended. A state that this version does not know counts as pending."""
    return event.state in _FINAL
