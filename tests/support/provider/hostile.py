"""A TLS server that answers with bytes of the test's choice, without end where the test wants that."""

from __future__ import annotations

import itertools
import re
import socket
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tests.support.certificates import Authority
from tests.support.provider.listener import Listener

Script = Callable[[], Iterable[bytes]]


class Hostile(Listener):
    """Reads one request a connection, then sends what `script` gives, until the client hangs up or `cap` is reached."""

    def __init__(self, directory: Path, script: Script, *, cap: int = 200 << 20) -> None:
        self.sent = 0
        self.forms: list[bytes] = []
        self._script, self._cap = script, cap
        authority = Authority()
        self.ca_file = authority.write(directory / "hostile-ca.pem")
        self._context = authority.server_context("127.0.0.1")
        super().__init__()
        self.url = f"https://{self.host}/"

    def serve(self, connection: socket.socket) -> None:
        with self._context.wrap_socket(connection, server_side=True) as client:
            client.settimeout(20)
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(65536)
            head, _, body = head.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head.lower())
            while length is not None and len(body) < int(length[1]):
                body += client.recv(65536)
            self.forms.append(body)
            for piece in self._script():
                client.sendall(piece)
                self.sent += len(piece)
                if self.sent > self._cap:
                    return


def endless(start: bytes, piece: bytes) -> Iterator[bytes]:
    """Return `start`, then `piece` for ever."""
    return itertools.chain([start], itertools.repeat(piece))
