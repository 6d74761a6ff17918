"""A Secret Service for the benchmark alone: gnome-keyring on a bus of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import secretstorage

from kubectl_stepup.sessions import scope
from kubectl_stepup.sessions.stores.item_values import USERNAME, ItemValues
from kubectl_stepup.sessions.stores.keyring import ELSEWHERE_CHARACTERS, open_os_keyring
from tests.system.parts.cache import made
from tests.system.parts.gnome_keyring import gnome_keyring

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.place import Place
    from kubectl_stepup.sessions.stores.keyring import OSKeyringStore

BUS = "DBUS_SESSION_BUS_ADDRESS"
YEAR_S = 365 * 24 * 3600


KEYRINGS = "home/.local/share/keyrings"
VALUE_BYTES = 3000
"""The size of a session's record."""


def desktop(place: Place, name: str, *, others: int = 0) -> Mapping[str, str]:
    """Start one, unlocked, with that many other sessions; return the environment of its programs.

    It ends with the benchmark. Raises: Missing where the machine has none.
    """
    directory = place.directory(name)
    if others:
        # gnome-keyring writes its whole file for each item: a thousand take minutes, so they are made once.
        shutil.copytree(made(f"gnome-keyring-with-{others}", lambda new: _fill(new, others)), directory / KEYRINGS)
    started = place.stack.enter_context(gnome_keyring(directory))
    return {BUS: started.environ[BUS]}


def _fill(keyrings: Path, count: int) -> None:
    """Put the files of a keyring with so many values into a directory, as the store writes them but for its index."""
    with tempfile.TemporaryDirectory(prefix="kubectl-stepup-bench-") as name:
        directory = Path(name)
        with (
            gnome_keyring(directory) as started,
            on_desktop({BUS: started.environ[BUS]}),
            closing(secretstorage.dbus_init()) as connection,
        ):
            items = ItemValues(_Items(connection), item_characters=ELSEWHERE_CHARACTERS, now=time.time)
            for _ in range(count):
                key = scope.key(secrets.token_hex(16), scope.USER_SCOPE)
                items.write(key, secrets.token_bytes(VALUE_BYTES), int(time.time()) + YEAR_S)
        shutil.copytree(directory / KEYRINGS, keyrings, dirs_exist_ok=True)


@contextmanager
def on_desktop(bus: Mapping[str, str]) -> Iterator[None]:
    """Have this desktop's environment for a while."""
    before = os.environ.get(BUS)
    os.environ.update(bus)
    try:
        yield
    finally:
        if before is None:
            del os.environ[BUS]
        else:
            os.environ[BUS] = before


def store() -> OSKeyringStore:
    """Open the store of the product on this desktop."""
    return open_os_keyring()


class _Items:
    """Items with the attributes that the `keyring` library gives them."""

    def __init__(self, connection: Any) -> None:
        self._collection = secretstorage.get_default_collection(connection)

    def get(self, name: str) -> str | None:
        for item in self._collection.search_items({"username": USERNAME, "service": name}):
            return str(item.get_secret().decode("utf-8"))
        return None

    def set(self, name: str, text: str) -> None:
        attributes = {"application": "Python keyring library", "username": USERNAME, "service": name}
        label = f"Password for '{USERNAME}' on '{name}'"
        self._collection.create_item(label, attributes, text.encode("utf-8"), replace=True)

    def delete(self, name: str) -> None:
        for item in self._collection.search_items({"username": USERNAME, "service": name}):
            item.delete()
