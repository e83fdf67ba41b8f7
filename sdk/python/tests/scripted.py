"""A server that does as a script says."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from threading import Event as ThreadEvent
from threading import Thread
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import error_details_pb2, status_pb2

import hitl
from hitl import v1
from hitl.v1.event_service_pb2_grpc import EventServiceServicer, add_EventServiceServicer_to_server

Message = v1.WaitEventsResponse


class Refusal(Exception):
    """An error of the server's, with the details that ours have if it has a reason."""

    def __init__(
        self,
        code: grpc.StatusCode,
        reason: str = "",
        domain: str = "hitl.v1",
        *details: Any,
        message: str = "what happened",
    ) -> None:
        super().__init__(reason)
        self.code, self.message, self.trailer = code, message, b""
        info = error_details_pb2.ErrorInfo(
            reason=reason, domain=domain, metadata={"state": "EVENT_STATE_ANSWERED"}
        )
        self.details = [info, *details] if reason else []

    def abort(self, context: Any) -> None:
        status = status_pb2.Status(code=self.code.value[0], message=self.message)
        for detail in self.details:
            packed = AnyMessage()
            packed.Pack(detail)
            status.details.append(packed)
        if trailer := self.trailer or (status.SerializeToString() if self.details else b""):
            context.set_trailing_metadata([("grpc-status-details-bin", trailer)])
        context.abort(self.code, self.message)


HANG = object()
HEADERS = object()
"""The beginning of a reply, without any message yet."""
NO_EVENT = object()


class Script(EventServiceServicer):
    """Answers each call with the next step: messages to send, a refusal, HEADERS, or HANG.

    A function in a step of waits makes a message for each event that is added.
    """

    def __init__(self, steps: Iterator[list[Any]]) -> None:
        self.steps = steps
        self.seen: list[Any] = []
        self.credentials: list[str] = []
        """The header `authorization` of each call, empty if there was none."""
        self.headers: dict[str, str] = {}
        """All headers of the last call."""
        self.ended: list[bool] = []
        self.over = ThreadEvent()
        """Set once any stream is over."""
        self.asked: list[str] = []
        """What was added to waits and removed, by the id of the event, with + or - before it."""

    @property
    def calls(self) -> int:
        return len(self.seen)

    def WaitEvents(self, request_iterator: Any, context: Any) -> Iterator[Any]:
        added: SimpleQueue[str] = SimpleQueue()
        Thread(target=self._note, args=(request_iterator, added), daemon=True).start()
        for item in self._stream("waits", context):
            if callable(item):
                while context.is_active():
                    try:
                        yield item(added.get(timeout=30))
                    except Refusal as refusal:
                        refusal.abort(context)
            else:
                yield item

    def _note(self, requests: Iterator[v1.WaitEventsRequest], added: "SimpleQueue[str]") -> None:
        # Reading fails once the stream is over.
        with suppress(Exception):
            for request in requests:
                self.asked += [f"-{key.event_id}" for key in request.remove]
                self.asked += [f"+{key.event_id}" for key in request.add]
                for key in request.add:
                    added.put(key.event_id)

    def WatchEvents(self, request: Any, context: Any) -> Iterator[v1.WatchEventsResponse]:
        return self._stream(request, context)

    def ListEvents(self, request: Any, context: Any) -> v1.ListEventsResponse:
        seen = v1.ListEventsRequest()
        seen.CopyFrom(request)
        page: v1.ListEventsResponse = self._results(seen, context)[0]
        return page

    def _note_credential(self, context: Any) -> None:
        self.headers = dict(context.invocation_metadata())
        self.credentials.append(self.headers.get("authorization", ""))

    def _stream(self, request: Any, context: Any) -> Iterator[Any]:
        self.seen.append(request)
        self._note_credential(context)
        if not context.add_callback(self.over.set):
            self.over.set()
        for item in next(self.steps):
            if isinstance(item, Refusal):
                item.abort(context)
            elif item is HANG:
                ended = ThreadEvent()
                if context.add_callback(ended.set):
                    ended.wait(30)
                self.ended.append(True)
            elif item is HEADERS:
                context.send_initial_metadata([("date", "today")])
            else:
                yield item

    def CreateEvent(self, request: Any, context: Any) -> v1.CreateEventResponse:
        # Gives the key back as the id, for tests to see.
        return v1.CreateEventResponse(event=self._event(request.idempotency_key, request, context))

    def GetEvent(self, request: Any, context: Any) -> v1.GetEventResponse:
        return v1.GetEventResponse(event=self._event(request.event_id, request, context))

    def AnswerEvent(self, request: Any, context: Any) -> v1.AnswerEventResponse:
        return v1.AnswerEventResponse(event=self._event(request.event_id, request, context))

    def DeclineEvent(self, request: Any, context: Any) -> v1.DeclineEventResponse:
        return v1.DeclineEventResponse(event=self._event(request.event_id, request, context))

    def BatchCreateEvents(self, request: Any, context: Any) -> v1.BatchCreateEventsResponse:
        return v1.BatchCreateEventsResponse(results=self._results(request, context))

    def BatchAnswerEvents(self, request: Any, context: Any) -> v1.BatchAnswerEventsResponse:
        return v1.BatchAnswerEventsResponse(results=self._results(request, context))

    def _results(self, request: Any, context: Any) -> list[Any]:
        """The results of the step, if it is not a refusal."""
        self.seen.append(request)
        step = next(self.steps)
        if step and isinstance(step[0], Refusal):
            step[0].abort(context)
        return step

    def _event(self, event_id: str, request: Any, context: Any) -> v1.Event | None:
        self.seen.append(request)
        self._note_credential(context)
        for item in next(self.steps, []):
            if isinstance(item, Refusal):
                item.abort(context)
            elif item is HANG:
                ThreadEvent().wait(0.5)
            elif isinstance(item, v1.Event):
                return item
            else:
                return None
        return v1.Event(id=event_id)


@contextmanager
def serving(
    *steps: list[Any], credentials: grpc.ServerCredentials | None = None, **config: Any
) -> Iterator[tuple[hitl.Client, Script]]:
    """A client of a server that follows the steps."""
    script = Script(iter(steps))  # type: ignore[abstract]  # the rest is unimplemented
    server = grpc.server(ThreadPoolExecutor(4))
    add_EventServiceServicer_to_server(script, server)
    if credentials:
        endpoint = f"https://localhost:{server.add_secure_port('localhost:0', credentials)}"
    else:
        endpoint = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield hitl.Client(hitl.Config(endpoint=endpoint, **config)), script
    finally:
        server.stop(None).wait()
