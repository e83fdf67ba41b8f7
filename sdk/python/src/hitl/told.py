"""Tells people where to answer, on stderr."""

import sys

from hitl import v1
from hitl.messages import is_final
from hitl.shown import one_line, quoted

# Whoever asks for thousands of answers tells people in a way of their own.
_LINES_MAX = 20


class Telling:
    """What a client has told of its events."""

    def __init__(self, is_wanted: bool) -> None:
        self._left = _LINES_MAX if is_wanted else 0

    def tell(self, event: v1.Event) -> None:
        """Says where to answer, unless the event has ended."""
        if is_final(event) or not self._left:
            return
        self._left -= 1
        where = f" at {one_line(event.form_url)}" if event.form_url else f" (event {event.id})"
        _print(f"{quoted(event.name)} waits for an answer{where}")
        if not self._left:
            _print("if more events wait for answers, they are not told of here")


def _print(text: str) -> None:
    print(f"hitl: {text}", file=sys.stderr, flush=True)
