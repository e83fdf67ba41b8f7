"""For the tests of programs that ask: a throw-away server, and a person who does as a test says.

    with hitl.testing.TestServer() as server:
        server.human.answer("approve", True)
        assert hitl.ask("approve", "Ship it?", bool)

The time of such a server passes when it is told to, so no test waits for a deadline.
"""

from hitl.testing.human import Human
from hitl.testing.server import TestServer

__all__ = ["Human", "TestServer"]
