import json
from dataclasses import InitVar, dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, ClassVar, List, Literal, NewType  # noqa: UP035

import pytest
from pydantic import (
    AnyUrl,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    FutureDate,
    NaiveDatetime,
    PastDate,
    PastDatetime,
    create_model,
)
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
        (datetime, datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))),
    ],
)
def test_a_value_that_is_no_answer_is_invalid(data_type: Any, value: Any) -> None:
    with pytest.raises(hitl.Invalid):
        Question(data_type, {}).encode(value)


def test_a_type_that_cannot_be_asked_for_says_what_can() -> None:
    data_type: Any
    for data_type in (bytes, set[int], None, tuple[int], list, List, Decimal, []):  # noqa: UP006
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


@dataclass
class Sum:
    n: int
    doubled: int = field(init=False)
    limit: ClassVar[int] = 3

    def __post_init__(self) -> None:
        self.doubled = 2 * self.n


@dataclass
class Scaled:
    n: int
    by: InitVar[int]


@dataclass(init=False)
class Other:
    n: int

    def __init__(self, m: int) -> None:
        self.n = m


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)
    at: datetime
    day: date
    target: Target = Field(alias="where")
    n: int = Field(le=9)


def answered(text: str) -> v1.Event:
    event = v1.Event(input=v1.Input(str=v1.StrInput()), state=v1.EVENT_STATE_ANSWERED)
    event.response.value.str = text
    return event


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22T13:37:00Z", NOW),
        ("2026-11-22t14:37:00+01:00", NOW),
        ("2026-11-22T13:37:00.0000000000001z", NOW),
        ("2026-11-22T13:37:00.123456789-00:00", NOW.replace(microsecond=123456)),
        ("9999-12-31T23:59:59.999999999Z", datetime.max.replace(tzinfo=timezone.utc)),
        ("0001-01-01T00:00:00Z", datetime.min.replace(tzinfo=timezone.utc)),
    ],
)
def test_every_instant_that_a_datetime_holds_is_read(text: str, expected: datetime) -> None:
    assert decode(datetime, answered(text)) == expected


@pytest.mark.parametrize(
    ("data_type", "text"),
    [
        (datetime, "2016-12-31T23:59:60Z"),
        (datetime, "0000-12-31T23:59:59Z"),
        (datetime, "0001-01-01T00:00:00+00:01"),
        (datetime, "9999-12-31T23:59:59-00:01"),
        (datetime, "today"),
        (date, "0000-01-01"),
        (date, "20260101"),
        (date, "to\u202eday"),
        (Literal["a"], "b"),
        (Target, "b"),
        (int, "1"),
    ],
)
def test_a_stored_value_that_the_type_cannot_hold_is_an_error_once(
    data_type: Any, text: str
) -> None:
    final = answered(text)
    final.id = "e"
    if data_type in (Target, Literal["a"]):
        final.response.value.choice.selected.append(text)
    with serving([], [v1.WaitEventsResponse(event=final)]) as (client, script):
        event = client.event("n", data_type, idempotency_key="e")
        with pytest.raises(hitl.Internal) as caught:
            event.wait()
        assert not caught.value.retryable
        assert data_type is int or ascii(text).strip("'") in str(caught.value)
        assert script.calls == 2


def test_a_field_of_another_type_is_an_error_that_names_it() -> None:
    one = v1.Value(int=1)
    for fields in {"n": v1.Value(str="1")}, {"n": one, "m": one}, {"n": v1.Value()}:
        event = v1.Event(input=asked(Sum), state=v1.EVENT_STATE_ANSWERED)
        event.response.value.object.CopyFrom(v1.ObjectValue(fields=fields))
        with pytest.raises(hitl.Internal, match=r"'1' is no int|it has m, of which|of a kind"):
            decode(Sum, event)


def test_only_what_can_be_given_to_a_dataclass_is_asked_for() -> None:
    schema = json.loads(asked(Sum).object.json_schema)
    assert (list(schema["properties"]), schema["required"]) == (["n"], ["n"])
    assert travelled(Sum, Sum(3)) == Sum(3)


def test_a_dataclass_that_its_fields_do_not_make_is_refused() -> None:
    """Every answer would be one that it cannot hold."""
    for data_type in (Scaled, Other):
        with pytest.raises(hitl.Invalid, match="cannot be made of its fields alone"):
            asked(data_type)


Name = NewType("Name", str)


class Held(BaseModel):
    a: str
    b: Name
    c: Annotated[str, Field(max_length=9)] | None = None
    d: AwareDatetime
    e: AnyUrl
    f: date | None = Field(alias="day")
    g: str = "x"


@pytest.mark.parametrize("held", [complex, NaiveDatetime, PastDatetime, PastDate, FutureDate])
def test_a_model_that_takes_less_than_is_asked_for_is_refused(held: Any) -> None:
    """Every answer would be one that it cannot hold."""
    annotation: Any
    for annotation in (held, held | None, Annotated[held, Field(description="d")]):
        with pytest.raises(hitl.Invalid, match=r"^n: .* does not take every \w+"):
            asked(create_model("Less", n=(annotation, ...)))
    names = json.loads(asked(Held).object.json_schema)["properties"]
    assert [*names] == ["a", "b", "c", "d", "e", "day", "g"]


def test_a_strict_model_takes_what_was_asked_for() -> None:
    given = Strict(at=NOW, day=date(2026, 11, 22), where=Target.STAGING, n=1)
    question = Question(Release, {})
    assert "where" not in json.loads(question.input().object.json_schema)["properties"]
    event = v1.Event(input=v1.Input(object=v1.ObjectInput(json_schema=STRICT)))
    fields = {
        "at": v1.Value(str="2026-11-22T13:37:00Z"),
        "day": v1.Value(str="2026-11-22"),
        "where": v1.Value(choice=v1.ChoiceValue(selected=["staging"])),
        "n": v1.Value(int=1),
    }
    event.response.value.object.CopyFrom(v1.ObjectValue(fields=fields))
    assert decode(Strict, event) == given
    fields["n"].int = 10
    event.response.value.object.CopyFrom(v1.ObjectValue(fields=fields))
    with pytest.raises(hitl.Internal, match="less than or equal to 9"):
        decode(Strict, event)


STRICT = json.dumps(
    {
        "type": "object",
        "properties": {
            "at": {"type": "string", "format": "date-time"},
            "day": {"type": "string", "format": "date"},
            "where": {"type": "string", "enum": ["staging"]},
            "n": {"type": "integer", "maximum": 9},
        },
    }
)


def test_options_that_would_be_told_apart_by_nobody_are_refused() -> None:
    for alike in (Literal[1, "1"], Literal[True, "True"], Enum("Alike", {"B": 1, "A": "B"})):
        with pytest.raises(hitl.Invalid, match="look alike"):
            asked(alike)
    assert travelled(Literal[1, True], True) is True
    assert travelled(Literal[1, True], 1) == 1


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
