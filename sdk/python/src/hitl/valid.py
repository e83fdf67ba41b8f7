"""Asks again until an answer is valid by a check that only the program can make.

An answer is final for the server, so that another one is asked for by another event, which shows
what was wrong.
"""

import hashlib
import inspect
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import TypeForm, Unpack

from hitl import evidence, v1
from hitl.error import FieldViolation, Invalid
from hitl.shown import quoted

if TYPE_CHECKING:
    from hitl.event import Create, Event, Options

T = TypeVar("T")

# More of an answer, or of what is wrong with it, nobody reads.
_CHARS_MAX = 500
# What the evidence of another attempt is called.
_TITLE = "The answer before was not valid"


class AskValid:
    """Asks, waits, and asks again while `check` raises `ValueError`: `ask_valid(...)` or `.aio`.

    The next event shows what the error says, with the answer. Each attempt has all of the timeout.
    A default is not checked. In a run, who asks the same again meets the same events. `Invalid`
    with what was wrong last if there was no valid answer in so many attempts.

        def even(number: int) -> None:
            if number % 2:
                raise ValueError(f"{number} is odd")

        replicas = hitl.ask_valid("scale", int, even, prompt="How many replicas?")
    """

    def __init__(self, create: "Create") -> None:
        self._create = create

    def __call__(
        self,
        name: str,
        data_type: TypeForm[T],
        check: Callable[[T], object],
        *,
        attempts: int = 3,
        prompt: str = "Please provide a value",
        timeout_seconds: float | timedelta = 3600,
        **options: "Unpack[Options]",
    ) -> T:
        asking, given = Asking(name, attempts), options
        while True:
            event = self._create(
                name, data_type, prompt=prompt, timeout_seconds=timeout_seconds, **given
            )
            details = event.wait_details()
            try:
                if details.response.state != v1.EVENT_STATE_TIMED_OUT:
                    check(details.value)
                return details.value
            except ValueError as error:
                given = asking.again(event, details.response.value, error, options)

    async def aio(
        self,
        name: str,
        data_type: TypeForm[T],
        check: Callable[[T], object],
        *,
        attempts: int = 3,
        prompt: str = "Please provide a value",
        timeout_seconds: float | timedelta = 3600,
        **options: "Unpack[Options]",
    ) -> T:
        asking, given = Asking(name, attempts), options
        while True:
            event = await self._create.aio(
                name, data_type, prompt=prompt, timeout_seconds=timeout_seconds, **given
            )
            details = await event.wait_details.aio()
            try:
                if details.response.state != v1.EVENT_STATE_TIMED_OUT:
                    checked = check(details.value)
                    if inspect.isawaitable(checked):
                        await checked
                return details.value
            except ValueError as error:
                given = asking.again(event, details.response.value, error, options)


class Asking:
    """The attempts that there were."""

    def __init__(self, name: str, attempts: int) -> None:
        if attempts < 1:
            raise Invalid(f"attempts is {attempts}: give a number from 1")
        self._name, self._attempts, self._number = name, attempts, 1
        self._first_id = ""
        """The event of the first one, by which those of the others are known."""

    def again(
        self, event: "Event[Any]", answer: v1.Value, error: ValueError, options: "Options"
    ) -> "Options":
        """What the next attempt is created with. `Invalid` if there is none."""
        self._first_id = self._first_id or event.id
        why = _shortened(str(error) or "it is not valid")
        if self._number >= self._attempts:
            told = f"no answer to {quoted(self._name)} was valid in {self._attempts} attempts"
            given_up = Invalid(f"{told}: {why}")
            given_up.field_violations = [FieldViolation("value", why)]
            raise given_up from error
        self._number += 1
        shown = [("Answer", _shortened(_text(answer))), ("Why not", why)]
        before = evidence.facts(_TITLE, shown)
        key = hashlib.sha256(f"{self._first_id}\n{self._number}".encode()).hexdigest()
        again: Options = {**options}
        facts = again.pop("facts", None)
        others = [evidence.facts("", facts)] if facts else []
        again["evidence"] = [before, *others, *(options.get("evidence") or ())]
        again["idempotency_key"] = f"again-{key}"
        return again


def _text(value: v1.Value) -> str:
    """An answer as people read it."""
    kind = value.WhichOneof("kind")
    if kind == "bool":
        return "true" if value.bool else "false"
    if kind == "choice":
        return ", ".join(value.choice.selected)
    if kind == "object":
        fields = sorted(value.object.fields.items())
        return "; ".join(f"{name}: {_text(field)}" for name, field in fields)
    if kind == "review":
        decision = v1.ReviewDecision.Name(value.review.decision)
        decision = decision.removeprefix("REVIEW_DECISION_").lower()
        return f"{decision} {value.review.message}".rstrip()
    return str(getattr(value, kind)) if kind else ""


def _shortened(text: str) -> str:
    return text if len(text) <= _CHARS_MAX else text[:_CHARS_MAX] + "…"
