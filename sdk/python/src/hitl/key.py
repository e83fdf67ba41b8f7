"""Idempotency keys: from the run where there is one, else random.

The n-th event of a name in a run always gets the same key. That is what makes a program that
crashed and starts again from its beginning meet the events it had created.
"""

import hashlib
import secrets
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class _Numbers:
    """Numbers of one (namespace, run, name)."""

    issued: int = 0
    returned: set[int] = field(default_factory=set[int])
    """Issued, but given back because nothing was created."""


# One count for the whole process, since several clients may serve one run.
_numbers: dict[tuple[str, str, str], _Numbers] = {}
_lock = threading.Lock()


@contextmanager
def of_run(namespace: str, run_id: str, name: str) -> Generator[str]:
    """The key of the next event of that name.

    If the block fails, its number goes to the next one: a create that failed and is repeated by
    the program must not change what later events are.
    """
    with _lock:
        numbers = _numbers.setdefault((namespace, run_id, name), _Numbers())
        if numbers.returned:
            number = min(numbers.returned)
            numbers.returned.remove(number)
        else:
            number = numbers.issued = numbers.issued + 1
    try:
        # The same in every language.
        yield "run-" + hashlib.sha256(f"{run_id}\n{name}\n{number}".encode()).hexdigest()
    except BaseException:
        with _lock:
            numbers.returned.add(number)
        raise


def once() -> str:
    """A key that no other call has."""
    return secrets.token_hex(16)
