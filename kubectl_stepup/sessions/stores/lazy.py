"""A store that is opened when it is first used: most commands need none, and opening one may have something to say."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_stepup.sessions.stores.interface import SessionStore


class LazyStore:
    """A SessionStore over the one that `opened` gives."""

    def __init__(self, opened: Callable[[], SessionStore]) -> None:
        self._open = opened

    @cached_property
    def _store(self) -> SessionStore:
        return self._open()

    @property
    def name(self) -> str:
        """What people call it."""
        return self._store.name

    def get(self, key: str) -> bytes | None:
        """Return the value, or None when there is none."""
        return self._store.get(key)

    def put(self, key: str, value: bytes, expires_at: float) -> None:
        """Keep `value` until `expires_at`."""
        self._store.put(key, value, expires_at)

    def delete(self, key: str) -> bool:
        """Remove the value; tell whether there was one."""
        return self._store.delete(key)

    def keys(self) -> list[str]:
        """Return the keys of all values kept, sorted."""
        return self._store.keys()
