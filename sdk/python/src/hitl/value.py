"""How native types travel as inputs and values of the API.

Each type is described as a property of a JSON Schema is, whether it is a field of an object or
stands alone, and its values pass through the JSON that such a property holds.
"""

import dataclasses
import json
import types
from collections.abc import Callable, Mapping
from datetime import date, datetime, timezone
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from google.protobuf.timestamp_pb2 import Timestamp
from typing_extensions import NotRequired, Required, get_type_hints, is_typeddict

from hitl import v1
from hitl.error import Internal, Invalid

Json = Any
Schema = Mapping[str, Any]


def _same(value: Any) -> Any:
    return value


def _instant(text: str) -> datetime:
    instant = Timestamp()
    instant.FromJsonString(text.upper())
    return instant.ToDatetime(timezone.utc)


class Shape(NamedTuple):
    """A native type: what asks for it, and its way from JSON and back."""

    schema: Schema
    load: Callable[[Json], Any] = _same
    dump: Callable[[Any], Json] = _same


_SCALARS: dict[Any, Shape] = {
    int: Shape({"type": "integer"}),
    float: Shape({"type": "number"}),
    str: Shape({"type": "string"}),
    bool: Shape({"type": "boolean"}),
    date: Shape({"type": "string", "format": "date"}, date.fromisoformat, date.isoformat),
    datetime: Shape(
        {"type": "string", "format": "date-time"},
        _instant,
        lambda instant: instant.astimezone(timezone.utc).isoformat(),
    ),
    dict: Shape({"type": "object"}),
}


def shape(data_type: Any) -> Shape:
    """The shape of a type. `Annotated[int, {"title": "Replicas"}]` adds keywords to its schema."""
    if data_type in _SCALARS:
        return _SCALARS[data_type]
    origin: Any = get_origin(data_type)
    arguments = get_args(data_type)
    if origin is Annotated:
        plain = shape(arguments[0])
        extra = [keywords for keywords in arguments[1:] if isinstance(keywords, dict)]
        return plain._replace(
            schema={k: v for part in (plain.schema, *extra) for k, v in part.items()}
        )
    if origin in (NotRequired, Required):
        return shape(arguments[0])
    if origin in (Union, types.UnionType):
        some = [argument for argument in arguments if argument is not type(None)]
        if len(some) == 1:
            return shape(some[0])
    if origin is Literal:
        return _choice({str(value): value for value in arguments})
    if origin is list:
        return _several(shape(arguments[0]))
    if origin is dict:
        return _SCALARS[dict]
    if isinstance(data_type, type):
        if issubclass(data_type, Enum):
            return _choice({_option(member): member for member in data_type})
        if hasattr(data_type, "model_json_schema"):
            return _model(data_type)
        if dataclasses.is_dataclass(data_type):
            return _dataclass(data_type)
        if is_typeddict(data_type):
            return _typed_dict(data_type)
    raise Invalid(
        f"{data_type!r} cannot be asked for: use int, float, str, bool, date, datetime, an Enum or "
        "Literal, a list of those, a dataclass, a TypedDict or a pydantic model"
    )


def _option(member: Enum) -> str:
    return member.value if isinstance(member.value, str) else member.name


def _choice(options: dict[str, Any]) -> Shape:
    names = {member: name for name, member in options.items()}
    return Shape({"type": "string", "enum": [*options]}, options.__getitem__, names.__getitem__)


def _several(item: Shape) -> Shape:
    options = {key: item.schema[key] for key in ("enum", "enumNames") if key in item.schema}
    return Shape(
        {"type": "array", "items": options},
        lambda picked: [item.load(option) for option in picked],
        lambda picked: [item.dump(option) for option in picked],
    )


def _dataclass(data_type: Any) -> Shape:
    hints = get_type_hints(data_type, include_extras=True)
    fields = [field for field in dataclasses.fields(data_type) if field.init]
    unset = {
        field.name
        for field in fields
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    shapes = {field.name: shape(hints[field.name]) for field in fields}
    nothing = {name: None for name in unset if _is_optional(hints[name])}
    defaults = {f.name: f.default for f in fields if f.name not in unset}
    plain = _object(shapes, unset - nothing.keys(), defaults)
    return Shape(
        plain.schema,
        lambda members: data_type(**{**nothing, **plain.load(members)}),
        lambda value: plain.dump({name: getattr(value, name) for name in shapes}),
    )


def _typed_dict(data_type: Any) -> Shape:
    hints = get_type_hints(data_type, include_extras=True)
    required = {
        name
        for name, hint in hints.items()
        if get_origin(hint) is not NotRequired
        and not _is_optional(hint)
        and (get_origin(hint) is Required or name in data_type.__required_keys__)
    }
    return _object({name: shape(hint) for name, hint in hints.items()}, required, {})


def _is_optional(hint: Any) -> bool:
    if get_origin(hint) in (Annotated, Required, NotRequired):
        hint = get_args(hint)[0]
    return type(None) in get_args(hint)


def _object(shapes: dict[str, Shape], required: set[str], defaults: dict[str, Any]) -> Shape:
    properties = {name: dict(shape.schema) for name, shape in shapes.items()}
    for name, default in defaults.items():
        if default is not None and default is not dataclasses.MISSING:
            properties[name]["default"] = shapes[name].dump(default)
    schema = {
        "type": "object",
        "properties": properties,
        "required": [name for name in shapes if name in required],
    }
    return Shape(
        schema,
        lambda members: {name: shapes[name].load(json) for name, json in members.items()},
        lambda members: {
            name: shapes[name].dump(value) for name, value in members.items() if value is not None
        },
    )


def _model(data_type: Any) -> Shape:
    """The shape of a pydantic model, which knows its own way to JSON and back."""
    schema = data_type.model_json_schema()
    definitions = schema.pop("$defs", {})
    properties = {
        name: _flat(property, definitions) for name, property in schema["properties"].items()
    }
    return Shape(
        {**schema, "properties": properties},
        data_type.model_validate,
        lambda model: model.model_dump(mode="json", exclude_none=True),
    )


def _flat(property: Schema, definitions: dict[str, Schema]) -> dict[str, Any]:
    """A property without references, nulls and constants, which the server's subset has not."""
    flat = dict(property)
    if "$ref" in flat:
        flat = {**definitions[flat.pop("$ref").removeprefix("#/$defs/")], **flat}
    some = [part for part in flat.get("anyOf", []) if part.get("type") != "null"]
    if len(some) == 1:
        del flat["anyOf"]
        flat = {**_flat(some[0], definitions), **flat}
    if "const" in flat:
        flat["enum"] = [flat.pop("const")]
    if flat.get("default", 0) is None:
        del flat["default"]
    if "items" in flat:
        items = _flat(flat["items"], definitions)
        flat["items"] = {key: items[key] for key in items if key not in ("title", "description")}
    return flat


# Restrictions by the kind of input that they fit: what they are called in the API.
_NUMBER = {"min": "min", "max": "max"}
_RESTRICTIONS: dict[str, dict[str, str]] = {
    "int": _NUMBER,
    "float": _NUMBER,
    "str": {key: key for key in ("min_length", "max_length", "pattern", "multiline", "format")},
    "bool": {"yes": "true_label", "no": "false_label"},
    "choice": {key: key for key in ("min_selected", "max_selected")},
    "object": {},
}

# Keywords of a lone type's schema, as restrictions.
_KEYWORDS = {
    "minimum": "min",
    "maximum": "max",
    "minLength": "min_length",
    "maxLength": "max_length",
    "pattern": "pattern",
    "format": "format",
    "minItems": "min_selected",
    "maxItems": "max_selected",
}


class Question:
    """What is asked: a type, and how its values are restricted."""

    def __init__(self, data_type: Any, restrictions: Mapping[str, Any]) -> None:
        self._shape = shape(data_type)
        rest = {key: value for key, value in restrictions.items() if value is not None}
        self._schema: dict[str, Any] = dict(rest.pop("schema", self._shape.schema))
        options = rest.pop("options", None)
        if options is not None:
            self._schema = _offer(self._schema, options)
        keywords = {_KEYWORDS[key]: self._schema[key] for key in _KEYWORDS if key in self._schema}
        self._restrictions = {**keywords, **rest}

    def input(self) -> v1.Input:
        """The input that asks for it."""
        kind = _kind(self._schema)
        known = _RESTRICTIONS[kind]
        if unknown := self._restrictions.keys() - known.keys():
            raise Invalid(f"{', '.join(sorted(unknown))} cannot restrict an answer of kind {kind}")
        fields = {known[key]: value for key, value in self._restrictions.items()}
        try:
            if "format" in fields:
                name = str(fields["format"]).upper().replace("-", "_")
                fields["format"] = v1.StrFormat.Value(f"STR_FORMAT_{name}")
            if kind == "choice":
                fields["options"] = _options(self._schema.get("items", self._schema))
            if kind == "object":
                fields["json_schema"] = json.dumps(self._schema)
            whole: dict[str, Any] = {kind: fields}
            return v1.Input(**whole)
        except (TypeError, ValueError) as error:
            raise Invalid(
                f"a restriction does not fit an answer of kind {kind}: {error}"
            ) from error

    def encode(self, value: Any) -> v1.Value:
        """The value as an answer."""
        try:
            return _write(self._shape.dump(value), self._schema)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise Invalid(f"{value!r} is no answer to what is asked: {error}") from error


def decode(data_type: Any, event: v1.Event) -> Any:
    """The value that an event ended with."""
    plain = shape(data_type)
    several = plain.schema["type"] == "array"
    expected = (_kind(plain.schema), "choice" if plain.schema["type"] == "string" else "")
    value, schema = event.response.value, event.input.object.json_schema
    properties = json.loads(schema).get("properties", {}) if schema else {}
    if (kind := value.WhichOneof("kind")) not in expected:
        raise Internal(f"the server sent {kind} where the event asks for {expected[0]}")
    try:
        return plain.load(_read(value, several, properties))
    except (KeyError, TypeError, ValueError) as error:
        help = "the type and what was asked must agree"
        raise Internal(f"the answer does not fit {data_type!r}: {error}; {help}") from error


def _offer(schema: Schema, options: Any) -> dict[str, Any]:
    """The schema with these options in place of its own."""
    pairs = options.items() if isinstance(options, Mapping) else options
    labelled = [(pair, "") if isinstance(pair, str) else pair for pair in pairs]
    values, labels = [value for value, _ in labelled], [label for _, label in labelled]
    offered: dict[str, Any] = {"enum": values, "enumNames": labels}
    if schema["type"] == "array":
        return {**schema, "items": offered}
    return {**schema, **offered}


def _options(holder: Schema) -> list[v1.ChoiceOption]:
    values = holder.get("enum", [])
    labels = holder.get("enumNames") or [""] * len(values)
    pairs = zip(values, labels, strict=True)
    return [v1.ChoiceOption(value=value, label=label) for value, label in pairs]


def _kind(schema: Schema) -> str:
    """The kind of input, and of value, that belongs to a property."""
    if "enum" in schema or "oneOf" in schema:
        return "choice"
    kinds = {"integer": "int", "number": "float", "boolean": "bool", "array": "choice"}
    return kinds.get(schema["type"]) or ("object" if schema["type"] == "object" else "str")


def _read(value: v1.Value, several: bool, properties: Schema) -> Json:
    """A value as JSON. Whether a choice is a string or an array is for its property to say."""
    kind = value.WhichOneof("kind")
    if kind == "choice":
        selected = list(value.choice.selected)
        if several:
            return selected
        if len(selected) != 1:
            raise Internal("the answer is not exactly one option")
        return selected[0]
    if kind == "object":
        arrays = {name for name, of in properties.items() if of.get("type") == "array"}
        return {name: _read(v, name in arrays, {}) for name, v in value.object.fields.items()}
    return getattr(value, kind) if kind else None


def _write(json: Json, schema: Schema) -> v1.Value:
    """The reverse of `_read`."""
    kind = _kind(schema)
    if kind == "object":
        properties = schema.get("properties", {})
        fields = {name: _write(json[name], properties[name]) for name in json}
        return v1.Value(object=v1.ObjectValue(fields=fields))
    if kind == "choice":
        selected = json if schema["type"] == "array" else [json]
        return v1.Value(choice=v1.ChoiceValue(selected=selected))
    if isinstance(json, bool) != (kind == "bool"):
        raise TypeError(f"it must be {kind}")
    value: dict[str, Any] = {kind: json}
    return v1.Value(**value)
