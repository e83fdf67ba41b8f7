"""Idempotency keys: from the run where there is one, else random.

The n-th event of a name in a run always gets the same key. That is what makes a program that
crashed and starts again from its beginning meet the events it had created.
"""

import hashlib
import secrets
import threading
import uuid
from dataclasses import dataclass, field


@dataclass
class _Numbers:
    """Numbers of one (namespace, run, name)."""

    issued: int = 0
    returned: set[int] = field(default_factory=set[int])
    """Issued, but given back because nothing was created."""


class Counts:
    """How many events of each name were asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: dict[tuple[str, str, str], _Numbers] = {}

    def ticket(self, namespace: str, run_id: str, name: str) -> "Ticket":
        """The place of the next event of this name."""
        with self._lock:
            numbers = self._numbers.setdefault((namespace, run_id, name), _Numbers())
            if returned := numbers.returned:
                number = min(returned)
                returned.remove(number)
            else:
                number = numbers.issued = numbers.issued + 1
        return Ticket(of_run(run_id, name, number), number, numbers, self._lock)


# One count for the whole process, since several clients may serve one run.
process = Counts()


class Ticket:
    """Says how-many-th event of its name this is.

    Given back when nothing was created, its number goes to the next one: a create that failed and
    is repeated by the program must not change what later events are.
    """

    def __init__(self, key: str, number: int, numbers: _Numbers, lock: threading.Lock) -> None:
        self.key = key
        self._number, self._numbers, self._lock = number, numbers, lock

    def give_back(self) -> None:
        """Says that nothing was created by it."""
        with self._lock:
            self._numbers.returned.add(self._number)


def of_run(run_id: str, name: str, number: int) -> str:
    """The key of the n-th event of a name in a run: the same in every language."""
    return "run-" + hashlib.sha256(f"{run_id}\n{name}\n{number}".encode()).hexdigest()


def event_id(namespace: str, key: str) -> str:
    """The id that the server gives to the event of a key."""
    hashed = hashlib.sha256(f"{namespace}\0{key}".encode()).digest()[:16]
    # A UUID of the version that is for ids of one's own: Python 3.10 can only make those up to 5.
    number = int.from_bytes(hashed, "big") & ~(0xF000 << 64) & ~(0xC000 << 48)
    return uuid.UUID(int=number | 0x8000 << 64 | 0x8000 << 48).hex


def once() -> str:
    """A key that no other call has."""
    return secrets.token_hex(16)
