"""Has a workflow of Temporal wait for a person.

    answer = await workflow.execute_activity(
        "ask_person",
        Question("approve", "Ship it?", {"bool": {}}),
        start_to_close_timeout=timedelta(days=2),
        heartbeat_timeout=timedelta(seconds=30),
    )

The activity asks and lets go of its slot. The worker waits on the stream of the server and completes the activity by
its id. When the worker dies, the heartbeats stop, Temporal gives the activity to another one, and that meets the same
question, since workflow, run and activity make it.
"""

import asyncio
import contextlib
import hashlib
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import hitl
from google.protobuf import json_format
from temporalio import activity
from temporalio.client import AsyncActivityCancelledError, AsyncActivityHandle, Client
from temporalio.exceptions import ApplicationError

__all__ = ["People", "Question"]


@dataclass
class Question:
    """What a workflow asks. It is data that replays the same: no clock and nothing random in it."""

    name: str
    """What lists call it."""
    prompt: str
    """The question."""
    input: dict[str, Any]
    """The kind of answer, as the JSON of the API has it: `{"bool": {}}`, `{"int": {"min": 0}}`, `{"str": {}}`,
    `{"choice": {"options": [{"value": "a"}]}}`, `{"object": {"json_schema": "…"}}`."""
    ttl_seconds: float = 86_400
    """How long a person has. The `start_to_close_timeout` of the activity must be longer."""
    default: Any = None
    """The answer, as JSON, if nobody answers in time; without one the activity fails then."""
    labels: dict[str, str] = field(default_factory=dict)
    """Labels to list it by."""


class People:
    """The activity, for a worker: `Worker(..., activities=[People(client).ask_person])`."""

    def __init__(self, temporal: Client, client: hitl.Client | None = None) -> None:
        self._temporal = temporal
        self._client = client or hitl.Client()
        self._waits: set[asyncio.Task[None]] = set()

    @activity.defn
    async def ask_person(self, question: Question) -> Any:
        """Asks, and returns the answer as the JSON of the API has it. A question that ends otherwise fails."""
        info = activity.info()
        place = [info.namespace, info.workflow_id, info.workflow_run_id, info.activity_id]
        request = hitl.v1.CreateEventRequest(
            name=question.name,
            scope=info.workflow_id or "",
            prompt=question.prompt,
            labels={**question.labels, "framework": "temporal"},
            idempotency_key="temporal-" + hashlib.sha256(json.dumps(place).encode()).hexdigest(),
        )
        request.ttl.FromTimedelta(timedelta(seconds=question.ttl_seconds))
        json_format.ParseDict(question.input, request.input)
        if question.default is not None:
            json_format.ParseDict(question.default, request.on_timeout.default_value)
        event = (await self._client.create.aio(request)).event
        activity.logger.info("waits for an answer at %s", event.form_url)
        if not info.workflow_id:
            raise ApplicationError("only workflows ask: the id of the workflow is missing", non_retryable=True)
        handle = self._temporal.get_async_activity_handle(
            workflow_id=info.workflow_id, run_id=info.workflow_run_id, activity_id=info.activity_id
        )
        beat_s = (info.heartbeat_timeout or timedelta(seconds=30)).total_seconds() / 3
        wait = asyncio.create_task(self._complete(handle, event.id, beat_s))
        self._waits.add(wait)
        wait.add_done_callback(self._waits.discard)
        activity.raise_complete_async()

    async def _complete(self, handle: AsyncActivityHandle, event_id: str, beat_s: float) -> None:
        """Waits, with heartbeats, and says how it ended."""
        wait = asyncio.create_task(self._client.wait_event.aio(event_id))
        try:
            while not wait.done():
                await asyncio.wait([wait], timeout=beat_s)
                if not wait.done():
                    await handle.heartbeat()
            event = wait.result()
        except AsyncActivityCancelledError:
            wait.cancel()
            await self._client.cancel.aio(event_id, "the workflow does not want to know any more")
            with contextlib.suppress(Exception):
                await handle.report_cancellation()
            return
        except hitl.Error as error:
            await handle.fail(ApplicationError(str(error)))
            return
        finally:
            wait.cancel()
        if event.response.HasField("value"):
            await handle.complete(_plain(event.response.value))
        else:
            state = hitl.v1.EventState.Name(event.state).removeprefix("EVENT_STATE_").lower()
            await handle.fail(
                ApplicationError(event.response.reason or f"the question was {state}", type=state, non_retryable=True)
            )


def _plain(value: "hitl.v1.Value") -> Any:
    """The value as JSON that a workflow can use: whole numbers as numbers, objects as their fields."""
    kind = value.WhichOneof("kind")
    if kind == "choice":
        return list(value.choice.selected)
    if kind == "object":
        return {name: _plain(field) for name, field in value.object.fields.items()}
    if kind == "review":
        review: dict[str, Any] = json_format.MessageToDict(value.review, preserving_proto_field_name=True)
        return review
    return getattr(value, kind) if kind else None
