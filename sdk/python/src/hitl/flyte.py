"""The API of Flyte's plugin for people in the loop: the extra `hitl-sdk[flyte]`.

    import hitl.flyte as hitl

takes the place of `import flyteplugins.hitl as hitl`. An event that is created in a task is one of
the run of that task's action, so a task that is repeated meets its events again. Where to answer is
in a tab of the task's report, and printed.
"""

import dataclasses
import html
from datetime import timedelta
from typing import Any, ClassVar, Generic, TypeVar

import flyte
import flyte.report
from flyte.types import TypeEngine, TypeTransformer
from flyte.types._pickle import FlytePickleTransformer
from typing_extensions import TypeForm, Unpack

from hitl import v1
from hitl.client import default_client
from hitl.event import Create, EventScope, Options
from hitl.event import Event as AnyEvent
from hitl.run import Run
from hitl.shown import one_line

__all__ = ["Event", "EventScope", "env", "new_event"]

T = TypeVar("T")

env = flyte.TaskEnvironment(
    name="hitl-event-env",
    image=flyte.Image.from_debian_base().with_pip_packages("hitl-sdk[flyte]"),
)
"""What `depends_on=[hitl.env]` names. It has no tasks, and no app that would have to be served."""

_TAB = "Human input"
# Where the run of an attempt is kept: each attempt has a context of its own.
_RUN = "hitl.run"


class CreateInTask:
    """Creates events: `create(...)` blocks, `await create.aio(...)` does not.

    Like `hitl.new_event`, and of the run of the action whose task calls it, if one does.
    """

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
        create = _create()
        given = (name, data_type, scope, prompt, timeout_seconds, poll_interval_seconds)
        event = Event.of(create(*given, **options))
        if _told(event):
            flyte.report.flush()
        return event

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
        create = _create()
        given = (name, data_type, scope, prompt, timeout_seconds, poll_interval_seconds)
        event = Event.of(await create.aio(*given, **options))
        if _told(event):
            await flyte.report.flush.aio()
        return event


new_event = CreateInTask()


@dataclasses.dataclass(eq=False)
class Event(AnyEvent[T], Generic[T]):
    """An event whose answer is a `T`. Made by `Event.create` and `new_event`."""

    create: ClassVar[Any] = new_event

    @classmethod
    def of(cls, event: AnyEvent[T]) -> "Event[T]":
        """The same event, which prints what was answered."""
        fields = [field.name for field in dataclasses.fields(event) if field.init]
        return cls(**{name: getattr(event, name) for name in fields})

    def _value(self, event: v1.Event) -> T:
        value = super()._value(event)
        print(f"\nReceived human input for '{one_line(self.name)}': {value}")
        return value


class _Pickled(FlytePickleTransformer):
    """Has events go from task to task by what identifies them, as any process has them."""

    def __init__(self) -> None:
        TypeTransformer.__init__(self, name="hitl event", t=Event)

    def guess_python_type(self, literal_type: Any) -> Any:
        raise ValueError(f"{literal_type} need not be an event")


TypeEngine.register(_Pickled())


def _in_task() -> bool:
    return bool(flyte.ctx())


def _create() -> Create:
    """What creates events of the run of this attempt."""
    context = flyte.ctx()
    if not context:
        return Create(default_client)
    action = context.task_action or context.action
    run = context.data.setdefault(_RUN, Run(default_client, action.unique_id_str()))
    return Create(default_client, run)


def _told(event: Event[Any]) -> bool:
    """Puts where to answer into the report of the task, and says whether there is a task."""
    if not _in_task():
        return False
    form_url = event.form_url
    print(f"Event '{one_line(event.name)}' waits for human input at {form_url}")
    link = html.escape(form_url)
    flyte.report.get_tab(_TAB).log(
        f"<h2>{html.escape(event.name)}</h2><p>{html.escape(event.prompt)}</p>"
        f'<p><a href="{link}" target="_blank" rel="noopener">{link}</a></p>'
        f"<p>Until {event.deadline.isoformat(timespec='seconds')}. By a program: POST "
        f'<code>{{"value": ...}}</code> to <code>{html.escape(event.api_url)}</code></p>'
    )
    return True
