"""A throw-away server."""

import json
import os
import subprocess
from datetime import timedelta
from types import TracebackType

from hitl.client import Client, close_defaults
from hitl.config import Config
from hitl.error import Unavailable
from hitl.program import find_program
from hitl.shown import one_line
from hitl.testing.human import Human


class TestServer:
    """A server for tests, which keeps nothing and ends with this process at the latest.

    Inside of `with`, the environment leads to it, so that `hitl.new_event` and programs that are
    started ask there; at the end everything is as it was, and `Human.check` is called. The
    program is found as that of a local server is: `binary`, else `HITL_BIN`, else `hitl` in
    `PATH`.
    """

    __test__ = False
    """So that pytest does not take it for a test."""

    endpoint: str
    """Where it is."""
    client: Client
    """A client of it."""
    human: Human
    """A person who does as the test says."""

    def __init__(self, binary: str | os.PathLike[str] | None = None) -> None:
        """Starts it. `Unavailable` if the program cannot be run."""
        self._outside: dict[str, str] | None = None
        self._process = _start(str(binary or os.environ.get("HITL_BIN") or "hitl"))
        try:
            self.endpoint = _endpoint(self._process)
            self.client = Client(Config(endpoint=self.endpoint, announce=False))
            self.human = Human(self.client)
        except BaseException:
            self._end()
            raise

    def advance(self, duration: float | timedelta) -> None:
        """Lets so many seconds pass on the server, at once: deadlines that are due then are due."""
        self.human.time.advance(duration)

    def close(self) -> None:
        """Ends it. What it holds is gone."""
        self.human.close()
        self.client.close()
        close_defaults(self.endpoint)
        self.human.join()
        self._end()

    def __enter__(self) -> "TestServer":
        self._outside = {name: os.environ.pop(name) for name in _ours()}
        os.environ.update(HITL_ENDPOINT=self.endpoint, HITL_ANNOUNCE="0")
        if binary := self._outside.get("HITL_BIN"):
            os.environ["HITL_BIN"] = binary
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name in _ours():
            del os.environ[name]
        os.environ.update(self._outside or {})
        try:
            # What the test has found is what counts.
            if error is None:
                self.human.check()
        finally:
            self.close()

    def _end(self) -> None:
        """Its standard input ends, and then it does."""
        self._process.communicate()


def _ours() -> list[str]:
    return [name for name in os.environ if name.startswith("HITL_")]


def _start(binary: str) -> "subprocess.Popen[bytes]":
    kept = {name: os.environ[name] for name in os.environ if not name.startswith("HITL_")}
    if log := os.environ.get("HITL_LOG"):
        kept["HITL_LOG"] = log
    try:
        command = [find_program(binary), "test-server"]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, env=kept)
    except OSError as error:
        raise Unavailable(
            f"`{one_line(binary)}` cannot be run ({error}) to start a server for tests: install "
            "hitl, or set HITL_BIN to the program"
        ) from error


def _endpoint(process: "subprocess.Popen[bytes]") -> str:
    assert process.stdout
    try:
        said = json.loads(process.stdout.readline())
        return str(said["endpoint"])
    except (LookupError, TypeError, ValueError):
        raise Unavailable(
            "`hitl test-server` has not said where it is: is the program an older one?"
        ) from None
