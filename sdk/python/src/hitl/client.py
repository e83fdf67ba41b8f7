"""The client: what a program asks of a server."""

import json
import os
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from hitl import key, v1
from hitl.attach import Attach
from hitl.calls import Calls
from hitl.config import Config, Settings, call_limit, retry_limit
from hitl.connection import Connection
from hitl.error import Invalid
from hitl.event import Create, present
from hitl.link import Links
from hitl.many import Results, send_many
from hitl.messages import message_of
from hitl.pages import Events
from hitl.receipt import KeySet, Receipt, received
from hitl.review import CreateReview
from hitl.run import Run, current_run
from hitl.shape import shape
from hitl.shown import one_line, quoted
from hitl.sync import both
from hitl.valid import AskValid
from hitl.watch import Watch

if TYPE_CHECKING:
    from hitl.v1.event_service_pb2_grpc import EventServiceAsyncStub


class Client(Links):
    """Creates events, waits for them, and answers them.

    A client has one connection, which is made when first needed and made again when lost. Calls
    are repeated for a while when the server cannot be reached (`Config.retry_for`). They may come
    from any thread; each has a form to await: `await client.get.aio(event_id)`.

    The methods that take an event id are for untyped use: they return the event as the API has it.
    """

    def __init__(self, config: Config | None = None) -> None:
        """A client as configured, else by the environment. Does not connect yet."""
        settings = (config or Config()).resolve(os.environ)
        self._use(Connection(settings), settings)

    def _use(self, connection: Connection, settings: Settings) -> "Client":
        self.connection, self.settings = connection, settings
        self._calls = Calls(connection, settings)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled, it is the client of these settings in that process, with its secrets."""
        return _client_again, (self.settings.portable(),)

    def __copy__(self) -> "Client":
        """A connection is shared."""
        return self

    def __deepcopy__(self, memo: object) -> "Client":
        """A connection is shared."""
        return self

    def __repr__(self) -> str:
        return f"<hitl client of {self.connection.name}, namespace {quoted(self.namespace)}>"

    @property
    def endpoint(self) -> str:
        """The server's address, such as `http://127.0.0.1:4485`.

        Of several it is the one that served last, or is tried now. That of a local server is known
        from the first call on, before which this is empty, and changes if it has to be started
        again on another port.
        """
        return self.connection.endpoint

    @property
    def namespace(self) -> str:
        """The namespace of every call that names no other."""
        return self.settings.namespace

    def with_call_timeout(self, limit: float | timedelta) -> "Client":
        """The same client, of which a call may take so many seconds: see `Config.call_timeout`.

        For one call: `client.with_call_timeout(2).get(event_id)`. Both share the connection.
        """
        return self._with(replace(self.settings, call_timeout_s=call_limit(limit)))

    def with_retry_for(self, limit: float | timedelta) -> "Client":
        """The same client, of which a call is repeated for so many seconds: see `Config.retry_for`.

        Waits and watches go on as before. Both share the connection.
        """
        settings = replace(self.settings, retry_for_s=retry_limit(limit), is_patient=True)
        return self._with(settings)

    def _with(self, settings: Settings) -> "Client":
        return Client.__new__(Client)._use(self.connection, settings)

    @property
    def event(self) -> Create:
        """Creates a typed event: `client.event(name, data_type, ...)`, like `hitl.new_event`."""
        return Create(lambda: self)

    @property
    def ask_valid(self) -> AskValid:
        """Asks until the answer is valid: `client.ask_valid(name, data_type, check, ...)`."""
        return AskValid(self.event)

    @property
    def review(self) -> CreateReview:
        """Asks for a decision on an action: `client.review(action, arguments, ...)`."""
        return CreateReview(self.event)

    @property
    def attach(self) -> Attach:
        """Attaches to an event that was asked before: `client.attach(event_id, data_type)`."""
        return Attach(lambda: self)

    def run(self, run_id: str) -> Run:
        """A run of this id, which counts its events by itself: see `Run`."""
        return Run(lambda: self, run_id)

    @both
    def create(self, request: v1.CreateEventRequest) -> Coroutine[Any, Any, v1.CreateEventResponse]:
        """Creates an event from a request of the API.

        An empty namespace is the client's; an empty idempotency key is derived from the run if
        there is one, else random, so that repeating the call on a lost connection creates nothing
        twice.
        """
        return self.create_in(request, None)

    async def create_in(
        self, request: v1.CreateEventRequest, run: Run | None
    ) -> v1.CreateEventResponse:
        """Creates an event of that run, else of the current one, else of the client's."""
        filled, ticket = self._named(request, run)
        try:
            return await self._calls.call(lambda stub: stub.CreateEvent(filled))
        except BaseException:
            if ticket:
                ticket.give_back()
            raise

    @both
    async def create_many(
        self, requests: Iterable[v1.CreateEventRequest]
    ) -> Results[v1.CreateEventResponse]:
        """Creates many events in few calls, each as `create` does.

        Returns what became of each, in their order: the response, or the `Error` why there is none.
        """
        named = [self._named(request) for request in requests]
        results: Results[v1.CreateEventResponse] = []
        try:
            results = await send_many(
                self._calls,
                [request for request, _ in named],
                lambda stub, batch: stub.BatchCreateEvents(
                    v1.BatchCreateEventsRequest(requests=batch)
                ),
                "created",
            )
        finally:
            for (_, ticket), result in zip_longest(named, results):
                if ticket and not isinstance(result, v1.CreateEventResponse):
                    ticket.give_back()
        return results

    @both
    def get(self, event_id: str) -> Coroutine[Any, Any, v1.Event]:
        """Returns an event as it stands."""
        request = message_of(v1.GetEventRequest, namespace=self.namespace, event_id=event_id)
        return self._event(lambda stub: stub.GetEvent(request))

    @both
    def wait_event(self, event_id: str) -> Coroutine[Any, Any, v1.Event]:
        """Waits until an event ends, through lost connections and server restarts.

        Returns it with its response, however it ended.
        """
        return self.connection.waits.wait(event_id)

    @both
    def answer(
        self,
        event_id: str,
        value: Any = None,
        *,
        json_text: str | None = None,
        text: str | None = None,
        responder: str = "",
        comment: str = "",
    ) -> Coroutine[Any, Any, v1.Event]:
        """Answers an event with a value, or else with JSON or text as a person would type it.

        A value is a `v1.Value`, what JSON can express, or of a type that can be asked for, such as
        a `date` or a dataclass. `responder` is the name of the person who answers, empty if
        unknown, `comment` what they say beside the value, which the program gets with it.
        """
        answer: dict[str, Any]
        if text is not None:
            answer = {"text": text}
        elif isinstance(value, v1.Value):
            answer = {"value": value}
        else:
            answer = {"json": _json(value) if json_text is None else json_text}
        request = message_of(
            v1.AnswerEventRequest,
            namespace=self.namespace,
            event_id=event_id,
            answer_id=key.once(),
            responder=responder,
            comment=comment,
            **answer,
        )
        return self._event(lambda stub: stub.AnswerEvent(request))

    @both
    def answer_many(
        self, requests: Iterable[v1.AnswerEventRequest]
    ) -> Coroutine[Any, Any, Results[v1.Response]]:
        """Answers many events in few calls, by requests of the API.

        Returns how each ended, or the `Error` why it did not, in their order. An empty namespace is
        the client's; an empty answer id is a random one, so that repeating the call on a lost
        connection answers nothing twice.
        """
        filled = [v1.AnswerEventRequest.FromString(r.SerializeToString()) for r in requests]
        for request in filled:
            request.namespace = request.namespace or self.namespace
            request.answer_id = request.answer_id or key.once()
        return send_many(
            self._calls,
            filled,
            lambda stub, batch: stub.BatchAnswerEvents(v1.BatchAnswerEventsRequest(requests=batch)),
            "response",
        )

    @both
    def decline(
        self, event_id: str, reason: str = "", responder: str = ""
    ) -> Coroutine[Any, Any, v1.Event]:
        """Declines an event: a person refuses to give a value."""
        request = message_of(
            v1.DeclineEventRequest,
            namespace=self.namespace,
            event_id=event_id,
            reason=reason,
            answer_id=key.once(),
            responder=responder,
        )
        return self._event(lambda stub: stub.DeclineEvent(request))

    @both
    def cancel(self, event_id: str, reason: str = "") -> Coroutine[Any, Any, v1.Event]:
        """Cancels an event: whoever asked withdraws it.

        One that is cancelled already is returned as it is.
        """
        request = message_of(
            v1.CancelEventRequest, namespace=self.namespace, event_id=event_id, reason=reason
        )
        return self._event(lambda stub: stub.CancelEvent(request))

    @both
    async def comment(
        self, event_id: str, text: str, *, needs_info: bool = False, author: str = ""
    ) -> v1.Comment:
        """Says something in the thread of a pending event.

        With `needs_info` it is said that whoever asked is to say more before it can be answered.
        """
        request = message_of(
            v1.AddCommentRequest,
            namespace=self.namespace,
            event_id=event_id,
            text=text,
            needs_info=needs_info,
            author=author,
        )
        return (await self._calls.call(lambda stub: stub.AddComment(request))).comment

    @both
    async def comments(self, event_id: str) -> Sequence[v1.Comment]:
        """Returns what was said in the thread of an event, the first first."""
        request = message_of(v1.ListCommentsRequest, namespace=self.namespace, event_id=event_id)
        return (await self._calls.call(lambda stub: stub.ListComments(request))).comments

    @both
    def list(
        self,
        *,
        state: v1.EventState.ValueType = v1.EVENT_STATE_UNSPECIFIED,
        name: str = "",
        scope: str = "",
        labels: Mapping[str, str] | None = None,
        page_size: int = 0,
        page_token: str = "",
    ) -> Coroutine[Any, Any, v1.ListEventsResponse]:
        """Lists one page of events that match.

        First the pending ones, nearest deadline first, then the ended ones, latest first. Call
        again with `page_token` from `next_page_token` until that is empty.
        """
        request = message_of(
            v1.ListEventsRequest,
            namespace=self.namespace,
            state=state,
            name=name,
            scope=scope,
            labels=labels,
            page_size=page_size,
            page_token=page_token,
        )
        return self._calls.call(lambda stub: stub.ListEvents(request))

    def events(
        self,
        *,
        state: v1.EventState.ValueType = v1.EVENT_STATE_UNSPECIFIED,
        name: str = "",
        scope: str = "",
        labels: Mapping[str, str] | None = None,
        page_size: int = 0,
        page_token: str = "",
        limit: int | None = None,
    ) -> Events:
        """All events that match, in the order of `list`, over as many pages as it takes.

        Iterate by `for` or `async for`: each page is fetched when the iteration comes to it. At
        most `limit` come, if it is set and not 0.
        """
        request = message_of(
            v1.ListEventsRequest,
            namespace=self.namespace,
            state=state,
            name=name,
            scope=scope,
            labels=labels,
            page_size=page_size,
            page_token=page_token,
        )
        return Events(self._calls, request, limit)

    def watch(
        self,
        *,
        state: v1.EventState.ValueType = v1.EVENT_STATE_UNSPECIFIED,
        name: str = "",
        scope: str = "",
        labels: Mapping[str, str] | None = None,
        resume_token: str = "",
    ) -> Watch:
        """Watches events that match, through lost connections and server restarts.

        Iterate by `for` or `async for`: each `Change` is an event that was created or has ended,
        from now on; or from `resume_token` on, that of the last change that was handled, or of a
        list. A change may come twice, and none is missed. A token that is too old is `Invalid` with
        the reason `ERROR_REASON_RESUME_TOKEN_EXPIRED`: list, and watch anew with the list's.
        """
        request = message_of(
            v1.WatchEventsRequest,
            namespace=self.namespace,
            state=state,
            name=name,
            scope=scope,
            labels=labels,
            resume_token=resume_token,
        )
        return Watch(self.connection, request)

    @both
    async def receipt(self, event_id: str) -> Receipt:
        """Returns the signed receipt of how an event ended, which verifies without the server.

        `Conflict` if the event is pending, or ended before its server signed receipts.
        """
        request = message_of(v1.GetReceiptRequest, namespace=self.namespace, event_id=event_id)
        return received((await self._calls.call(lambda stub: stub.GetReceipt(request))).receipt)

    @both
    async def receipt_keys(self) -> KeySet:
        """Returns the public keys of the server's receipts.

        Whoever does not trust the server later saves them now, by `KeySet.to_json`.
        """
        request = v1.ListReceiptKeysRequest()
        reply = await self._calls.call(lambda stub: stub.ListReceiptKeys(request))
        return KeySet(key.public_key for key in reply.keys)

    @both
    async def close(self) -> None:
        """Ends the connection, and with it every call and wait under way. The events stay."""
        await self.connection.close()

    def _named(
        self, request: v1.CreateEventRequest, run: Run | None = None
    ) -> tuple[v1.CreateEventRequest, key.Ticket | None]:
        """A copy with a namespace and a key, and the ticket that the key is of, if any."""
        filled = v1.CreateEventRequest()
        filled.CopyFrom(request)
        filled.namespace = filled.namespace or self.namespace
        run_id, ticket = self.settings.run_id, None
        run = run or current_run()
        if run and not filled.idempotency_key:
            ticket = run.ticket(filled.namespace, filled.name)
        elif run_id and not filled.idempotency_key:
            ticket = key.process.ticket(filled.namespace, run_id, filled.name)
        filled.idempotency_key = filled.idempotency_key or (ticket.key if ticket else key.once())
        return filled, ticket

    async def _event(self, rpc: "Callable[[EventServiceAsyncStub], Awaitable[Any]]") -> v1.Event:
        return present((await self._calls.call(rpc)).event)


def _json(value: Any) -> str:
    try:
        return json.dumps(value, default=lambda part: shape(type(part)).dump(part))
    except (Invalid, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise Invalid(one_line(f"{value!r} cannot be an answer: {error}")) from error


_defaults: dict[Settings, Client] = {}


def default_client() -> Client:
    """The client that is used where none is named: one for each environment."""
    return _client_of(Config().resolve(os.environ))


def close_defaults(endpoint: str) -> None:
    """Closes the clients that were made for whoever named none, of a server that is gone."""
    for settings in [settings for settings in _defaults if endpoint in settings.endpoints]:
        _defaults.pop(settings).close()


def _client_again(settings: Settings) -> Client:
    """The client of what was kept of settings."""
    return _client_of(settings.complete(os.environ))


def _client_of(settings: Settings) -> Client:
    """The one client of these settings, shared by all who have none of their own."""
    client = Client.__new__(Client)._use(Connection(settings), settings)
    return _defaults.setdefault(settings, client)
