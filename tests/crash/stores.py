"""A store that is killed while it keeps, replaces or removes a session."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kubectl_stepup.secret import Secret
from kubectl_stepup.sessions import scope
from kubectl_stepup.sessions.session import ElevationSession, from_record
from kubectl_stepup.sessions.stores.file import FileStore
from kubectl_stepup.sessions.stores.interface import SessionStore
from kubectl_stepup.sessions.stores.kernel import KernelKeyringStore
from kubectl_stepup.sessions.stores.keyring import OSKeyringStore
from tests.contract.backends import DiskBackend
from tests.crash.injection import Points
from tests.crash.scenario import Scenario
from tests.support.sessions import session

Open = Callable[[Path, Points], SessionStore]

OLD = session(token=Secret("o" * 3000))
NEW = session(token=Secret("n" * 4000), command="delete pod web-1")
BESIDE = session(token=Secret("b" * 2000))
"""Another session in the same store, which nothing that happens here is about."""


def key_of(directory: Path, which: str) -> str:
    """Return a key that no other point uses: the kernel's keyring is the same for all of them."""
    return scope.key(hashlib.sha256(f"{directory}".encode()).hexdigest()[:32], which)


def read(store: SessionStore, key: str) -> ElevationSession | None:
    """Return the session under a key; a value that is no session is an error."""
    value = store.get(key)
    if value is None:
        return None
    found = from_record(value, session_id=OLD.id)
    assert found is not None, f"a value that is no session: {len(value)} bytes"
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreIsKilled(Scenario):
    """`before` is kept first and `after` (None: nothing) takes its place; `left` names what the store has."""

    opened: Open
    before: ElevationSession | None
    after: ElevationSession | None
    left: Callable[[Path], Iterable[str]]

    def prepare(self, directory: Path) -> None:
        (directory / "store").mkdir(mode=0o700)
        store = self.opened(directory / "store", Points(0))
        store.put(key_of(directory, "beside"), BESIDE.to_record(), time.time() + 600)
        if self.before is not None:
            store.put(key_of(directory, "user"), self.before.to_record(), time.time() + 600)

    def act(self, directory: Path, points: Points) -> None:
        store = self.opened(directory / "store", points)
        if self.after is None:
            store.delete(key_of(directory, "user"))
        else:
            store.put(key_of(directory, "user"), self.after.to_record(), time.time() + 600)

    def check(self, directory: Path) -> None:
        key, beside = key_of(directory, "user"), key_of(directory, "beside")
        store = self.opened(directory / "store", Points(0))
        try:
            assert read(store, key) in (self.before, self.after), "neither the old session nor the new one"
            assert read(store, beside) == BESIDE, "another session is gone"
            kept = {key, beside} if store.get(key) is not None else {beside}
            assert set(store.keys()) & {key, beside} == kept, "the list of keys is another"
            self.act(directory, Points(0))
            assert read(store, key) == self.after, "the next one cannot do it"
        finally:
            for one in (key, beside):
                store.delete(one)
        left = list(self.left(directory / "store"))
        assert not left, f"left behind: {left}"


def file_store(directory: Path, points: Points) -> SessionStore:
    return FileStore(directory)


def kernel_store(directory: Path, points: Points) -> SessionStore:
    return KernelKeyringStore()


def keyring_store(directory: Path, points: Points) -> SessionStore:
    backend = DiskBackend(directory, points.around)
    return OSKeyringStore(backend, title="on a disk", item_characters=1200)


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def kernel_keys(directory: Path) -> list[str]:
    ours, store = key_of(directory, ""), KernelKeyringStore()
    return [key for key in store.keys() if key.startswith(ours)]  # noqa: SIM118 - a store, not a dictionary


def _of(opened: Open, left: Callable[[Path], Iterable[str]], name: str) -> dict[str, Scenario]:
    made = partial(StoreIsKilled, opened=opened, left=left)
    return {
        f"{name}: the first session": made(before=None, after=NEW),
        f"{name}: a session in place of another": made(before=OLD, after=NEW),
        f"{name}: a session that is removed": made(before=OLD, after=None),
    }


STORES: dict[str, Scenario] = {
    **_of(file_store, files, "files"),
    **_of(kernel_store, lambda directory: kernel_keys(directory.parent), "kernel keyring"),
    **_of(keyring_store, files, "system's keyring"),
}
