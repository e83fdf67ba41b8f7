"""Never run: mypy and pyright read it, to see that answers have the types that were asked for."""

from dataclasses import dataclass
from enum import Enum
from typing import Literal, TypedDict

from typing_extensions import assert_type

import hitl


class Color(Enum):
    RED = "red"


@dataclass
class D:
    n: int


class TD(TypedDict):
    n: int


async def main() -> None:
    e = hitl.new_event("a", data_type=int, min=0)
    assert_type(e, hitl.Event[int])
    assert_type(e.wait(), int)
    assert_type(await e.wait.aio(), int)
    assert_type(e.wait_for(3), int | None)
    created = await hitl.Event.create.aio("b", scope="run", prompt="?", data_type=bool)
    assert_type(created, hitl.Event[bool])
    assert_type(hitl.new_event("a", Literal["x", "y"]).wait(), Literal["x", "y"])
    assert_type(hitl.new_event("a", list[Color]).wait(), list[Color])
    assert_type(hitl.Client().event("a", D).wait(), D)
    assert_type(hitl.new_event("a", TD).wait(), TD)
    assert_type(hitl.ask("a", "b", str), str)
    assert_type(hitl.ask_valid("a", str, len), str)
    assert_type(await hitl.ask.aio("a", "b", float), float)
    assert_type(hitl.Client().get("x"), hitl.v1.Event)
    assert_type(await hitl.Client().list.aio(page_size=3), hitl.v1.ListEventsResponse)
    created_many = hitl.Client().create_many([])
    assert_type(created_many, list[hitl.v1.CreateEventResponse | hitl.Error])
    assert_type(await hitl.Client().answer_many.aio([]), list[hitl.v1.Response | hitl.Error])
    for change in hitl.Client().watch(name="a"):
        assert_type(change, hitl.Change)
    async for change in hitl.Client().watch():
        assert_type(change.event, hitl.v1.Event)
