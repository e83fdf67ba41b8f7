"""Reviews: a person decides on an action, and only exactly what was approved is done."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from hitl import v1
from hitl.canonical import action_digest
from hitl.error import Declined, Internal, Invalid
from hitl.shown import one_line

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from hitl.event import Create, Event, Options

R = TypeVar("R")

Decision = Literal["approve", "edit", "reject", "respond"]
"""What a person decides: the action may be taken as it was shown, or with other arguments; it may
not be taken, or there is something to go on with instead."""

_NUMBERS: dict[str, v1.ReviewDecision.ValueType] = {
    "approve": v1.REVIEW_DECISION_APPROVE,
    "edit": v1.REVIEW_DECISION_EDIT,
    "reject": v1.REVIEW_DECISION_REJECT,
    "respond": v1.REVIEW_DECISION_RESPOND,
}
_NAMES: dict[int, Decision] = {
    v1.REVIEW_DECISION_APPROVE: "approve",
    v1.REVIEW_DECISION_EDIT: "edit",
    v1.REVIEW_DECISION_REJECT: "reject",
    v1.REVIEW_DECISION_RESPOND: "respond",
}


@dataclass(frozen=True)
class Review:
    """A decision on an action. What may be done comes out of `execute_if_approved` alone."""

    decision: Decision
    """What was decided."""
    action: str = ""
    """The action that was decided on."""
    arguments: Any = None
    """What was approved; None if nothing was."""
    message: str = ""
    """Why it was rejected, or what to go on with instead."""
    shown_digest: str = ""
    """Digest of what the person was shown; empty if nobody was, as when a default was used."""
    approved_digest: str = ""
    """Digest of what was approved; empty if nothing was."""

    @property
    def is_approved(self) -> bool:
        """Whether the action may be taken, with the arguments that were approved."""
        return self.decision in ("approve", "edit") and self.approved_digest != ""

    def approves(self, action: str, arguments: Any) -> bool:
        """Whether exactly this action with exactly these arguments was approved."""
        try:
            digest = action_digest(action, arguments)
        except (TypeError, ValueError):
            return False
        return self.is_approved and digest == self.approved_digest

    def execute_if_approved(self, action: str, run: Callable[..., R]) -> R:
        """Calls `run` with the arguments that were approved for the action.

        They are given by name if they are an object, else as the one argument. Returns what `run`
        returns: a coroutine, if it is async.

        Raises `Declined` if the action was not approved, and `Invalid` if what was approved is
        another action, or not what its digest says. `run` is not called then.
        """
        if not self.is_approved:
            why = f": {self.message}" if self.message else ""
            raise Declined(one_line(f'the action "{self.action}" was not approved{why}'))
        if not self.approves(action, self.arguments):
            raise Invalid(one_line(f'what was approved is not "{action}" with these arguments'))
        if isinstance(self.arguments, Mapping):
            return run(**self.arguments)
        return run(self.arguments)


class ReviewQuestion:
    """An action that is asked about, and how the decision travels."""

    def __init__(self, restrictions: Mapping[str, Any]) -> None:
        self._given = {key: value for key, value in restrictions.items() if value is not None}

    def input(self) -> v1.Input:
        """The input that asks for it."""
        given = dict(self._given)
        try:
            allow = [_NUMBERS[decision] for decision in given.pop("allow", ())]
            schema = given.pop("schema", None)
            review = v1.ReviewInput(
                action=given.pop("action", ""),
                arguments=_json(given.pop("arguments", None)),
                json_schema="" if schema is None else _json(schema),
                allow=allow,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise Invalid(one_line(f"an action is not reviewed so: {error}")) from error
        if given:
            raise Invalid(one_line(f"a review is not restricted so: {', '.join(given)}"))
        return v1.Input(review=review)

    def encode(self, value: Any) -> v1.Value:
        """The value as an answer."""
        if isinstance(value, v1.Value):
            return value
        if isinstance(value, str):
            value = Review(value)  # type: ignore[arg-type]
        if not isinstance(value, Review) or value.decision not in _NUMBERS:
            raise Invalid(one_line(f"{value!r} is no decision: give a Review"))
        arguments = "" if value.arguments is None else _json(value.arguments)
        review = v1.ReviewValue(
            decision=_NUMBERS[value.decision],
            arguments=arguments,
            message=value.message,
            shown_digest=value.shown_digest,
        )
        return v1.Value(review=review)


def decode_review(event: v1.Event) -> Review:
    """The decision that an event ended with."""
    asked, value = event.input.review, event.response.value
    if value.WhichOneof("kind") != "review" or value.review.decision not in _NAMES:
        raise Internal("the server sent no decision where the event asks for one")
    decided = value.review
    try:
        shown = action_digest(asked.action, json.loads(asked.arguments))
        arguments = json.loads(decided.arguments) if decided.arguments else None
    except (TypeError, ValueError) as error:
        raise Internal(one_line(f"the server sent arguments that are no JSON: {error}")) from error
    # Where a default was used nobody was shown anything.
    if decided.shown_digest not in ("", shown):
        raise Internal("the server sent a decision on something else than was shown")
    return Review(
        decision=_NAMES[decided.decision],
        action=asked.action,
        arguments=arguments,
        message=decided.message,
        shown_digest=decided.shown_digest,
        approved_digest=decided.approved_digest,
    )


class CreateReview:
    """Asks for a decision on an action: `review(action, arguments)` blocks, `.aio` does not.

    `schema` is a JSON Schema that the arguments fit, and that edited ones must fit; `allow` names
    the decisions that may be made. Whole numbers beyond 2^53-1 are written as text. All else is as
    with `Client.event`; lists call the event as the action is called unless `name` says otherwise.
    """

    def __init__(self, create: "Create") -> None:
        self._create = create

    def __call__(
        self,
        action: str,
        arguments: Any,
        *,
        name: str | None = None,
        prompt: str | None = None,
        allow: Iterable[Decision] | None = None,
        timeout_seconds: float | timedelta = 3600,
        **options: "Unpack[Options]",
    ) -> "Event[Review]":
        prompt = prompt or _prompt(action)
        asked: dict[str, Any] = {"action": action, "arguments": arguments, "allow": allow}
        asked["timeout_seconds"] = timeout_seconds
        return self._create(name or action, Review, prompt=prompt, **asked, **options)

    async def aio(
        self,
        action: str,
        arguments: Any,
        *,
        name: str | None = None,
        prompt: str | None = None,
        allow: Iterable[Decision] | None = None,
        timeout_seconds: float | timedelta = 3600,
        **options: "Unpack[Options]",
    ) -> "Event[Review]":
        prompt = prompt or _prompt(action)
        asked: dict[str, Any] = {"action": action, "arguments": arguments, "allow": allow}
        asked["timeout_seconds"] = timeout_seconds
        return await self._create.aio(name or action, Review, prompt=prompt, **asked, **options)


def _prompt(action: str) -> str:
    return f"May {action} be done as shown?"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
