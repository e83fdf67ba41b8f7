"""What stands between a client and a server: counts connections, and lets them fall silent."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Proxy:
    """Passes on what comes to its port."""

    def __init__(self, port: int) -> None:
        self.accepted = 0
        self.connections: list[Connection] = []
        self._server = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def freeze(self) -> None:
        """No connection that there is passes anything on any more, nor is either end told."""
        for connection in self.connections:
            connection.frozen = True

    def close(self) -> None:
        for end in (self._listener, *(end for c in self.connections for end in c.ends)):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.accepted += 1
                self.connections.append(Connection(client, socket.create_connection(self._server)))


class Connection:
    """One that passes through a proxy."""

    def __init__(self, *ends: socket.socket) -> None:
        self.ends, self.frozen = ends, False
        for ways in (ends, ends[::-1]):
            threading.Thread(target=self._pass_on, args=ways, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while (data := source.recv(1 << 16)) and not self.frozen:
                target.sendall(data)
            if not self.frozen:
                target.shutdown(socket.SHUT_WR)


@contextmanager
def proxy(port: int) -> Iterator[Proxy]:
    """A proxy of the server at a port."""
    between = Proxy(port)
    try:
        yield between
    finally:
        between.close()
