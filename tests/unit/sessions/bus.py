"""A bus with a Secret Service on it, in a thread; a D-Bus library reads what comes in and makes what goes out."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
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
def bus(
    directory: Path, answers: Answers, *, welcome: bytes = b"OK 0123\r\n", abstract: str | None = None
) -> Iterator[str]:
    """Serve one connection after another, in a directory or under an abstract name; give the bus's address."""
    path = str(directory / "bus") if abstract is None else f"\0{abstract}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        thread = threading.Thread(target=_serve, args=(server, answers, welcome), daemon=True)
        thread.start()
        try:
            yield f"unix:{f'path={path}' if abstract is None else f'abstract={abstract}'},guid=0123"
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


def _until(connection: socket.socket, end: bytes, data: bytes) -> bytes:
    """Read on until that has come, or nothing more comes."""
    while end not in data and (more := connection.recv(4096)):
        data += more
    return data


def _talk(connection: socket.socket, answers: Answers, welcome: bytes) -> None:
    data = _until(connection, b"\r\n", b"")
    assert data.startswith(b"\0AUTH EXTERNAL ") or not data
    connection.sendall(welcome)  # some wait for it before they go on
    data = _until(connection, b"BEGIN\r\n", data)
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


OF_NOBODY = """
import json, os, sys
from pathlib import Path
from tests.unit.sessions.bus import SecretService, bus
texts, where = json.loads(sys.argv[1]), sys.argv[2]
service = SecretService(texts)
heard = []
def answers(message):
    member = message.header.fields[3]
    heard.append(member)
    more = {"AddMatch": ("", ()), "ReadAlias": ("o", ("/c",)), "Get": ("v", (("b", False),))}
    return more.get(member) or service(message)
os.setgid(65534)
os.setuid(65534)
with bus(Path(where), answers, abstract=None if os.path.isdir(where) else where) as address:
    print(address, flush=True)
    sys.stdin.read()
print(json.dumps(heard))
"""


class ForeignBus:
    """A bus with a Secret Service that another user runs; `heard` are the calls that it got, once it has ended."""

    def __init__(self, texts: dict[str, str], where: str) -> None:
        words = [sys.executable, "-c", OF_NOBODY, json.dumps(texts), where]
        environ = {**os.environ, "PYTHONPATH": os.fspath(Path(__file__).parents[3])}
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ)
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()
        self.heard: list[str] = []

    def end(self) -> None:
        """Stop it."""
        out, _ = self._process.communicate(timeout=30)
        self.heard = json.loads(out)
