"""The native types that an answer can have, each described as a property of a JSON Schema is.

Whether it stands alone or is a field of an object, a value passes through the JSON that such a
property holds.
"""

import dataclasses
import inspect
import json
import types
from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import EnumMeta
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

from typing_extensions import (
    NotRequired,
    ReadOnly,
    Required,
    get_type_hints,
    is_typeddict,
)

from hitl import times
from hitl.bounds import bounded
from hitl.error import Invalid

Json = Any
Schema = Mapping[str, Any]


class Shape(NamedTuple):
    """A native type: what asks for it, and its way from JSON and back."""

    schema: Schema
    load: Callable[[Json], Any] = lambda given: given
    dump: Callable[[Any], Json] = lambda value: value


def _plain(data_type: type, name: str) -> Shape:
    """A type whose values are those of JSON."""

    def load(given: Json) -> Any:
        # What an event made by hand was asked for may be of another type.
        if type(given) is not data_type:
            raise TypeError(f"{given!r} is no {data_type.__name__}")
        return given

    return Shape({"type": name}, load)


_PLAIN: dict[Any, Shape] = {
    int: _plain(int, "integer"),
    float: _plain(float, "number"),
    str: _plain(str, "string"),
    bool: _plain(bool, "boolean"),
    date: Shape({"type": "string", "format": "date"}, times.read_date, date.isoformat),
    datetime: Shape(
        {"type": "string", "format": "date-time"}, times.read_instant, times.write_instant
    ),
    dict: Shape({"type": "object"}),
}


def shape(data_type: Any) -> Shape:
    """The shape of a type."""
    origin: Any = get_origin(data_type)
    arguments = get_args(data_type)
    if origin in (Annotated, Required, NotRequired, ReadOnly):
        plain_shape = shape(arguments[0])
        said = data_type.__metadata__ if origin is Annotated else ()
        return plain_shape._replace(schema=bounded(plain_shape.schema, said))
    for other in ("__supertype__", "__value__"):
        if hasattr(data_type, other) and not isinstance(data_type, type):
            return shape(getattr(data_type, other))
    for plain, plain_shape in _PLAIN.items():
        if plain in (data_type, origin):
            return plain_shape
    if origin is Literal:
        return _choice([(str(value), value) for value in arguments])
    if origin is list and arguments:
        return _several(shape(arguments[0]))
    if types.NoneType in arguments and len(arguments) == 2:
        return shape(next(a for a in arguments if a is not types.NoneType))
    if origin is None and isinstance(data_type, EnumMeta):
        members: list[Any] = list(data_type)
        return _choice([(m.value if isinstance(m.value, str) else m.name, m) for m in members])
    if hasattr(data_type, "model_json_schema"):
        return _model(data_type)
    if dataclasses.is_dataclass(data_type) or is_typeddict(data_type):
        return _object(data_type)
    raise Invalid(
        f"{data_type!r} cannot be asked for: use int, float, str, bool, date, datetime, an Enum, a "
        "Literal, a list of one of those two, a dataclass, a TypedDict or a pydantic model"
    )


def _choice(pairs: list[tuple[str, Any]]) -> Shape:
    options = dict(pairs)
    if len(options) < len(pairs):
        raise Invalid(f"two of these options look alike: {', '.join(name for name, _ in pairs)}")
    names = {option: name for name, option in pairs}
    # True is 1, and yet another option.
    exact = {(type(option), option): name for name, option in pairs}

    def load(name: Json) -> Any:
        if name not in options:
            raise ValueError(f"{name!r} is no option")
        return options[name]

    def dump(option: Any) -> Json:
        return exact.get((type(option), option)) or names[option]

    return Shape({"type": "string", "enum": [*options]}, load, dump)


def _several(item: Shape) -> Shape:
    if "enum" not in item.schema and item.schema != {"type": "string"}:
        raise Invalid("a list is of options: use a list of str, of an Enum or of a Literal")
    return Shape(
        {"type": "array", "items": {"enum": item.schema.get("enum", [])}},
        lambda options: [item.load(option) for option in options],
        lambda options: [item.dump(option) for option in options],
    )


def _object(data_type: Any) -> Shape:
    """A dataclass or a TypedDict. What may be None, or has a default, need not be given."""
    hints = _hints(data_type)
    optional = {name for name, hint in hints.items() if _may_be_none(hint)}
    omissible, defaults = _omissible(data_type)
    shapes = {name: _member(name, hint) for name, hint in hints.items()}
    properties = {name: dict(shape.schema) for name, shape in shapes.items()}
    for name, default in defaults.items():
        properties[name]["default"] = shapes[name].dump(default)
    required = [name for name in hints if name not in optional | omissible]

    def load(given: Json) -> Any:
        if unknown := given.keys() - shapes.keys():
            raise ValueError(
                f"it has {', '.join(sorted(unknown))}, of which the type knows nothing"
            )
        members = {name: shapes[name].load(member) for name, member in given.items()}
        return data_type(**{**dict.fromkeys(optional - omissible), **members})

    def dump(value: Any) -> Json:
        if not isinstance(value, Mapping):
            value = {name: getattr(value, name) for name in shapes}
        return {name: shapes[name].dump(m) for name, m in value.items() if m is not None}

    schema = {"type": "object", "properties": properties, "required": required}
    return Shape(schema, load, dump)


def _member(name: str, hint: Any) -> Shape:
    try:
        return shape(hint)
    except Invalid as error:
        raise Invalid(f"{name}: {error}") from error


def _may_be_none(hint: Any) -> bool:
    arguments = get_args(hint)
    if get_origin(hint) in (Annotated, Required, NotRequired, ReadOnly):
        return _may_be_none(arguments[0])
    return types.NoneType in arguments


def _hints(data_type: Any) -> dict[str, Any]:
    """The fields that are given when one is made, with their types."""
    hints = get_type_hints(data_type, include_extras=True)
    if is_typeddict(data_type):
        return hints
    fields = [field for field in dataclasses.fields(data_type) if field.init]
    given = {field.name: _said(hints[field.name], field.metadata) for field in fields}
    try:
        inspect.signature(data_type).bind(**given)
    except TypeError as error:
        raise Invalid(f"{data_type!r} cannot be made of its fields alone: {error}") from error
    return given


def _said(hint: Any, metadata: Mapping[Any, Any]) -> Any:
    return Annotated[hint, metadata] if metadata else hint


def _omissible(data_type: Any) -> tuple[set[str], dict[str, Any]]:
    """The fields that may be left out, and what some of them are then."""
    if is_typeddict(data_type):
        # Python does not see NotRequired where annotations are strings.
        mark: Any = NotRequired
        hints = get_type_hints(data_type, include_extras=True).items()
        marked = {name for name, hint in hints if get_origin(hint) is mark}
        return marked | data_type.__optional_keys__, {}
    unset = dataclasses.MISSING
    fields = [field for field in dataclasses.fields(data_type) if field.init]
    made = {field.name for field in fields if field.default_factory is not unset}
    defaults = {field.name: field.default for field in fields if field.default is not unset}
    known = {name: default for name, default in defaults.items() if default is not None}
    return made | defaults.keys(), known


def _model(data_type: Any) -> Shape:
    """A pydantic model, which knows its own way to JSON and back."""
    schema = data_type.model_json_schema()
    definitions = schema.pop("$defs", {})
    properties = schema.get("properties", {}).items()
    schema["properties"] = {name: _flat(property, definitions) for name, property in properties}
    for name, field in data_type.model_fields.items():
        alias = field.validation_alias
        property = schema["properties"].get(alias if isinstance(alias, str) else name, {})
        if not _takes_all(field.annotation, property):
            raise Invalid(f"{name}: {field.annotation!r} does not take every {_named(property)}")
    return Shape(
        schema,
        # Of JSON, which is the way that even a strict model takes dates and the like.
        lambda given: data_type.model_validate_json(json.dumps(given)),
        lambda model: model.model_dump(mode="json", exclude_none=True, by_alias=True),
    )


# The types that take every text of a format. What has other formats, a model is to check.
_TEXTS = {None: (str,), "date": (date,), "date-time": (datetime,)}


def _takes_all(annotation: Any, property: Schema) -> bool:
    """Whether a type takes all that its property lets through, as far as that can be told."""
    if property.get("type") != "string" or "enum" in property:
        return True
    held = _TEXTS.get(property.get("format"))
    base = _base(annotation)
    named = getattr(base, "__name__", "")
    return held is None or named == "AwareDatetime" or issubclass(base, held)


def _base(annotation: Any) -> type:
    """A type without what is said about it, and without its other names."""
    if (origin := get_origin(annotation)) is Annotated:
        return _base(get_args(annotation)[0])
    if types.NoneType in (arguments := get_args(annotation)):
        return _base(next(a for a in arguments if a is not types.NoneType))
    for other in ("__supertype__", "__value__"):
        if hasattr(annotation, other):
            return _base(getattr(annotation, other))
    return annotation if origin is None and isinstance(annotation, type) else object


def _named(property: Schema) -> str:
    return str(property.get("format") or "text")


_EXCLUSIVE = (("exclusiveMinimum", "minimum", 1), ("exclusiveMaximum", "maximum", -1))


def _flat(property: Schema, definitions: dict[str, Schema]) -> Schema:
    """A property without references, nulls and constants, which the server's subset has not."""
    flat = dict(property)
    if "$ref" in flat:
        flat = {**definitions[flat.pop("$ref").removeprefix("#/$defs/")], **flat}
    if flat.get("type") == "integer":
        for exclusive, inclusive, step in _EXCLUSIVE:
            if isinstance(flat.get(exclusive), int):
                flat[inclusive] = flat.pop(exclusive) + step
    some = [part for part in flat.get("anyOf", []) if part.get("type") != "null"]
    if len(some) == 1:
        del flat["anyOf"]
        flat = {**_flat(some[0], definitions), **flat}
    if "const" in flat:
        flat["enum"] = [flat.pop("const")]
    if "items" in flat:
        items = _flat(flat["items"], definitions)
        flat["items"] = {key: items[key] for key in items if key not in ("title", "description")}
    return {key: value for key, value in flat.items() if (key, value) != ("default", None)}
