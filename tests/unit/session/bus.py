"""A bus with a Secret Service on it, in a thread; a D-Bus library reads what comes in and makes what goes out."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from jeepney import HeaderFields, Message, new_error, new_method_return, new_signal
from jeepney.bus_messages import message_bus
from jeepney.low_level import Parser

COLLECTION = "/org/freedesktop/secrets/aliases/default"
SESSION = "/org/freedesktop/secrets/session/s1"
Answers = Callable[[Message], tuple[str, tuple[Any, ...]] | None]
"""Gives a reply's signature and values, or None: an error."""


class SecretService:
    """Answers with the items of `texts`, by the `service` attribute."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = texts
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __call__(self, message: Message) -> tuple[str, tuple[Any, ...]] | None:
        fields = message.header.fields
        member = fields[HeaderFields.member]
        self.calls.append((member, message.body))
        if member == "Hello":
            return "s", (":1.7",)
        if member == "OpenSession":
            return "vo", (("s", ""), SESSION)
        if member == "SearchItems":
            assert fields[HeaderFields.path] == COLLECTION
            names = list(self.texts)
            wanted = message.body[0]["service"]
            return "ao", ([f"/item/{names.index(wanted)}"] if wanted in names else [],)
        if member == "GetSecret":
            number = int(fields[HeaderFields.path].rpartition("/")[2])
            return "(oayays)", ((SESSION, b"", list(self.texts.values())[number].encode(), "text/plain"),)
        return None


class Texts:
    """Items to be written, as `ItemValues` does."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._texts = texts

    def get(self, name: str) -> str | None:
        return self._texts.get(name)

    def set(self, name: str, text: str) -> None:
        self._texts[name] = text

    def delete(self, name: str) -> None:
        self._texts.pop(name, None)


@contextmanager
def bus(directory: Path, answers: Answers, *, welcome: bytes = b"OK 0123\r\n") -> Iterator[str]:
    """Serve one connection after another; give the bus's address."""
    path = directory / "bus"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        thread = threading.Thread(target=_serve, args=(server, answers, welcome), daemon=True)
        thread.start()
        try:
            yield f"unix:path={path},guid=0123"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _serve(server: socket.socket, answers: Answers, welcome: bytes) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        # Who has heard enough hangs up.
        with connection, suppress(ConnectionError):
            _talk(connection, answers, welcome)


def _talk(connection: socket.socket, answers: Answers, welcome: bytes) -> None:
    data = b""
    while b"BEGIN\r\n" not in data:
        data += connection.recv(4096)
    assert data.startswith(b"\0AUTH EXTERNAL ")
    connection.sendall(welcome)
    parser = Parser()
    parser.add_data(data.partition(b"BEGIN\r\n")[2])
    serial = 0
    while True:
        message = parser.get_next_message()
        if message is None:
            more = connection.recv(4096)
            if not more:
                return
            parser.add_data(more)
            continue
        found = answers(message)
        reply = new_error(message, "org.example.No") if found is None else new_method_return(message, *found)
        # Between the replies come signals, which nobody asked for.
        signal = new_signal(message_bus, "NameAcquired", "s", (":1.7",))
        for out in (signal, reply):
            serial += 1
            connection.sendall(out.serialise(serial))
