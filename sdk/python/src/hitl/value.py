"""How native values travel as inputs and values of the API."""

import json
from collections.abc import Mapping
from typing import Any

from hitl import v1
from hitl.error import Internal, Invalid
from hitl.review import Review, decode_review
from hitl.shape import Json, Schema, shape
from hitl.shown import one_line


class Question:
    """What is asked: a type, and how its values are restricted."""

    def __init__(self, data_type: Any, restrictions: Mapping[str, Any]) -> None:
        self._shape = shape(data_type)
        self._kind = _kind(self._shape.schema)
        self._schema: dict[str, Any] = dict(self._shape.schema)
        given = {key: value for key, value in restrictions.items() if value is not None}
        self._state(given)
        if self._kind == "object":
            self._schema = given.pop("schema", self._schema)
        if self._kind in ("choice", "str"):
            self._offer(given.pop("options", None))
        self._restrictions = given

    def _state(self, given: dict[str, Any]) -> None:
        """Adds what the type itself says about a value that stands alone."""
        if self._kind == "object":
            return
        for keyword, value in self._schema.items():
            if keyword in ("type", "enum", "items", "format"):
                continue
            if keyword not in _OPTIONS:
                raise Invalid(f"{keyword}: only a field of an object has one: say it in the prompt")
            option = _OPTIONS[keyword]
            if given.setdefault(option, value) != value:
                raise Invalid(f"{option} is said by the type and by an option: say it once")

    def _offer(self, options: Any) -> None:
        """Takes the options, with labels or without, from those given, else from the type."""
        several = self._schema["type"] == "array"
        if options is None:
            options = (self._schema["items"] if several else self._schema).get("enum", [])
        else:
            self._kind = "choice"
        pairs = options.items() if isinstance(options, Mapping) else options
        self._options = [_option(pair) for pair in pairs]

    def input(self) -> v1.Input:
        """The input that asks for it."""
        kind = self._kind
        names = {"yes": "true_label", "no": "false_label"}
        fields = {names.get(key, key): value for key, value in self._restrictions.items()}
        try:
            text_format = fields.pop("format", self._schema.get("format"))
            if text_format:
                name = str(text_format).upper().replace("-", "_")
                fields["format"] = v1.StrFormat.Value(f"STR_FORMAT_{name}")
            if kind == "choice":
                fields["options"] = self._options
            if kind == "object":
                fields["json_schema"] = json.dumps(self._schema)
            whole: dict[str, Any] = {kind: fields}
            return v1.Input(**whole)
        except (OverflowError, TypeError, ValueError) as error:
            message = f"an answer of kind {kind} is not restricted so: {error}"
            raise Invalid(one_line(message)) from error

    def encode(self, value: Any) -> v1.Value:
        """The value as an answer."""
        if isinstance(value, v1.Value):
            return value
        try:
            return _write(self._shape.dump(value), self._kind, self._schema)
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            message = f"{value!r} is no answer to what is asked: {error}"
            raise Invalid(one_line(message)) from error


def _option(given: Any) -> Mapping[str, str]:
    """What is given of an option, by the names that the API has for it."""
    if isinstance(given, Mapping):
        return given
    value, label = (given, "") if isinstance(given, str) else given
    return {"value": value, "label": label}


def decode(data_type: Any, event: v1.Event) -> Any:
    """The value that an event ended with."""
    if data_type is Review:
        return decode_review(event)
    plain, value = shape(data_type), event.response.value
    expected, kind = _kind(plain.schema), value.WhichOneof("kind")
    # Text may have been asked for as one of some options.
    if kind != expected and (kind, expected) != ("choice", "str"):
        raise Internal(f"the server sent {kind} where the event asks for {expected}")
    schema = json.loads(event.input.object.json_schema or "{}")
    try:
        return plain.load(_read(value, {**plain.schema, **schema}))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # The answer stands, so waiting again would change nothing.
        help = "the type and what was asked must agree"
        message = f"the answer does not fit {data_type!r}: {error}; {help}"
        raise Internal(one_line(message)) from error


def ensure_kind(data_type: Any, event: v1.Event) -> None:
    """Refuses a type that is not what the event asks for."""
    expected = "review" if data_type is Review else _kind(shape(data_type).schema)
    kind = event.input.WhichOneof("kind")
    if kind != expected and (kind, expected) != ("choice", "str"):
        raise Invalid(
            f"the event asks for {kind}, not {expected}: give the type it was created with"
        )


# How an option says what a property of a schema says.
_OPTIONS = {
    "minimum": "min",
    "maximum": "max",
    "minLength": "min_length",
    "maxLength": "max_length",
    "pattern": "pattern",
    "minItems": "min_selected",
    "maxItems": "max_selected",
}

_KINDS = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "array": "choice",
}


def _kind(schema: Schema) -> str:
    """The kind of input, and of value, that belongs to a property."""
    if "enum" in schema or "oneOf" in schema:
        return "choice"
    return _KINDS.get(schema.get("type", ""), "object")


def _read(value: v1.Value, schema: Schema) -> Json:
    """A value as JSON. Whether a choice is a string or an array is for its property to say."""
    kind = value.WhichOneof("kind")
    if kind == "choice":
        selected = list(value.choice.selected)
        if schema.get("type") == "array":
            return selected
        if len(selected) != 1:
            raise ValueError("it is not exactly one option")
        return selected[0]
    if kind == "object":
        properties = schema.get("properties", {})
        members = value.object.fields.items()
        return {name: _read(member, properties.get(name, {})) for name, member in members}
    if kind is None:
        raise ValueError("it has a field of a kind that this version does not know")
    return getattr(value, kind)


def _write(json: Json, kind: str, schema: Schema) -> v1.Value:
    """The reverse of `_read`."""
    if kind == "object":
        properties = schema["properties"]
        given = [(name, properties[name], json[name]) for name in json if json[name] is not None]
        fields = {name: _write(member, _kind(of), of) for name, of, member in given}
        return v1.Value(object=v1.ObjectValue(fields=fields))
    if kind == "choice":
        selected = json if schema["type"] == "array" else [json]
        return v1.Value(choice=v1.ChoiceValue(selected=selected))
    if isinstance(json, bool) != (kind == "bool"):
        raise TypeError(f"it must be of kind {kind}")
    value: dict[str, Any] = {kind: json}
    return v1.Value(**value)
