"""Choose where sessions are kept, from the config's `store`."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from kubectl_stepup.errors import StoreUnavailable, UsageError
from kubectl_stepup.sessions.stores.file import FileStore
from kubectl_stepup.sessions.stores.kernel import KernelKeyringStore, keyring_of
from kubectl_stepup.sessions.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from kubectl_stepup.sessions.stores.interface import SessionStore

STORES = ("auto", "keyring", "kernel", "memory", "file")
FILES = "sessions"
"""The directory below the state directory that the file store uses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenStore:
    """A store, and one line for the person where it is not what was hoped for (None: nothing to say)."""

    store: SessionStore
    notice: str | None = None


class LazyStore:
    """A SessionStore that is opened when it is first used: most commands need none, and opening may print a notice."""

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
        """Remove the value; return whether there was one."""
        return self._store.delete(key)

    def keys(self) -> list[str]:
        """Return the keys of all values kept, sorted."""
        return self._store.keys()


def choose(
    name: str,
    *,
    state_directory: Path,
    environ: Mapping[str, str],
    platform: str = sys.platform,
    now: Callable[[], float] = time.time,
    kernel: Callable[[], SessionStore] | None = None,
    keyring: Callable[[], SessionStore] | None = None,
) -> ChosenStore:
    """Return the store that `name` (one of `STORES`) means here.

    `auto`: on Linux the kernel keyring, where that cannot serve the Secret Service; elsewhere the system's keyring;
    else memory. What cannot be used gives way to memory with a notice: that a session is not kept never stops a
    command. `kernel` and `keyring` open those stores (tests give others) and raise StoreUnavailable.

    Raises:
        UsageError: `name` is none of `STORES`.
    """
    openers: dict[str, Callable[[], SessionStore]] = {
        "kernel": kernel or (lambda: _kernel(now, keyring_of(environ))),
        "keyring": keyring or (lambda: _keyring(platform, now)),
    }
    if name == "memory":
        return ChosenStore(store=MemoryStore(now=now))
    if name == "file":
        return ChosenStore(store=FileStore(state_directory / FILES, now=now))
    if name == "auto":
        wanted = ("kernel", "keyring") if platform == "linux" else ("keyring",)
    elif name in openers:
        wanted = (name,)
    else:
        raise UsageError(f"store {name!r} is none of {', '.join(STORES)}")
    reasons = []
    for one in wanted:
        try:
            return ChosenStore(store=openers[one]())
        except StoreUnavailable as error:
            reasons.append(error.message)
    notice = f"Not remembering the step-up after this command: {'; '.join(reasons)}"
    return ChosenStore(store=MemoryStore(now=now), notice=notice)


def _kernel(now: Callable[[], float], keyring: int) -> SessionStore:
    store = KernelKeyringStore(now=now, keyring=keyring)
    store.probe()
    return store


def _keyring(platform: str, now: Callable[[], float]) -> SessionStore:
    # NOTE: imported here: the keyring library takes 0.2 s, and the kernel keyring needs none of it.
    from kubectl_stepup.sessions.stores.keyring import open_os_keyring

    return open_os_keyring(platform=platform, now=now)
