"""The launcher reads sessions from the Secret Service as the Python program does."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jeepney import Header, HeaderFields, Message, MessageFlag, MessageType, new_method_return
from jeepney.low_level import Endianness

from kubectl_stepup.secret import Secret
from kubectl_stepup.sessions import scope
from kubectl_stepup.sessions.session import ElevationSession
from kubectl_stepup.sessions.stores.file import FileStore
from kubectl_stepup.sessions.stores.item_values import ItemValues
from tests.launcher.conftest import Launcher
from tests.launcher.test_credential import CHANGES, by_python, changed, environ
from tests.support.sessions import approved_now
from tests.unit.sessions.bus import SESSION, SecretService, Texts, bus

STORE = ("--store", "keyring")


def items(fresh: ElevationSession, whose: str = scope.USER_SCOPE, *, characters: int = 60_000) -> dict[str, str]:
    """Return the items that the store makes of a session."""
    texts: dict[str, str] = {}
    values = ItemValues(Texts(texts), item_characters=characters, now=time.time)
    values.write(scope.key(fresh.id, whose), fresh.to_record(), int(fresh.reuse_until))
    return texts


def answers(launcher: Launcher, fresh: ElevationSession, address: str) -> tuple[bytes | None, bytes | None]:
    """Return what the launcher answers, and what Python does."""
    arguments = ["--session", fresh.id, *STORE]
    variables = environ(fresh, DBUS_SESSION_BUS_ADDRESS=address)
    return launcher.answer(arguments, variables), by_python(arguments, variables)


@pytest.mark.parametrize("whose", ["terminal", "user"])
def test_a_session_is_answered(launcher: Launcher, tmp_path: Path, whose: str) -> None:
    fresh = approved_now()
    service = SecretService(items(fresh, scope.terminal_scope() if whose == "terminal" else scope.USER_SCOPE))
    with bus(tmp_path, service) as address:
        native, python = answers(launcher, fresh, address)
    assert native == python is not None
    assert ("GetSecret", (SESSION,)) in service.calls


def test_the_users_own_comes_after_one_of_the_terminal_that_is_over(launcher: Launcher, tmp_path: Path) -> None:
    fresh = approved_now()
    over = approved_now(issuer=fresh.issuer, reuse_until=fresh.approved.wall - 1)
    assert over.id == fresh.id
    texts = items(fresh)
    values = ItemValues(Texts(texts), item_characters=60_000, now=time.time)
    values.write(scope.key(fresh.id, scope.terminal_scope()), over.to_record(), int(fresh.reuse_until))
    with bus(tmp_path, SecretService(texts)) as address:
        native, python = answers(launcher, fresh, address)
    assert native == python is not None


def test_files_are_asked_first(launcher: Launcher, tmp_path: Path) -> None:
    fresh = approved_now()
    other = approved_now(issuer=fresh.issuer, token=Secret("in a file"))
    FileStore(tmp_path / "sessions").put(scope.key(fresh.id, scope.USER_SCOPE), other.to_record(), other.reuse_until)
    with bus(tmp_path, SecretService(items(fresh))) as address:
        arguments = ["--session", fresh.id, *STORE, "--store-directory", str(tmp_path / "sessions")]
        variables = environ(other, DBUS_SESSION_BUS_ADDRESS=address)
        native, python = launcher.answer(arguments, variables), by_python(arguments, variables)
    assert native == python is not None
    assert b"in a file" in python


def test_it_is_only_asked_where_the_arguments_say_so(launcher: Launcher, tmp_path: Path) -> None:
    fresh = approved_now()
    service = SecretService(items(fresh))
    with bus(tmp_path, service) as address:
        variables = environ(fresh, DBUS_SESSION_BUS_ADDRESS=address)
        assert launcher.answer(["--session", fresh.id], variables) is None
        assert service.calls == []
        del variables["DBUS_SESSION_BUS_ADDRESS"]
        assert launcher.answer(["--session", fresh.id, *STORE], variables) is None


def test_a_session_in_many_items_is_left_to_python(launcher: Launcher, tmp_path: Path) -> None:
    fresh = approved_now()
    with bus(tmp_path, SecretService(items(fresh, characters=400))) as address:
        native, python = answers(launcher, fresh, address)
    assert native is None
    assert python is not None


def test_one_of_the_terminal_in_many_items_is_not_passed_over(launcher: Launcher, tmp_path: Path) -> None:
    fresh = approved_now()
    texts = items(fresh, scope.terminal_scope(), characters=400)
    texts.update(items(approved_now(issuer=fresh.issuer, token=Secret("older"))))
    with bus(tmp_path, SecretService(texts)) as address:
        native, python = answers(launcher, fresh, address)
    assert native is None
    assert python is not None
    assert fresh.token.reveal().encode() in python


def field(number: int, value: Callable[[str], str]) -> Callable[[str], str]:
    """Change one field of a manifest: version, parts, digest, end, value, spare parts, spare digest."""

    def change(text: str) -> str:
        fields = text.split(" ")
        fields[number] = value(fields[number])
        return " ".join(fields)

    return change


MALFORMED_ITEMS: dict[str, Callable[[str], str]] = {
    "another format": field(0, lambda _: "1"),
    "no number of parts": field(1, lambda _: "-"),
    "another digest": field(2, lambda _: "0" * 64),
    "an end with an exponent": field(3, lambda _: "1e12"),
    "over": field(3, lambda _: "1700000000"),
    "being written": field(3, lambda _: "0"),
    "another value": field(4, lambda _: "AAAA"),
    "no value": field(4, lambda _: ""),
    "no base64": field(4, lambda value: value + "A=\n="),
    "more than any session takes": field(4, lambda _: "A" * 200_000),
    "too much padding": field(4, lambda value: value + "===="),
    "a field too many": lambda text: text + " -",
    "no number of spare parts": field(5, lambda _: "-"),
    "too many spare parts": field(5, lambda _: "1001"),
    "another digest of spare parts": field(6, lambda _: "0"),
    "half": lambda text: text[: len(text) // 2],
    "empty": lambda _: "",
}


@pytest.mark.parametrize("malformed", MALFORMED_ITEMS)
def test_a_malformed_item_is_left_to_python(launcher: Launcher, tmp_path: Path, malformed: str) -> None:
    fresh = approved_now()
    texts = {name: MALFORMED_ITEMS[malformed](text) for name, text in items(fresh).items()}
    assert texts != items(fresh)
    with bus(tmp_path, SecretService(texts)) as address:
        native, python = answers(launcher, fresh, address)
    assert native is None
    assert python is None or malformed == "too much padding"


@pytest.mark.parametrize("size", range(1, 8))
def test_values_of_every_padding_are_decoded(launcher: Launcher, tmp_path: Path, size: int) -> None:
    fresh = approved_now(command="x" * size)
    with bus(tmp_path, SecretService(items(fresh))) as address:
        native, python = answers(launcher, fresh, address)
    assert native == python is not None


@pytest.mark.parametrize("refused", ["Hello", "OpenSession", "SearchItems", "GetSecret"])
def test_a_refused_call_is_left_to_python(launcher: Launcher, tmp_path: Path, refused: str) -> None:
    fresh = approved_now()
    service = SecretService(items(fresh))
    with bus(tmp_path, lambda message: None if message.header.fields[3] == refused else service(message)) as address:
        native, python = answers(launcher, fresh, address)
    assert native == python
    assert (native is not None) is (refused == "Hello")  # nothing hangs on the answer to that


@pytest.mark.parametrize(
    "welcome",
    [b"", b"REJECTED EXTERNAL\r\n", b"O", b"OK 0\r\nBshort", b"OK 0\r\nB" + bytes(15),
     b"OK 0\r\nl\2\0\1" + b"\xff" * 12, b"OK 0\r\nl\2\0\1" + b"\0" * 8 + b"\xff\xff\3\0"],
)  # fmt: skip
def test_a_bus_that_makes_no_sense_is_left_to_python(launcher: Launcher, tmp_path: Path, welcome: bytes) -> None:
    fresh = approved_now()
    with bus(tmp_path, SecretService(items(fresh)), welcome=welcome) as address:
        variables = environ(fresh, DBUS_SESSION_BUS_ADDRESS=address)
        assert launcher.answer(["--session", fresh.id, *STORE], variables) is None


@pytest.mark.parametrize(
    "address",
    ["", "unix:path=", "unix:path=/nonexistent", "tcp:host=localhost,port=1", "unix:path=/%zz", "unix:path=/%2",
     f"unix:path=/{'x' * 107}", f"unix:path=/{'x' * 5000}", ";;;", "unix:tmpdir=/tmp"],
)  # fmt: skip
def test_no_bus_is_left_to_python(launcher: Launcher, address: str) -> None:
    fresh = approved_now()
    variables = environ(fresh, DBUS_SESSION_BUS_ADDRESS=address)
    assert launcher.answer(["--session", fresh.id, *STORE], variables) is None


def test_an_escaped_address_behind_others_is_found(launcher: Launcher, tmp_path: Path) -> None:
    fresh = approved_now()
    directory = tmp_path / "a b"
    directory.mkdir()
    with bus(directory, SecretService(items(fresh))) as address:
        written = "tcp:host=x;" + address.replace("a b", "a%20%62").replace("/bus", "/%62us")
        native, python = answers(launcher, fresh, written)
    assert native == python is not None


class Recorded:
    """A bus that says what it has to say at once, and then no more; changed at random."""

    def __init__(self, fresh: ElevationSession) -> None:
        service = SecretService(items(fresh, scope.terminal_scope()))
        key = scope.key(fresh.id, scope.terminal_scope())
        calls: list[tuple[str, str, tuple[object, ...]]] = [
            ("Hello", "/", ()),
            ("OpenSession", "/", ("plain", ("s", ""))),
            ("SearchItems", "/org/freedesktop/secrets/aliases/default", ({"service": key},)),
            ("GetSecret", "/item/0", (SESSION,)),
        ]
        self.stream = b"OK 0123\r\n"
        for serial, (member, path, body) in enumerate(calls, 1):
            fields = {HeaderFields.member: member, HeaderFields.path: path}
            head = Header(Endianness.little, MessageType.method_call, MessageFlag(0), 1, 0, serial, fields)
            found = service(Message(head, body))
            assert found is not None
            self.stream += new_method_return(Message(head, body), *found).serialise(serial)

    @contextmanager
    def said(self, directory: Path, stream: bytes) -> Iterator[str]:
        path = directory / os.urandom(4).hex()
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
            server.listen()
            thread = threading.Thread(target=self._say, args=(server, stream), daemon=True)
            thread.start()
            yield f"unix:path={path}"
            thread.join(10)
        path.unlink()

    @staticmethod
    def _say(server: socket.socket, stream: bytes) -> None:
        connection, _ = server.accept()
        with connection:
            connection.sendall(stream)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("buses")


@settings(max_examples=250, deadline=None)
@given(changes=st.one_of(st.just([]), CHANGES))
def test_whatever_the_bus_says_the_answer_is_the_stored_one_or_none(
    launcher: Launcher, place: Path, changes: list[tuple[float, int, bytes | None]]
) -> None:
    fresh = approved_now()
    recorded = Recorded(fresh)
    with recorded.said(place, changed(recorded.stream, changes)) as address:
        variables = environ(fresh, DBUS_SESSION_BUS_ADDRESS=address)
        found = launcher.answer(["--session", fresh.id, *STORE], variables)
    if found is None:
        assert changes
    else:
        assert fresh.token.reveal().encode() in found
        assert found.endswith(fresh.to_record().rpartition(b"status=")[2].strip() + b"}\n")
