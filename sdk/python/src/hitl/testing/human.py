"""A person who does as a test says."""

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hitl import v1
from hitl.config import seconds
from hitl.error import Conflict, Error, Invalid
from hitl.shown import quoted
from hitl.testing.time import ServerTime

if TYPE_CHECKING:
    from hitl.client import Client

# What is done takes a few calls.
_DONE_LIMIT_S = 30.0
# How long it takes at most until an event that was created is known.
_NEWS_LIMIT_S = 2.0


@dataclass(frozen=True)
class _Act:
    """What is done with one event."""

    do: Callable[["Client", str], object]
    after_s: float
    nonsense: tuple[Any, ...] = field(default=())


class Human:
    """A person who answers the events of a client's namespace, on a server for tests only.

    What is to be done is said by the name of the event, before the event is created or later: the
    first act is for the first event of that name, the second for the second. An event for which
    nothing is said stays as it is. What goes wrong meanwhile is raised by `check`.
    """

    def __init__(self, client: "Client", name: str = "a test") -> None:
        """A person of this name. `Invalid` if the client's server is no server for tests."""
        self.time = ServerTime(client.endpoint)
        """The time of that server."""
        self._client, self._name = client, name
        self._lock = threading.Condition()
        self._acts: dict[str, deque[_Act]] = defaultdict(deque)
        self._asked: dict[str, deque[str]] = defaultdict(deque)
        self._problems: list[str] = []
        self._busy = 0
        self._is_closed = False
        page = client.list(state=v1.EVENT_STATE_PENDING)
        for event in page.events:
            self._asked[event.name].append(event.id)
        self._changes = iter(client.watch(resume_token=page.resume_token))
        self._following = threading.Thread(target=self._follow, name="hitl-human", daemon=True)
        self._following.start()

    def answer(
        self,
        name: str,
        value: Any = None,
        *,
        text: str | None = None,
        after: float | timedelta = 0,
        comment: str = "",
        nonsense: Iterable[Any] = (),
    ) -> None:
        """Answers the next event of that name with a value, or with text as a person would type it.

        Before that, `nonsense` is given, each of which has to be refused; and then `after` seconds
        pass on the server, at once. If the event has ended by then, the answer comes too late, as
        answers do.
        """
        given = {"responder": self._name, "comment": comment}
        self._plan(
            name,
            lambda client, event_id: client.answer(event_id, value, text=text, **given),
            after,
            nonsense,
        )

    def decline(self, name: str, reason: str = "", *, after: float | timedelta = 0) -> None:
        """Declines the next event of that name, once `after` seconds have passed on the server."""
        self._plan(
            name,
            lambda client, event_id: client.decline(event_id, reason, self._name),
            after,
        )

    def ignore(self, name: str, *, after: float | timedelta = 0) -> None:
        """Leaves the next event of that name alone, and lets `after` seconds pass on the server."""
        self._plan(name, lambda client, event_id: None, after)

    def check(self) -> None:
        """Waits for what is under way, and raises an `AssertionError` if not all went as said.

        That is if nonsense was taken, an answer was refused, or nobody has asked for one.
        """
        with self._lock:
            # What was just asked may not have come here yet.
            self._lock.wait_for(lambda: not any(self._acts.values()), _NEWS_LIMIT_S)
            if not self._lock.wait_for(lambda: self._busy == 0, _DONE_LIMIT_S):
                self._problems.append("what was to be done has not ended")
            for name, acts in self._acts.items():
                if acts:
                    self._problems.append(
                        f"nobody has asked {quoted(name)}, {len(acts)} more times"
                    )
            problems, self._problems = self._problems, []
            self._acts.clear()
        if problems:
            raise AssertionError("; ".join(problems))

    def close(self) -> None:
        """Goes away. What is asked from now on is left as it is."""
        self._is_closed = True
        self.time.close()

    def join(self) -> None:
        """Waits until it follows no events any more, which is so once the client is closed."""
        self._following.join(_NEWS_LIMIT_S)

    def _plan(
        self,
        name: str,
        do: Callable[["Client", str], object],
        after: float | timedelta,
        nonsense: Iterable[Any] = (),
    ) -> None:
        with self._lock:
            self._acts[name].append(_Act(do, seconds(after), tuple(nonsense)))
            self._match(name)

    def _follow(self) -> None:
        try:
            for change in self._changes:
                if self._is_closed:
                    return
                if change.kind == v1.CHANGE_KIND_CREATED:
                    with self._lock:
                        self._asked[change.event.name].append(change.event.id)
                        self._match(change.event.name)
                        self._lock.notify_all()
        except Error as error:
            if not self._is_closed:
                with self._lock:
                    self._problems.append(f"the events could not be followed: {error}")

    def _match(self, name: str) -> None:
        """Does what can be done now. The lock is held."""
        while self._acts[name] and self._asked[name]:
            self._busy += 1
            given = (name, self._asked[name].popleft(), self._acts[name].popleft())
            threading.Thread(target=self._perform, args=given, daemon=True).start()

    def _perform(self, name: str, event_id: str, act: _Act) -> None:
        problem = None
        try:
            problem = self._done(event_id, act)
        except Exception as error:
            problem = str(error)
        with self._lock:
            if problem and not self._is_closed:
                self._problems.append(f"{quoted(name)}: {problem}")
            self._busy -= 1
            self._lock.notify_all()

    def _done(self, event_id: str, act: _Act) -> str | None:
        """What went wrong, if anything did."""
        for wrong in act.nonsense:
            try:
                self._client.answer(event_id, wrong, responder=self._name)
            except Invalid:
                continue
            return f"{wrong!r} was to be refused, and was taken"
        if act.after_s:
            self.time.advance(act.after_s)
        try:
            act.do(self._client, event_id)
        except Conflict as late:
            return None if act.after_s else str(late)
        return None
