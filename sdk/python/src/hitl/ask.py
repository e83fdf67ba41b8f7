"""Asks and waits in one line."""

from typing import TypeVar

from typing_extensions import TypeForm

from hitl.event import new_event

T = TypeVar("T")


class Ask:
    """Asks one question and waits for its answer, with everything else left at its default.

    Prints where to answer to stderr, as `Event.wait` does.
    """

    def __call__(self, name: str, prompt: str, data_type: TypeForm[T]) -> T:
        return new_event(name, data_type, prompt=prompt).wait()

    async def aio(self, name: str, prompt: str, data_type: TypeForm[T]) -> T:
        event = await new_event.aio(name, data_type, prompt=prompt)
        return await event.wait.aio()


ask = Ask()
