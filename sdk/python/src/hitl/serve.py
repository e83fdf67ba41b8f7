"""A local server when there is none: if nothing listens, `hitl serve` is started.

Many programs may do so at once. Each starts a server and all but one of those find the port or the
store taken and exit, so a server that exits is no failure as long as the port answers soon.
"""

import asyncio
import os
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from hitl.error import Unavailable
from hitl.program import find_program
from hitl.shown import one_line

_POLL_INTERVAL_S = 0.02
# Between two starts: the port or the store may be in the hands of a server that is about to listen,
# or about to end.
_RESTART_INTERVAL_S = 1.0
# How the reply of a server that lives begins and ends, and more than it is long.
_ALIVE = (b"HTTP/1.1 200 ", b"\r\n\r\nalive\n")
_REPLY_BYTES_MAX = 4096
# A log grown beyond this is put aside when a server starts, so that two of them are the most.
_LOG_BYTES_MAX = 8 << 20
_LOG_TAIL_LINES = 8


@dataclass(frozen=True)
class Launcher:
    """What it takes to start a local server."""

    port: int
    binary: str
    data_dir: Path | None
    start_limit_s: float = 10.0

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    async def ensure(self) -> None:
        """Returns once a server serves, having started one if nothing listened."""
        log: _Log | None = None
        server: subprocess.Popen[bytes] | None = None
        start_at = time.monotonic()
        deadline = start_at + self.start_limit_s
        while not (reply := await self._reply(deadline - time.monotonic())):
            now = time.monotonic()
            if now > deadline:
                raise self._not_serving(log)
            # A server that lost the race for the port ends, and so may the one that won it.
            if reply is None and now >= start_at and (server is None or server.poll() is not None):
                log = log or _Log(self._data_dir())
                server, start_at = self._start(log), now + _RESTART_INTERVAL_S
            await asyncio.sleep(_POLL_INTERVAL_S)
        if not (reply.startswith(_ALIVE[0]) and reply.endswith(_ALIVE[1])):
            raise Unavailable(
                f"something that is not hitl listens on {self.address}: set HITL_PORT to another "
                "port, or HITL_ENDPOINT to a server"
            )

    async def _reply(self, limit_s: float) -> bytes | None:
        """What is said by whoever listens, asked whether it lives; None if nobody does.

        Nothing is said by a server that has yet to open its store, or is about to end.
        """
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except ConnectionRefusedError:
            return None
        except OSError as error:
            message = f"cannot connect to the local server at {self.address}: {error}"
            raise Unavailable(message, retryable=True) from error
        request = f"GET /healthz HTTP/1.1\r\nhost: {self.address}\r\nconnection: close\r\n\r\n"
        reply = b""
        try:
            writer.write(request.encode())
            # To the end, unless what it is shows before.
            while reply.startswith(_ALIVE[0][: len(reply)]) and len(reply) < _REPLY_BYTES_MAX:
                more = await asyncio.wait_for(reader.read(_REPLY_BYTES_MAX), limit_s)
                if not more:
                    break
                reply += more
        except (OSError, asyncio.TimeoutError):
            pass
        finally:
            writer.close()
        return reply

    def _not_serving(self, log: "_Log | None") -> Unavailable:
        limit = f"{self.start_limit_s:g} s"
        if log is None:
            silence = f"the server at http://{self.address} sent nothing for {limit}"
            return Unavailable(silence, retryable=True)
        return Unavailable(
            f"`hitl serve` did not start on {self.address} within {limit}. Its log, {log.path}, "
            f"ends:\n{log.tail()}"
        )

    def _data_dir(self) -> Path:
        if self.data_dir is None:
            raise Unavailable(
                "nowhere to keep the local server's data: set HITL_DATA_DIR, or HITL_ENDPOINT to "
                "use a server that runs elsewhere"
            )
        # The server runs in this directory, so a relative path would lead astray there.
        return self.data_dir.absolute()

    def _start(self, log: "_Log") -> "subprocess.Popen[bytes]":
        """Starts a server that outlives this program.

        Not in its process group, lest Ctrl-C end both, nor in its directory, nor with its terminal.
        """
        arguments = ["serve", "--idle-exit", "10m", "--listen", self.address]
        try:
            binary = find_program(self.binary)
            with log.path.open("ab") as output:
                server = subprocess.Popen(
                    [binary, *arguments],
                    env={**os.environ, "HITL_DATA_DIR": str(log.path.parent)},
                    cwd=log.path.parent,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
        except OSError as error:
            raise Unavailable(
                f"no server runs on {self.address} and `{one_line(self.binary)}` cannot be started "
                f"({error}): install hitl, or set HITL_BIN to the program, or HITL_ENDPOINT to a "
                "server that runs elsewhere"
            ) from error
        # Should it end before this program does, it must not stay in the table of processes.
        threading.Thread(target=server.wait, name="hitl serve", daemon=True).start()
        return server


class _Log:
    """Where a server's output goes, and how long the file was before it wrote there."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "serve.log"
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.touch(mode=0o600)
            if self.path.stat().st_size > _LOG_BYTES_MAX:
                self.path.replace(directory / "serve.log.1")
                self.path.touch(mode=0o600)
            self._start = self.path.stat().st_size
        except OSError as error:
            help = "The local server needs it: make it writable, or set HITL_DATA_DIR"
            raise Unavailable(f"{self.path}: {error}. {help}") from error

    def tail(self) -> str:
        """The last lines written since the server was started."""
        with self.path.open("rb") as file:
            file.seek(self._start)
            text = file.read(_LOG_BYTES_MAX).decode(errors="replace")
        return "\n".join(text.splitlines()[-_LOG_TAIL_LINES:])
