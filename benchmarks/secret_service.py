"""A Secret Service of the benchmark's own: gnome-keyring on a bus that nothing else is on."""

from __future__ import annotations

import os
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import secretstorage

from kubectl_stepup.session.item_values import USERNAME, ItemValues
from kubectl_stepup.session.os_keyring import ELSEWHERE_CHARACTERS, open_os_keyring
from tests.system.parts.gnome_keyring import gnome_keyring

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.place import Place
    from kubectl_stepup.session.os_keyring import OSKeyringStore

BUS = "DBUS_SESSION_BUS_ADDRESS"


def desktop(place: Place, name: str) -> Mapping[str, str]:
    """Start one, unlocked, until the end of the benchmark; give what its programs have in their environment.

    Raises: Missing where the machine has none.
    """
    started = place.stack.enter_context(gnome_keyring(place.directory(name)))
    return {BUS: started.environ[BUS]}


@contextmanager
def on_desktop(bus: Mapping[str, str]) -> Iterator[None]:
    """Be a program of this desktop for a while."""
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


def fill(values: Mapping[str, bytes], expires_at: int) -> None:
    """Put values there as the store does, but over one connection and without its index: a thousand take a minute."""
    with closing(secretstorage.dbus_init()) as connection:
        items = ItemValues(_Items(connection), item_characters=ELSEWHERE_CHARACTERS, now=time.time)
        for key, value in values.items():
            items.write(key, value, expires_at)


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
