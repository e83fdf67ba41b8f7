import json
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field
from scripted import serving
from typing_extensions import NotRequired, TypedDict

import hitl
from hitl import v1
from hitl.value import Question, decode

NOW = datetime(2026, 11, 22, 13, 37, tzinfo=timezone.utc)


class Target(Enum):
    STAGING = "staging"
    PRODUCTION = 2


@dataclass(frozen=True)
class Deploy:
    replicas: int
    share: float
    target: Target
    day: date
    checks: list[Literal["lint", "test"]]
    dry: bool = True
    note: str | None = None
    reviewer: str | None = field(default_factory=lambda: "Ada")


class Plan(TypedDict):
    replicas: int
    note: NotRequired[str]
    owner: str | None


class Size(str, Enum):
    """How much of it."""

    WHOLE = "whole"
    HALF = "half"


class Release(BaseModel):
    replicas: Annotated[int, Field(ge=1, le=9)]
    target: Literal["staging", "production"] = "staging"
    kind: Literal["only"]
    size: Size | None = None
    note: str | None = Field(default=None, max_length=9, description="Why")
    checks: list[Literal["lint", "test"]] = []


def travelled(data_type: Any, value: Any, **restrictions: Any) -> Any:
    question = Question(data_type, restrictions)
    event = v1.Event(input=question.input(), state=v1.EVENT_STATE_ANSWERED)
    event.response.value.CopyFrom(question.encode(value))
    return decode(data_type, event)


def asked(data_type: Any, **restrictions: Any) -> v1.Input:
    return Question(data_type, restrictions).input()


DEPLOY = Deploy(2**63 - 1, 1.0, Target.PRODUCTION, date(2026, 11, 22), ["lint"])


@pytest.mark.parametrize(
    ("data_type", "value", "restrictions"),
    [
        *[(int, number, {}) for number in (-(2**63), -1, 0, 2**53 + 1, 2**63 - 1)],
        (float, 5e-324, {}),
        (str, "\u202etext\n", {}),
        (bool, True, {}),
        (bool, False, {}),
        (date, date(2026, 11, 22), {}),
        (datetime, NOW, {}),
        (Literal["a", 1], 1, {}),
        (Target, Target.PRODUCTION, {}),
        (list[Target], [Target.STAGING, Target.PRODUCTION], {}),
        (str, "b", {"options": ["a", ("b", "B")]}),
        (list[str], [], {"options": {"a": "A"}, "min_selected": 0}),
        (Deploy, DEPLOY, {}),
        (Plan, Plan(replicas=1, owner=None), {}),
        (Release, Release(replicas=3, kind="only", size=Size.HALF, checks=["test"]), {}),
        (
            dict,
            {"n": 2**63 - 1, "c": "x"},
            {
                "schema": {
                    "type": "object",
                    "properties": {
                        "n": {"type": "integer"},
                        "c": {"type": "string", "oneOf": [{"const": "x"}]},
                    },
                }
            },
        ),
    ],
)
def test_every_type_returns_as_it_was(data_type: Any, value: Any, restrictions: Any) -> None:
    returned = travelled(data_type, value, **restrictions)
    assert returned == value
    assert type(returned) is type(value)


@pytest.mark.parametrize(
    ("data_type", "value"),
    [
        (int, "1"),
        (int, True),
        (int, 1.5),
        (int, 2**63),
        (bool, 1),
        (str, 1),
        (Target, "staging"),
        (Deploy, {"replicas": []}),
    ],
)
def test_a_value_that_is_no_answer_is_invalid(data_type: Any, value: Any) -> None:
    with pytest.raises(hitl.Invalid):
        Question(data_type, {}).encode(value)


def test_a_type_that_cannot_be_asked_for_says_what_can() -> None:
    for data_type in (bytes, set[int], None, tuple[int]):
        with pytest.raises(hitl.Invalid, match="pydantic"):
            asked(data_type)


def test_restrictions_are_those_of_the_api() -> None:
    assert asked(int, min=0, max=2**63 - 1).int == v1.IntInput(min=0, max=2**63 - 1)
    text = asked(str, min_length=1, format="date-time", multiline=True, pattern=None).str
    assert text == v1.StrInput(min_length=1, format=v1.STR_FORMAT_DATE_TIME, multiline=True)
    assert asked(date).str.format == v1.STR_FORMAT_DATE
    assert asked(bool, yes="Ship").bool == v1.BoolInput(true_label="Ship")
    options = asked(Literal["a", "b"], options={"a": "A"}).choice.options
    assert [(option.value, option.label) for option in options] == [("a", "A")]
    assert not asked(list[str], options=["a"]).choice.HasField("max_selected")


@pytest.mark.parametrize(
    "restrictions", [{"min_length": 1}, {"min": 0.5}, {"max": 2**63}, {"options": ["a"]}]
)
def test_a_restriction_that_does_not_fit_is_invalid(restrictions: Any) -> None:
    with pytest.raises(hitl.Invalid):
        asked(int, **restrictions)
    with pytest.raises(hitl.Invalid):
        asked(str, format="phone")


def test_an_answer_of_another_type_is_a_fault() -> None:
    event = v1.Event(input=asked(bool), response=v1.Response(value=v1.Value(bool=True)))
    with pytest.raises(hitl.Internal):
        decode(int, event)


def test_an_answer_may_be_of_any_type_that_can_be_asked_for() -> None:
    answers = [NOW, {"day": date(2026, 11, 22)}, Target.STAGING, Release(replicas=3, kind="only")]
    with serving() as (client, script):
        for answer in answers:
            client.answer("e", answer)
        with pytest.raises(hitl.Invalid, match=r"object at .* cannot be an answer"):
            client.answer("e", [object()])
        with pytest.raises(hitl.Invalid, match="cannot be an answer"):
            client.answer("e", {(1, 2): 3})
        sent = [json.loads(request.json) for request in script.seen]
    assert sent[:3] == ["2026-11-22T13:37:00+00:00", {"day": "2026-11-22"}, "staging"]
    assert sent[3]["replicas"] == 3


def test_what_has_a_default_need_not_be_answered(local: int) -> None:
    """The server takes the schemas that are derived, and what it leaves out is filled in."""
    client = hitl.Client()
    given = {"replicas": 1, "share": 0.5, "target": "PRODUCTION", "day": "2026-11-22"}
    deploy = client.event("deploy", Deploy)
    client.answer(deploy.id, {**given, "checks": []})
    expected = Deploy(1, 0.5, Target.PRODUCTION, date(2026, 11, 22), [])
    assert deploy.wait() == expected
    plan = client.event("plan", Plan, default_on_timeout=Plan(replicas=1, owner="Ada"))
    client.answer(plan.id, {"replicas": 2})
    assert plan.wait() == {"replicas": 2, "owner": None}
    release = client.event("release", Release, timeout_seconds=timedelta(days=1))
    client.answer(release.id, {"replicas": 2, "kind": "only"})
    assert release.wait() == Release(replicas=2, kind="only")
    with pytest.raises(hitl.Invalid) as caught:
        client.answer(client.event("release", Release).id, {"replicas": 0, "kind": "only"})
    assert [violation.field for violation in caught.value.field_violations] == ["value.replicas"]
