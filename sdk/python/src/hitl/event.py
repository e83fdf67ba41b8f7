"""An event: how it is described and created, and its typed outcome."""

import asyncio
import json
import math
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from google.protobuf.duration_pb2 import Duration
from typing_extensions import TypedDict, TypeForm, Unpack

from hitl import v1
from hitl.config import seconds
from hitl.deciding import deciding
from hitl.error import Internal, Invalid, of_end
from hitl.evidence import Facts, Risk, taken
from hitl.link import Link
from hitl.messages import is_final, without_links
from hitl.review import Review, ReviewQuestion
from hitl.shown import one_line
from hitl.sync import Call, both
from hitl.value import Question, decode

if TYPE_CHECKING:
    from hitl.client import Client
    from hitl.run import Run

T = TypeVar("T")

EventScope = str
"""The run that an event belongs to."""


class Options(TypedDict, total=False):
    """What else an event may be created with. Restrictions fit some types of answer only."""

    min: float
    """The smallest number accepted (int, float)."""
    max: float
    """The largest number accepted (int, float)."""
    min_length: int
    """The fewest characters accepted (str)."""
    max_length: int
    """The most characters accepted (str)."""
    pattern: str
    """A regular expression (RE2) to be found in the text; anchor it to match the whole (str)."""
    multiline: bool
    """Offers several lines to write on (str)."""
    format: Literal["email", "uri", "date", "date-time"]
    """A well-known format that the text must have (str)."""
    yes: str
    """What the form calls true: `Yes` unless set (bool)."""
    no: str
    """What the form calls false: `No` unless set (bool)."""
    options: Mapping[str, str] | Iterable[str | tuple[str, str] | Mapping[str, str]]
    """What to choose from, where the type does not say it: values, with labels or without, or
    dicts of `value`, `label` and `description`."""
    min_selected: int
    """The fewest options to pick: 1 unless set (list)."""
    max_selected: int
    """The most options to pick: 1, or the fewest if that is more, unless set (list)."""
    schema: Mapping[str, Any]
    """The fields, as a flat JSON Schema, where the type does not say it (dict)."""
    default_on_timeout: Any
    """The value to go on with when nobody answers in time. Without it that is an error."""
    title: str
    """The question in a few words: the headline of the page, above the prompt."""
    facts: Facts
    """Names and what they stand for, shown beside the prompt: the first item of the evidence."""
    evidence: Iterable[v1.Evidence]
    """What else is shown beside the prompt so that a person can decide: `hitl.evidence` has a
    function for each kind."""
    risk: Risk
    """How much is at stake: low unless set. Pages take no answer at high risk without the person's
    word that this is known."""
    require_confirmation: bool
    """Lets nobody answer on a page without confirming it in a second step."""
    assignees: Iterable[str]
    """People who may answer, and nobody else but `groups`: names or ids of who signs in, of
    tokens, or whom links are made for."""
    groups: Iterable[str]
    """Groups whose people may answer, and nobody else but `assignees`."""
    required: int
    """How many people have to give the same answer: the first answer counts unless set."""
    outvotes_declines: bool
    """Lets no single decline end an event for which several have to agree."""
    labels: Mapping[str, str]
    """Labels to list by."""
    markdown: bool
    """Shows the prompt as Markdown instead of plain text."""
    idempotency_key: str
    """Makes creating it again safe whatever run it is: the same key and the same request give the
    same event. Derived from the run unless set."""


@dataclass(frozen=True)
class Details(Generic[T]):
    """An answer, and what else was said."""

    value: T
    """The answer; the default if nobody answered in time."""
    response: v1.Response
    """How the event ended: `comment` is what the person said beside the value, `responder` who it
    was, `time` when."""


class Create:
    """Creates events: `create(...)` blocks, `await create.aio(...)` does not.

    The event and its timer are durable when this returns. `name` is what lists and logs call it,
    `data_type` the type of the answer, `prompt` the question. Waits are told at once, so
    `poll_interval_seconds` changes nothing.
    """

    def __init__(self, client: "Callable[[], Client]", run: "Run | None" = None) -> None:
        self._client, self._run = client, run

    def __call__(
        self,
        name: str,
        data_type: TypeForm[T],
        scope: EventScope = "run",
        prompt: str = "Please provide a value",
        timeout_seconds: float | timedelta = 3600,
        poll_interval_seconds: float = 5,
        **options: Unpack[Options],
    ) -> "Event[T]":
        client = self._client()
        request = _request(name, data_type, scope, prompt, timeout_seconds, options)
        create = client.create if self._run is None else self._run.create
        reply = create(request)
        return _made(client, data_type, timeout_seconds, poll_interval_seconds, reply)

    async def aio(
        self,
        name: str,
        data_type: TypeForm[T],
        scope: EventScope = "run",
        prompt: str = "Please provide a value",
        timeout_seconds: float | timedelta = 3600,
        poll_interval_seconds: float = 5,
        **options: Unpack[Options],
    ) -> "Event[T]":
        client = self._client()
        request = _request(name, data_type, scope, prompt, timeout_seconds, options)
        create = client.create if self._run is None else self._run.create
        reply = await create.aio(request)
        return _made(client, data_type, timeout_seconds, poll_interval_seconds, reply)


def _default_client() -> "Client":
    from hitl.client import default_client

    return default_client()


new_event = Create(_default_client)


@dataclass(eq=False)
class Event(Generic[T]):
    """An event whose answer is a `T`. Made by `Event.create`, `new_event` and `Client.event`."""

    create: ClassVar[Create] = new_event

    name: str
    """What lists and logs call it."""
    scope: EventScope
    """The run that it belongs to."""
    data_type: TypeForm[T]
    """The type of its answer."""
    prompt: str
    """The question."""
    request_id: str
    """The event's id: 32 lower-case hexadecimal digits."""
    endpoint: str
    """The server's address."""
    request_path: str
    """Key of the object that holds the request in the server's store."""
    response_path: str
    """Key of the object that will hold the response."""
    timeout_seconds: float
    """How long after its creation it times out."""
    poll_interval_seconds: float
    """What it was created with; it changes nothing."""
    client: "Client" = field(default_factory=_default_client, repr=False)
    """The client that created it."""
    record: v1.Event = field(default_factory=v1.Event, repr=False)
    """The event as the API has it, as it stood when it was created. Holds secrets."""
    existed: bool = True
    """Whether it had been created before, by an earlier start of this run or with the same
    idempotency key. It may have ended since: then `wait` returns at once."""

    _is_told: bool = field(default=False, init=False, repr=False)
    """Whether people are told where to answer, as far as is known."""

    def __post_init__(self) -> None:
        """Made by hand, from what was kept of it, it is looked up."""
        if not self.record.id:
            self.record = self.client.get(self.request_id)

    def __getstate__(self) -> dict[str, Any]:
        """What is kept of it where it is pickled: not its links, which are looked up again."""
        return {**self.__dict__, "record": without_links(self.record)}

    def to_json(self) -> str:
        """Which event it is, as JSON: another process attaches to it by the `id`."""
        kept = {
            "id": self.request_id,
            "namespace": self.record.namespace,
            "name": self.name,
            "deadline": self.record.deadline.ToJsonString(),
            "existed": self.existed,
        }
        return json.dumps(kept)

    @property
    def id(self) -> str:
        """The same as `request_id`."""
        return self.request_id

    @property
    def form_url(self) -> str:
        """The page where a person answers. A secret: whoever has it can answer this one event.

        Who looks at it tells people of it, so `wait` does not.
        """
        self._is_told = True
        return self._linked().form_url

    @property
    def api_url(self) -> str:
        """Where a program answers with plain JSON. A secret like `form_url`."""
        self._is_told = True
        return self._linked().api_url

    @property
    def deadline(self) -> datetime:
        """The instant at which it times out, by the server's clock."""
        return self.record.deadline.ToDatetime(timezone.utc)

    @property
    def wait(self) -> Call[[], T]:
        """Waits until the event ends, through lost connections and server restarts.

        Returns the answer; or, if it timed out, the default it was created with. Without one that
        raises `TimedOut`, which is a `TimeoutError`; `Declined` and `Cancelled` are the other ends.
        The `response` of each tells when, why and by whom.

        Prints to stderr where to answer, once, unless the program has looked at `form_url` or
        `api_url`, or `Config.announce` is off.
        """
        return Call(self._ended, self._value)

    @property
    def wait_details(self) -> Call[[], Details[T]]:
        """Like `wait`, with what else was said: the comment, by whom and when."""
        return Call(self._ended, lambda event: Details(self._value(event), event.response))

    @property
    def wait_for(self) -> Call[[float | timedelta], T | None]:
        """Like `wait`, but at most for so many seconds.

        None if the event has not ended by then: it stays, and can be waited for again. With a
        limit of 0 it looks once, as `poll` does.
        """
        return Call(self._ended_within, self._value_if_ended)

    @property
    def poll(self) -> Call[[], T | None]:
        """Looks whether the event has ended, and returns what `wait` would, else None."""
        return Call(self._looked_at, self._value_if_ended)

    @both
    async def link_for(self, responder: str) -> Link:
        """Makes a link by which the person called `responder` answers, while the event waits.

        Whoever asks for one tells that person, so `wait` does not.
        """
        link = await self.client.create_link.aio(self.request_id, responder)
        self._is_told = True
        return link

    @both
    async def cancel(self, reason: str = "") -> None:
        """Withdraws the question."""
        await self.client.cancel.aio(self.request_id, reason)

    def _linked(self) -> v1.Event:
        """The record with its links, which one that was pickled has not."""
        if not self.record.form_url:
            self.record = self.client.get(self.request_id)
        return self.record

    def _ended(self) -> Coroutine[Any, Any, v1.Event]:
        connection = self.client.connection
        if not self._is_told:
            self._is_told = True
            connection.telling.tell(self.record)
        return connection.waits.wait(self.request_id)

    async def _ended_within(self, limit: float | timedelta) -> v1.Event | None:
        limit = seconds(limit)
        if math.isnan(limit):
            raise Invalid("the limit is no number: give seconds")
        if limit <= 0:
            return await self._looked_at()
        try:
            return await asyncio.wait_for(self._ended(), None if math.isinf(limit) else limit)
        except asyncio.TimeoutError:
            return None

    async def _looked_at(self) -> v1.Event | None:
        event = await self.client.get.aio(self.request_id)
        return event if is_final(event) else None

    def _value_if_ended(self, event: v1.Event | None) -> T | None:
        return None if event is None else self._value(event)

    def _value(self, event: v1.Event) -> T:
        if not event.response.HasField("value"):
            raise of_end(event)
        value: T = decode(self.data_type, event)
        return value


def _request(
    name: str,
    data_type: TypeForm[T],
    scope: EventScope,
    prompt: str,
    timeout: float | timedelta,
    options: Options,
) -> v1.CreateEventRequest:
    restrictions: dict[str, Any] = {**options}
    default = restrictions.pop("default_on_timeout", None)
    markdown = restrictions.pop("markdown", False)
    ttl = Duration()
    try:
        ttl.FromTimedelta(timedelta(seconds=seconds(timeout)))
        request = v1.CreateEventRequest(
            name=name,
            scope=scope,
            prompt=prompt,
            prompt_format=v1.PROMPT_FORMAT_MARKDOWN if markdown else v1.PROMPT_FORMAT_UNSPECIFIED,
            ttl=ttl,
            labels=restrictions.pop("labels", None),
            **taken(restrictions),
            **deciding(restrictions),
            idempotency_key=restrictions.pop("idempotency_key", ""),
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise Invalid(one_line(f"{name}: {error}")) from error
    is_review = data_type is Review
    question = ReviewQuestion(restrictions) if is_review else Question(data_type, restrictions)
    request.input.CopyFrom(question.input())
    if default is not None:
        request.on_timeout.default_value.CopyFrom(question.encode(default))
    return request


def _made(
    client: "Client",
    data_type: TypeForm[T],
    timeout: float | timedelta,
    poll_interval_seconds: float,
    reply: v1.CreateEventResponse,
) -> Event[T]:
    record = present(reply.event)
    return event_of(
        client,
        data_type,
        record,
        timeout_seconds=seconds(timeout),
        poll_interval_seconds=poll_interval_seconds,
        existed=reply.existed,
    )


def event_of(
    client: "Client",
    data_type: TypeForm[T],
    record: v1.Event,
    *,
    timeout_seconds: float,
    poll_interval_seconds: float = 5,
    existed: bool = True,
) -> Event[T]:
    """The typed event of a record."""
    folder = f"events/{record.namespace}/{record.id}"
    return Event(
        name=record.name,
        scope=record.scope,
        data_type=data_type,
        prompt=record.prompt,
        request_id=record.id,
        endpoint=client.endpoint,
        request_path=f"{folder}/request.json",
        response_path=f"{folder}/response.json",
        timeout_seconds=timeout_seconds,
        poll_interval_seconds=poll_interval_seconds,
        client=client,
        record=record,
        existed=existed,
    )


def present(event: v1.Event) -> v1.Event:
    """An event that a reply must have."""
    if not event.id:
        raise Internal("the server's reply has no event")
    return event
