"""A local server when there is none: if nothing listens, `hitl serve` is started.

Many programs may do so at once. Each starts a server and all but one of those find the port or the
store taken and exit, so a server that exits is no failure as long as the port answers soon.
"""

import asyncio
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from hitl.error import Unavailable

_POLL_INTERVAL_S = 0.02
# Between two starts: the port or the store may be in the hands of a server that is about to listen,
# or about to end.
_RESTART_INTERVAL_S = 1.0
# A log grown beyond this is put aside when a server starts, so that two of them are the most.
_LOG_BYTES_MAX = 8 << 20
_LOG_TAIL_LINES = 8

# Servers outlive us, so they are never waited for; dropping one while it runs would be warned of.
_started: list[subprocess.Popen[bytes]] = []


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
        """Returns once a server listens, having started one if none did."""
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.close()
        except ConnectionRefusedError:
            log = _Log(self._data_dir())
            try:
                await asyncio.wait_for(self._start_until_serving(log), self.start_limit_s)
            except asyncio.TimeoutError:
                raise Unavailable(
                    f"`hitl serve` did not start on {self.address} within {self.start_limit_s:g} "
                    f"s. Its log, {log.path}, ends:\n{log.tail()}"
                ) from None
        except OSError as error:
            message = f"cannot connect to the local server at {self.address}: {error}"
            raise Unavailable(message, retryable=True) from error

    async def _start_until_serving(self, log: "_Log") -> None:
        """Starts a server, again if it ends, until one of whatever program serves."""
        server, started = self._start(log), time.monotonic()
        while not await self._serves():
            await asyncio.sleep(_POLL_INTERVAL_S)
            if server.poll() is not None and time.monotonic() - started > _RESTART_INTERVAL_S:
                server, started = self._start(log), time.monotonic()

    async def _serves(self) -> bool:
        """Whether a server replies. One that listens may yet fail to open its store."""
        try:
            return await self._probe()
        except OSError:
            return False

    async def _probe(self) -> bool:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(f"GET /healthz HTTP/1.1\r\nhost: {self.address}\r\n\r\n".encode())
            return bool(await reader.read(1))
        finally:
            writer.close()

    def _data_dir(self) -> Path:
        if self.data_dir is None:
            raise Unavailable(
                "nowhere to keep the local server's data: set HITL_DATA_DIR, or HITL_ENDPOINT to "
                "use a server that runs elsewhere"
            )
        # The server runs in this directory, so a relative path would lead astray there.
        return self.data_dir.absolute()

    def _start(self, log: "_Log") -> subprocess.Popen[bytes]:
        """Starts a server that outlives this program.

        Not in its process group, lest Ctrl-C end both, nor in its directory, nor with its terminal.
        """
        binary = shutil.which(self.binary) or self.binary
        try:
            with log.path.open("ab") as output:
                server = subprocess.Popen(
                    [
                        os.path.abspath(binary),
                        "serve",
                        "--idle-exit",
                        "10m",
                        "--listen",
                        self.address,
                    ],
                    env={**os.environ, "HITL_DATA_DIR": str(log.path.parent)},
                    cwd=log.path.parent,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
        except OSError as error:
            raise Unavailable(
                f"no server runs on {self.address} and `{self.binary}` cannot be started "
                f"({error}): install hitl, or set HITL_BIN to the program, or HITL_ENDPOINT to a "
                "server that runs elsewhere"
            ) from error
        _started.append(server)
        return server


class _Log:
    """Where a server's output goes, and how long the file was before it wrote there."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "serve.log"
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self.path.touch()
            if self.path.stat().st_size > _LOG_BYTES_MAX:
                self.path.replace(directory / "serve.log.1")
                self.path.touch()
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
