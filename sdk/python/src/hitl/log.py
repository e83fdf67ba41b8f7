"""The logger `hitl`, which is silent unless the program or HITL_LOG wants to hear it.

It never gets links or tokens.
"""

import logging
import sys

from hitl.shown import lines

logger = logging.getLogger("hitl")
logger.addHandler(logging.NullHandler())

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
}


class _Shown(logging.Handler):
    """Prints to stderr, unless the program has handlers of its own."""

    def emit(self, record: logging.LogRecord) -> None:
        if logging.getLogger().handlers:
            return
        level = {"WARNING": "warn"}.get(record.levelname, record.levelname.lower())
        print(f"hitl {level}: {lines(record.getMessage())}", file=sys.stderr, flush=True)


_shown = _Shown()


def show(level: str | None) -> None:
    """Shows what is of that level or above. What is no level shows nothing."""
    if number := _LEVELS.get((level or "").lower()):
        logger.addHandler(_shown)
        logger.setLevel(number)
