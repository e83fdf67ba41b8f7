"""Has a task of Airflow wait for a person without taking up a worker.

    approve = HitlOperator(task_id="approve", name="approve", data_type=bool, prompt="Publish the report?")

The operator asks and defers; a trigger waits on the stream of the server, so that an answer wakes the task at once
and nothing polls. The answer is the task's XCom, and the address of the form is in its log.

The DAG, the run, the task and its place in a mapping make the question. So a try that is repeated, or a triggerer that
is started again, meets the question that was asked, and the answer if it was given.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import hitl
from airflow.exceptions import AirflowException
from airflow.sdk import BaseOperator, Context
from airflow.triggers.base import BaseTrigger, TriggerEvent

__all__ = ["HitlOperator", "HitlTrigger"]


class HitlOperator(BaseOperator):
    """Asks a person, and returns the typed answer.

    `name`, `data_type`, `prompt` and `options` are those of `hitl.new_event`; `data_type` is a type whose values
    Airflow can keep: `bool`, `int`, `float`, `str`, `list[str]` with options, or `dict` with a schema. `timeout` is how
    long the person has. A question that is declined, cancelled or not answered in time fails the task, without another
    try; give `default_on_timeout` to go on with that instead.

    Where the server is comes from the environment of the worker and of the triggerer (`HITL_ENDPOINT`, `HITL_TOKEN`).
    """

    template_fields: Sequence[str] = ("prompt", "options")

    def __init__(
        self,
        *,
        name: str,
        data_type: Any = bool,
        prompt: str,
        timeout: timedelta = timedelta(days=1),
        options: dict[str, Any] | None = None,
        **operator: Any,
    ) -> None:
        super().__init__(**operator)
        self.name = name
        self.data_type = data_type
        self.prompt = prompt
        self.timeout = timeout
        self.options = options or {}

    def execute(self, context: Context) -> Any:
        """Asks, and lets go of the worker."""
        event = self._event(context)
        self.log.info("waits for an answer at %s", event.form_url)
        self.defer(trigger=HitlTrigger(event.id, event.client.namespace), method_name="execute_complete")

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Goes on with what the trigger saw."""
        if "error" in event:
            raise AirflowException(event["error"])
        try:
            return self._event(context).wait()
        except (hitl.Declined, hitl.Cancelled, hitl.TimedOut) as ended:
            from airflow.exceptions import AirflowFailException

            raise AirflowFailException(str(ended)) from ended

    def on_kill(self) -> None:
        """The question stays: whoever clears the task meets it again."""

    def _event(self, context: Context) -> "hitl.Event[Any]":
        task = context["ti"]
        place = [task.dag_id, task.run_id, task.task_id, task.map_index]
        return hitl.new_event(
            self.name,
            self.data_type,
            scope=task.run_id,
            prompt=self.prompt,
            timeout_seconds=self.timeout,
            labels={"framework": "airflow", "dag": task.dag_id},
            idempotency_key="airflow-" + hashlib.sha256(json.dumps(place).encode()).hexdigest(),
            **self.options,
        )


class HitlTrigger(BaseTrigger):
    """Waits in the triggerer until an event has ended, through lost connections and restarts of the server."""

    def __init__(self, event_id: str, namespace: str = "default") -> None:
        super().__init__()
        self.event_id = event_id
        self.namespace = namespace

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What it is made of, for the triggerer."""
        return "hitl_airflow.HitlTrigger", {"event_id": self.event_id, "namespace": self.namespace}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Waits, and says that it is over. The answer itself is fetched by the task, and not kept by Airflow twice."""
        client = hitl.Client(hitl.Config(namespace=self.namespace))
        try:
            await client.wait_event.aio(self.event_id)
            yield TriggerEvent({"event_id": self.event_id})
        except hitl.Error as error:
            yield TriggerEvent({"error": str(error)})
        finally:
            await client.close.aio()
