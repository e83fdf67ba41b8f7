"""Idempotency keys: from the run where there is one, else random.

The n-th event of a name in a run always gets the same key. That is what makes a program that
crashed and starts again from its beginning meet the events it had created.
"""

import hashlib
import secrets
import threading
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


class Ticket:
    """Says how-many-th event of its name this is.

    Given back when nothing was created, its number goes to the next one: a create that failed and
    is repeated by the program must not change what later events are.
    """

    key: str
    """The same in every language."""

    def __init__(self, namespace: str, run_id: str, name: str) -> None:
        with _lock:
            self._numbers = _numbers.setdefault((namespace, run_id, name), _Numbers())
            if returned := self._numbers.returned:
                self._number = min(returned)
                returned.remove(self._number)
            else:
                self._number = self._numbers.issued = self._numbers.issued + 1
        named = f"{run_id}\n{name}\n{self._number}"
        self.key = "run-" + hashlib.sha256(named.encode()).hexdigest()

    def give_back(self) -> None:
        """Says that nothing was created by it."""
        with _lock:
            self._numbers.returned.add(self._number)


def once() -> str:
    """A key that no other call has."""
    return secrets.token_hex(16)
