import json
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Literal, NewType

import annotated_types as at
import pytest
from pydantic import AfterValidator, BaseModel, Field
from typing_extensions import Doc, NotRequired, TypeAliasType, TypedDict

import hitl
from hitl.value import Question


@dataclass
class Order:
    count: Annotated[int, Field(ge=1, lt=10, title="How many")]
    share: Annotated[float, at.Ge(0), at.Le(1)] | None
    code: str = field(metadata={"min_length": 2, "pattern": "^[A-Z]+$", "description": "Its code"})
    note: Annotated[str | None, at.MaxLen(9), Doc("Why")] = None
    tags: Annotated[list[Literal["a", "b"]], at.Len(1, 2)] = field(default_factory=lambda: ["a"])


class Plan(TypedDict):
    count: NotRequired[Annotated[int, at.Interval(gt=0, le=9)]]
    day: Annotated[date, "When"]


class Release(BaseModel):
    replicas: Annotated[int, Field(gt=0, lt=10)]


Count = TypeAliasType("Count", Annotated[int, at.Ge(1)])
Named = NewType("Named", str)


def properties(data_type: Any) -> Any:
    return json.loads(Question(data_type, {}).input().object.json_schema)["properties"]


def test_what_is_said_about_a_field_is_asked_of_people() -> None:
    assert properties(Order) == {
        "count": {"type": "integer", "title": "How many", "minimum": 1, "maximum": 9},
        "share": {"type": "number", "minimum": 0, "maximum": 1},
        "code": {
            "type": "string",
            "minLength": 2,
            "pattern": "^[A-Z]+$",
            "description": "Its code",
        },
        "note": {"type": "string", "maxLength": 9, "description": "Why"},
        "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 1, "maxItems": 2},
    }
    assert properties(Plan) == {
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "day": {"type": "string", "format": "date", "description": "When"},
    }
    (replicas,) = properties(Release).values()
    assert (replicas["minimum"], replicas["maximum"]) == (1, 9)


def test_what_is_said_about_an_answer_that_stands_alone_is_asked_too() -> None:
    number = Question(Annotated[int, Field(ge=0, le=9)], {}).input().int
    assert (number.min, number.max) == (0, 9)
    text = Question(Annotated[str, Field(min_length=1, pattern="^a")], {"max_length": 3}).input()
    assert (text.str.min_length, text.str.max_length, text.str.pattern) == (1, 3, "^a")
    several = Question(Annotated[list[Literal["a", "b"]], at.MinLen(2)], {}).input().choice
    assert several.min_selected == 2


@pytest.mark.parametrize(
    ("data_type", "told"),
    [
        (Annotated[int, Field(multiple_of=2)], "multiple_of"),
        (Annotated[float, at.Gt(0)], "gt says nothing of number"),
        (Annotated[str, AfterValidator(str.upper)], "not known here"),
        (Annotated[int, at.Predicate(lambda number: number > 0)], "not known here"),
        (Annotated[date, at.Ge(date(2026, 1, 1))], "ge says nothing of date"),
        (Annotated[bool, at.Ge(0)], "ge says nothing of boolean"),
        (Annotated[Literal["a", "b"], at.MaxLen(1)], "one of some options"),
        (Annotated[int, Field(alias="n")], "alias cannot be asked for"),
        (Annotated[int, {"unit": "m"}], "unit"),
        (Annotated[int, "How many?"], "say it in the prompt"),
        (Annotated[int, at.Ge(0), at.Ge(1)], "state it once"),
        (Annotated[int, at.Ge(0.5), at.Gt(0.5)], "no bound of whole numbers"),
        (list[int], "a list is of options"),
    ],
)
def test_what_nobody_would_check_is_refused(data_type: Any, told: str) -> None:
    with pytest.raises(hitl.Invalid, match=told):
        Question(data_type, {})


def test_another_name_of_a_type_says_the_same() -> None:
    assert Question(Count, {}).input().int.min == 1
    assert Question(Named, {}).input().HasField("str")


def test_a_bound_that_is_said_twice_is_refused() -> None:
    with pytest.raises(hitl.Invalid, match="said by the type and by an option"):
        Question(Annotated[int, at.Ge(0)], {"min": 1})


def test_a_field_is_named_that_is_refused() -> None:
    @dataclass
    class Odd:
        size: int = field(metadata={"multiple_of": 2})

    with pytest.raises(hitl.Invalid, match=r"^size: .*multiple_of"):
        Question(Odd, {})


def test_options_may_be_dicts() -> None:
    options = ["a", ("b", "B"), {"value": "c", "label": "C", "description": "the third"}]
    offered = Question(str, {"options": options}).input().choice.options
    told = [(option.value, option.label, option.description) for option in offered]
    assert told == [("a", "", ""), ("b", "B", ""), ("c", "C", "the third")]
    with pytest.raises(hitl.Invalid):
        Question(str, {"options": [{"value": "a", "colour": "red"}]}).input()
