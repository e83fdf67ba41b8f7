"""The local server: `hitl up` finds it or starts it, and says where it is."""

import asyncio
import json
import os
import subprocess
from dataclasses import dataclass, field

from hitl.credential import checked
from hitl.endpoint import parse_endpoint
from hitl.error import Invalid, Unavailable
from hitl.program import find_program
from hitl.shown import lines, one_line

# Longer than `hitl up` takes, and shorter than an attempt of a call, so that its own error is seen.
_UP_LIMIT_S = 13.0


@dataclass(frozen=True)
class Found:
    """A local server that serves."""

    endpoint: str
    token: str = field(default="", repr=False)
    """Its user's. Empty if it asks for none."""


@dataclass(frozen=True)
class Local:
    """How the local server is found."""

    binary: str
    environment: tuple[tuple[str, str], ...] = ()
    """The variables that say which server that is, as they were when the client was made."""

    async def up(self) -> Found:
        """Where it is and what it takes for its user, once it serves."""
        return await asyncio.to_thread(self._run)

    def _run(self) -> Found:
        try:
            command = [find_program(self.binary), "up"]
            env = {**os.environ, **dict(self.environment)}
            done = subprocess.run(
                command, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=_UP_LIMIT_S
            )
        except OSError as error:
            raise Unavailable(
                f"`{one_line(self.binary)}` cannot be run ({error}) to find or start the local "
                "server: install hitl, or set HITL_BIN to the program, or HITL_ENDPOINT to a "
                "server that runs elsewhere"
            ) from error
        except subprocess.TimeoutExpired as late:
            message = f"`hitl up` has not ended within {_UP_LIMIT_S:g} s"
            raise Unavailable(message, retryable=True) from late
        try:
            done.check_returncode()
            said = json.loads(done.stdout)
            return Found(parse_endpoint(said["endpoint"]), checked(said.get("token") or ""))
        except (
            subprocess.CalledProcessError,
            AttributeError,
            Invalid,
            LookupError,
            TypeError,
            ValueError,
        ):
            why = lines(done.stderr.decode(errors="replace")).strip().removeprefix("hitl: ")
            # What caused it knows what the program said, which may have a token.
            raise Unavailable(f"`hitl up` failed, status {done.returncode}:\n{why}") from None
