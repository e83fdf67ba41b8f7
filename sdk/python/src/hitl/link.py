"""Links for one person each."""

from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from google.protobuf.duration_pb2 import Duration

from hitl import v1
from hitl.config import seconds
from hitl.error import Invalid
from hitl.messages import message_of
from hitl.shown import one_line
from hitl.sync import both

if TYPE_CHECKING:
    from hitl.calls import Calls


@dataclass(frozen=True)
class Link:
    """A link that was made for one person: whoever answers by it is recorded as that person."""

    url: str = field(repr=False)
    """The page where the person answers. A secret: whoever has it answers as that person."""
    api_url: str = field(repr=False)
    """Where a program answers as that person, with plain JSON. A secret like `url`."""
    expires: datetime
    """Until when the link is good, by the server's clock."""


class Links:
    """What a client does with links."""

    _calls: "Calls"

    @property
    def namespace(self) -> str:
        """The namespace of every call that names no other."""
        raise NotImplementedError

    @both
    async def create_link(
        self, event_id: str, responder: str, ttl: float | timedelta | None = None
    ) -> Link:
        """Makes a link by which the person called `responder` answers an event.

        It is good for `ttl` seconds, or else for as long as the event waits, and never longer. Each
        call makes another. `Conflict` if the event has ended.
        """
        request = message_of(
            v1.CreateLinkRequest,
            namespace=self.namespace,
            event_id=event_id,
            responder=responder,
            ttl=None if ttl is None else _duration(ttl),
        )
        made = await self._calls.call(lambda stub: stub.CreateLink(request))
        return Link(made.form_url, made.api_url, made.expire_time.ToDatetime(timezone.utc))

    @both
    def revoke_links(self, event_id: str, responder: str = "") -> Coroutine[Any, Any, None]:
        """Ends the links of an event that were made for `responder`, or else all of them.

        All means the one that the event has of itself too. Links that are made afterwards are good.
        """
        request = message_of(
            v1.RevokeLinksRequest,
            namespace=self.namespace,
            event_id=event_id,
            responder=responder,
        )
        return _done(self._calls.call(lambda stub: stub.RevokeLinks(request)))


async def _done(call: Awaitable[object]) -> None:
    await call


def _duration(ttl: float | timedelta) -> Duration:
    duration = Duration()
    try:
        duration.FromTimedelta(timedelta(seconds=seconds(ttl)))
    except (TypeError, ValueError, OverflowError) as error:
        raise Invalid(one_line(f"the time that the link is good for: {error}")) from error
    return duration
