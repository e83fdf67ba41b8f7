"""Has a flow of Prefect wait for a person.

    @flow
    def publish(report: str) -> None:
        if ask("approve", bool, prompt=f"Publish {report}?"):
            ...

Each question is a task run of the flow, so that the page of Prefect shows that it waits. The flow run, the name of the
question and its number make the question: a flow run that is retried, or started again after a crash, meets the
questions that it had asked, and the answers that were given.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from typing import Any, TypeVar

import hitl
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from prefect import task

__all__ = ["aask", "ask"]

T = TypeVar("T")

_RUNS_MAX = 1024
"""How many attempts of flow runs one process has under way at most."""


@lru_cache(maxsize=_RUNS_MAX)
def _run(flow_run_id: str, attempt: int, client: hitl.Client | None) -> hitl.Run:
    """What counts the questions of an attempt: each attempt begins to count anew."""
    return client.run(flow_run_id) if client else hitl.run(flow_run_id)


def ask(
    name: str,
    data_type: Callable[..., T] | Any = bool,
    *,
    prompt: str,
    timeout: timedelta = timedelta(days=1),
    client: hitl.Client | None = None,
    **options: Any,
) -> Any:
    """Asks a person, and returns the typed answer. To be called in a flow.

    `name`, `data_type` and `options` are those of `hitl.new_event`, and `timeout` is how long the person has. A
    question that ends without an answer fails the task: `hitl.Declined`, `hitl.Cancelled`, or `hitl.TimedOut` if there
    is no `default_on_timeout`. Questions of one name are told apart by their order, so give those that are asked at the
    same time names of their own.
    """
    return _ask.with_options(task_run_name=f"ask {name}")(_event(name, data_type, prompt, timeout, client, options))


async def aask(
    name: str,
    data_type: Any = bool,
    *,
    prompt: str,
    timeout: timedelta = timedelta(days=1),
    client: hitl.Client | None = None,
    **options: Any,
) -> Any:
    """The same in a flow that is `async`."""
    event = _event(name, data_type, prompt, timeout, client, options)
    return await _ask_async.with_options(task_run_name=f"ask {name}")(event)


def _event(
    name: str, data_type: Any, prompt: str, timeout: timedelta, client: hitl.Client | None, options: dict[str, Any]
) -> Callable[[], "hitl.Event[Any]"]:
    """How the question is asked, of the flow run that this is called in."""
    if not flow_run.id:
        raise hitl.Invalid("this is no flow run: call it in a flow, or use hitl.ask")
    run = _run(str(flow_run.id), flow_run.run_count, client)
    labels = {**options.pop("labels", {}), "framework": "prefect", "flow": str(flow_run.flow_name)[:63]}
    event = run.event(name, data_type, scope=run.id, prompt=prompt, timeout_seconds=timeout, labels=labels, **options)
    return lambda: event


@task(persist_result=False)
def _ask(made: Callable[[], "hitl.Event[Any]"]) -> Any:
    event = made()
    get_run_logger().info("waits for an answer at %s", event.form_url)
    return event.wait()


@task(persist_result=False)
async def _ask_async(made: Callable[[], "hitl.Event[Any]"]) -> Any:
    event = made()
    get_run_logger().info("waits for an answer at %s", event.form_url)
    return await event.wait.aio()
