"""Canonical JSON (RFC 8785), and the digest of an action that a person reviews."""

import hashlib
import json
import math
from decimal import Decimal
from typing import Any

# The most of RFC 7493: beyond it not every program reads the same number.
_SAFE_MAX = 2**53 - 1


def action_digest(action: str, arguments: Any) -> str:
    """The SHA-256 of an action and its arguments, in 64 hexadecimal digits.

    A `ValueError` or `TypeError` says that the arguments are no JSON which every program reads
    alike.
    """
    text = canonical({"action": action, "arguments": arguments})
    return hashlib.sha256(text.encode()).hexdigest()


def canonical(value: Any) -> str:
    """The value in its canonical form."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        if abs(value) > _SAFE_MAX:
            raise ValueError(f"{value} is beyond 2^53-1: write it as text")
        return str(int(value))
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(map(canonical, value))}]"
    if isinstance(value, dict):
        if not all(isinstance(name, str) for name in value):
            raise TypeError("a member's name must be text")
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return f"{{{','.join(f'{canonical(name)}:{canonical(value[name])}' for name in names)}}}"
    raise TypeError(f"{value!r} is no JSON")


def _number(number: float) -> str:
    """A double as ECMAScript writes it."""
    if not math.isfinite(number):
        raise ValueError(f"{number} is no JSON")
    if number == 0:
        return "0"
    # Its fewest digits, and how many of them stand before the point.
    parts = Decimal(repr(abs(number))).as_tuple()
    digits = "".join(map(str, parts.digits)).lstrip("0")
    point = len(digits) + int(parts.exponent)
    digits = digits.rstrip("0")
    sign = "-" if number < 0 else ""
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{point - 1:+}"
