"""The fast path's reader of the Secret Service, against a bus whose messages another D-Bus library makes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from kubectl_stepup.sessions.stores import dbus, secret_service
from kubectl_stepup.sessions.stores.item_values import ItemValues
from tests.unit.sessions.bus import SESSION, SecretService, Texts, bus

KEY = f"kubectl-stepup:{'0' * 32}:user"
LATER = 4_000_000_000


def stored(value: bytes, *, characters: int = 60_000, until: int = LATER) -> dict[str, str]:
    """Return the items that the store makes of a value."""
    texts: dict[str, str] = {}
    ItemValues(Texts(texts), item_characters=characters, now=time.time).write(KEY, value, until)
    return texts


@pytest.mark.parametrize("characters", [60_000, 1200])
def test_a_stored_value_is_read(tmp_path: Path, characters: int) -> None:
    value = os.urandom(3000)
    service = SecretService(stored(value, characters=characters))
    with bus(tmp_path, service) as address:
        assert secret_service.read(address, KEY) == value
    assert ("OpenSession", ("plain", ("s", ""))) in service.calls
    assert ("SearchItems", ({"service": KEY, "username": "kubectl-stepup"},)) in service.calls
    assert ("GetSecret", (SESSION,)) in service.calls


def test_there_is_none(tmp_path: Path) -> None:
    with bus(tmp_path, SecretService({})) as address:
        assert secret_service.read(address, KEY) is None


def test_one_whose_time_is_over_or_that_is_damaged_is_none_and_stays(tmp_path: Path) -> None:
    for texts in (stored(b"value", until=int(time.time()) - 1), {KEY: "1 0 00 4000000000 dmFsdWU="}, {KEY: "other"}):
        service = SecretService(dict(texts))
        directory = tmp_path / str(len(os.listdir(tmp_path)))
        directory.mkdir()
        with bus(directory, service) as address:
            assert secret_service.read(address, KEY) is None
        assert {member for member, _ in service.calls} <= {"Hello", "OpenSession", "SearchItems", "GetSecret"}


@pytest.mark.parametrize("refused", ["Hello", "OpenSession", "SearchItems", "GetSecret"])
def test_a_refused_call_is_none(tmp_path: Path, refused: str) -> None:
    service = SecretService(stored(b"value"))
    with bus(tmp_path, lambda message: None if message.header.fields[3] == refused else service(message)) as address:
        # Nothing hangs on the answer to Hello.
        assert secret_service.read(address, KEY) == (b"value" if refused == "Hello" else None)


@pytest.mark.parametrize(
    "welcome",
    [b"REJECTED EXTERNAL\r\n", b"OK 0\r\nBshort", b"OK 0\r\n" + b"B" + bytes(15), b"OK 0\r\nl\2\0\1" + b"\xff" * 12],
)
def test_a_bus_that_makes_no_sense_is_none(tmp_path: Path, welcome: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_service, "TIMEOUT_S", 0.2)
    with bus(tmp_path, SecretService(stored(b"value")), welcome=welcome) as address:
        assert secret_service.read(address, KEY) is None


def test_a_mute_bus_is_none_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_service, "TIMEOUT_S", 0.2)
    with bus(tmp_path, SecretService({}), welcome=b"") as address:
        began = time.monotonic()
        assert secret_service.read(address, KEY) is None
        assert time.monotonic() - began < 2


@pytest.mark.parametrize("address", ["", "unix:path=/nonexistent", "tcp:host=localhost,port=1", "unix:path=/%zz"])
def test_no_bus_is_none(address: str) -> None:
    assert secret_service.read(address, KEY) is None


@pytest.mark.parametrize(
    ("addresses", "path"),
    [
        ("unix:path=/run/user/1000/bus", "/run/user/1000/bus"),
        ("unix:path=/tmp/a%20b,guid=12", "/tmp/a b"),
        ("unix:abstract=/tmp/dbus-x,guid=12", "\0/tmp/dbus-x"),
        ("tcp:host=x;unix:path=/bus", "/bus"),
    ],
)
def test_an_address_is_read(addresses: str, path: str) -> None:
    assert dbus.unix_address(addresses) == path
