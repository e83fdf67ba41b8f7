"""How text of people and servers is shown in messages.

Hidden characters become visible escapes, so that nobody can forge a line or the order of one. What
a program gets is never changed.
"""

import re

# Controls, what has no width, and what turns the direction of the text around it.
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def one_line(text: str) -> str:
    """Text as a line of a message has it."""
    return _HIDDEN.sub(lambda found: _escape(found[0]), text)


def lines(text: str) -> str:
    """Text that may have several lines."""
    return _HIDDEN.sub(lambda found: found[0] if found[0] in "\n\t" else _escape(found[0]), text)


def quoted(text: str) -> str:
    """The text in quotes, on one line."""
    return f'"{one_line(text)}"'


def _escape(character: str) -> str:
    return _NAMED.get(character) or f"\\u{{{ord(character):X}}}"
