"""What servers of tests on loopback share: connections, each served in a thread of its own until the test ends."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self


class Listener:
    """Listens on a port of 127.0.0.1 from the start to `close()`; also a context manager."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        """Serve one connection; an OSError ends it."""
        raise NotImplementedError

    def close(self) -> None:
        with contextlib.suppress(OSError):  # a blocked accept is not woken by close alone
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self._listener.accept()[0],), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self.serve(connection)
