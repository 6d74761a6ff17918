"""A SOCKS5 proxy on loopback (RFC 1928, RFC 1929): it resolves the names."""

from __future__ import annotations

import select
import socket

from tests.support.provider.listener import Listener

NO_AUTHENTICATION, USER_AND_PASSWORD, NONE_ACCEPTABLE = 0, 2, 0xFF
NAME = 3


class Socks(Listener):
    """Tunnels to `port` of this machine, whatever name is given; `targets` has each name with its port.

    With `user` (`name:password`) it lets in nobody else; `answer` is given in place of success.
    """

    def __init__(self, *, user: str | None = None, answer: int = 0) -> None:
        self.targets: list[str] = []
        self._user, self._answer = user, answer
        super().__init__()

    def serve(self, connection: socket.socket) -> None:
        if self._is_let_in(connection):
            self._tunnel(connection)

    def _is_let_in(self, client: socket.socket) -> bool:
        methods = _read(client, _read(client, 2)[1])
        wanted = NO_AUTHENTICATION if self._user is None else USER_AND_PASSWORD
        if wanted not in methods:
            client.sendall(bytes((5, NONE_ACCEPTABLE)))
            return False
        client.sendall(bytes((5, wanted)))
        if self._user is None:
            return True
        name = _read(client, _read(client, 2)[1])
        password = _read(client, _read(client, 1)[0])
        is_right = f"{name.decode()}:{password.decode()}" == self._user
        client.sendall(bytes((1, not is_right)))
        return is_right

    def _tunnel(self, client: socket.socket) -> None:
        kind = _read(client, 4)[3]
        host = _read(client, _read(client, 1)[0]).decode() if kind == NAME else socket.inet_ntoa(_read(client, 4))
        port = int.from_bytes(_read(client, 2))
        self.targets.append(f"{host}:{port}")
        client.sendall(bytes((5, self._answer, 0, 1, 0, 0, 0, 0, 0, 0)))
        if self._answer:
            return
        with socket.create_connection(("127.0.0.1", port)) as server:
            other = {client: server, server: client}
            while True:
                for source in select.select([client, server], [], [])[0]:
                    data = source.recv(65536)
                    if not data:
                        return
                    other[source].sendall(data)


def _read(client: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        piece = client.recv(length - len(data))
        if not piece:
            raise ConnectionError
        data += piece
    return data
