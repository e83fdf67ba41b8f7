"""What is said about a type besides the type: `Annotated[int, Field(ge=0)]`, `field(metadata=...)`.

It becomes keywords of the property that asks for the type. What has no keyword is refused, since
nobody would check it.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hitl.error import Invalid

Schema = Mapping[str, Any]

# What each keyword is called: by a schema, by our options, by annotated-types and pydantic.
_KEYWORDS = {
    "minimum": "minimum",
    "min": "minimum",
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "maximum": "maximum",
    "max": "maximum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "minLength": "minLength",
    "maxLength": "maxLength",
    "min_length": "minLength",
    "max_length": "maxLength",
    "minItems": "minItems",
    "maxItems": "maxItems",
    "min_selected": "minItems",
    "max_selected": "maxItems",
    "pattern": "pattern",
    "format": "format",
    "title": "title",
    "description": "description",
    "documentation": "description",
}
# What a property of each type can be restricted by.
_FITTING = {
    "integer": {"minimum", "maximum"},
    "number": {"minimum", "maximum"},
    "string": {"minLength", "maxLength", "pattern", "format"},
    "boolean": set[str](),
    "array": {"minItems", "maxItems"},
}
_ANYWHERE = {"title", "description"}


def bounded(schema: Schema, said: Iterable[Any]) -> Schema:
    """The property with all that is said about it."""
    stated: dict[str, Any] = {}
    for item in said:
        for keyword, value in _read(item, schema):
            if keyword in stated and stated[keyword] != value:
                raise Invalid(f"{keyword} is {stated[keyword]!r} and {value!r} too: state it once")
            stated[keyword] = value
    return {**schema, **stated}


def _read(item: Any, schema: Schema) -> Iterator[tuple[str, Any]]:
    """The keywords that an item comes to."""
    for name, value in _parts(item):
        keyword = _KEYWORDS.get(name, "")
        if schema.get("type") == "array" and keyword in ("minLength", "maxLength"):
            keyword = keyword.replace("Length", "Items")
        if keyword.startswith("exclusive") and schema.get("type") == "integer":
            yield _inclusive(keyword, value, item)
            continue
        is_choice = "enum" in schema
        fitting = set[str]() if is_choice else _FITTING.get(str(schema.get("type")), set())
        if "format" in schema and keyword != "format":
            fitting = set()
        if keyword not in fitting | _ANYWHERE:
            kind = "one of some options" if is_choice else schema.get("format", schema.get("type"))
            raise _lost(item, f"{name} says nothing of {kind} that the server could check")
        yield keyword, value


def _inclusive(keyword: str, value: Any, item: Any) -> tuple[str, Any]:
    if not isinstance(value, int):
        raise _lost(item, f"{value!r} is no bound of whole numbers")
    return ("minimum", value + 1) if keyword == "exclusiveMinimum" else ("maximum", value - 1)


def _parts(item: Any) -> Iterator[tuple[str, Any]]:
    """The names and values that an item has set."""
    if isinstance(item, str):
        yield "description", item
        return
    if isinstance(item, Mapping):
        yield from ((str(name), value) for name, value in item.items())
        return
    # As pydantic's `Field`, of which the constraints are items again.
    if hasattr(item, "metadata") and hasattr(item, "json_schema_extra"):
        yield from _field(item)
        return
    if isinstance(item, Iterable):
        for part in item:
            yield from _parts(part)
        return
    try:
        members = vars(item)
    except TypeError:
        members = {name: getattr(item, name) for name in getattr(item, "__slots__", ())}
    given = [(name, value) for name, value in members.items() if value is not None]
    if not given or not any(name in _KEYWORDS for name, _ in given):
        raise _lost(item, "it is not known here")
    yield from given


# What a `Field` may say that changes nothing about what can be answered.
_HARMLESS = {"annotation", "repr", "metadata", "title", "description", "examples"}


def _field(item: Any) -> Iterator[tuple[str, Any]]:
    for name in item._attributes_set:
        if name not in _HARMLESS and name not in _KEYWORDS:
            raise _lost(item, f"{name} cannot be asked for")
    for name in ("title", "description"):
        if value := getattr(item, name):
            yield name, value
    for part in item.metadata:
        yield from _parts(part)


def _lost(item: Any, why: str) -> Invalid:
    return Invalid(
        f"{item!r} cannot be kept to: {why}; leave it out, and check the answer yourself"
    )
