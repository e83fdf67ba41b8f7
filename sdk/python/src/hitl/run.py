"""Runs: who asks the same again, in another process or in this one, meets the same events."""

from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any

from hitl import key, v1
from hitl.attach import AttachByName
from hitl.config import sendable
from hitl.error import Invalid
from hitl.event import Create
from hitl.review import CreateReview
from hitl.sync import both
from hitl.valid import AskValid

if TYPE_CHECKING:
    from hitl.client import Client

_current: ContextVar["Run | None"] = ContextVar("hitl_run", default=None)


def current_run() -> "Run | None":
    """The run of the innermost `with` that this code runs in."""
    return _current.get()


class Run:
    """A run with a count of its own: its n-th event of a name is the same for all runs of its id.

    So an attempt of a task that failed, and is repeated in the same process, meets the events that
    it had asked for. In `with client.run("job-9"):`, or `async with`, every event that is created
    without a key of its own is one of the run, by whichever client. Each `with` is an attempt, and
    counts from the beginning. Tasks of asyncio take the run along; threads that are started do not.
    """

    id: str
    """The name of the run."""

    def __init__(self, client: "Callable[[], Client]", run_id: str) -> None:
        if not run_id:
            raise Invalid("a run needs an id that tells it from other runs")
        self.id = sendable("run id", run_id)
        self._client = client
        self._counts = key.Counts()
        self._outer: Run | None = None

    def __repr__(self) -> str:
        return f"<hitl run {self.id!r}>"

    @property
    def event(self) -> Create:
        """Creates a typed event of this run, like `hitl.new_event`."""
        return Create(self._client, self)

    @property
    def ask_valid(self) -> AskValid:
        """Asks until the answer is valid, like `hitl.ask_valid`, by events of this run."""
        return AskValid(self.event)

    @property
    def review(self) -> CreateReview:
        """Asks for a decision on an action in this run, like `Client.review`."""
        return CreateReview(self.event)

    @both
    def create(self, request: v1.CreateEventRequest) -> Coroutine[Any, Any, v1.CreateEventResponse]:
        """Creates an event of this run from a request of the API, as `Client.create` does."""
        return self._client().create_in(request, self)

    def ticket(self, namespace: str, name: str) -> key.Ticket:
        """The place of the next event of this name."""
        return self._counts.ticket(namespace, self.id, name)

    @property
    def attach(self) -> AttachByName:
        """Attaches to the n-th event of a name: `run.attach(name, data_type, n=1)`."""
        return AttachByName(self._client, self.id)

    def __enter__(self) -> "Run":
        attempt = Run(self._client, self.id)
        attempt._outer = _current.get()
        _current.set(attempt)
        return attempt

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        attempt = _current.get()
        _current.set(attempt and attempt._outer)

    async def __aenter__(self) -> "Run":
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, trace)
