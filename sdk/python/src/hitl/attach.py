"""Attaches to events that were asked before, by this process or another."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from typing_extensions import TypeForm

from hitl import key, v1
from hitl.error import Invalid
from hitl.event import Event, event_of
from hitl.value import ensure_kind

if TYPE_CHECKING:
    from hitl.client import Client

T = TypeVar("T")


class Attach:
    """Attaches to an event by its id: `attach(event_id, data_type)`, or `await attach.aio(...)`.

    The type is that of its answer, as when it was created. `NotFound` if there is no such event,
    `Invalid` if it asks for another kind of answer.
    """

    def __init__(self, client: "Callable[[], Client]") -> None:
        self._client = client

    def __call__(self, event_id: str, data_type: TypeForm[T]) -> Event[T]:
        client = self._client()
        return _attached(client, data_type, client.get(event_id))

    async def aio(self, event_id: str, data_type: TypeForm[T]) -> Event[T]:
        client = self._client()
        return _attached(client, data_type, await client.get.aio(event_id))


class AttachByName:
    """Attaches to the n-th event of a name in a run, counted from 1. It counts nothing itself."""

    def __init__(self, client: "Callable[[], Client]", run_id: str) -> None:
        self._client, self._run_id = client, run_id

    def __call__(self, name: str, data_type: TypeForm[T], n: int = 1) -> Event[T]:
        client = self._client()
        return _attached(client, data_type, client.get(self._event_id(client, name, n)))

    async def aio(self, name: str, data_type: TypeForm[T], n: int = 1) -> Event[T]:
        client = self._client()
        return _attached(client, data_type, await client.get.aio(self._event_id(client, name, n)))

    def _event_id(self, client: "Client", name: str, n: int) -> str:
        if n < 1:
            raise Invalid(f"n is {n}: the events of a name are counted from 1")
        return key.event_id(client.namespace, key.of_run(self._run_id, name, n))


def _attached(client: "Client", data_type: TypeForm[T], record: v1.Event) -> Event[T]:
    ensure_kind(data_type, record)
    lasts = record.deadline.ToNanoseconds() - record.create_time.ToNanoseconds()
    return event_of(client, data_type, record, timeout_seconds=lasts / 1e9)
