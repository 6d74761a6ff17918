"""The contract of `session.store`, for every store."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.sessions import scope
from kubectl_stepup.sessions.stores.file import FileStore
from kubectl_stepup.sessions.stores.interface import SessionStore
from kubectl_stepup.sessions.stores.kernel import KernelKeyringStore
from kubectl_stepup.sessions.stores.keyring import OSKeyringStore
from kubectl_stepup.sessions.stores.memory import MemoryStore
from tests.contract.backends import WindowsLikeBackend
from tests.support.clock import StillClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A store, a way to open it again (None: it ends with its object), and its clock (None: the kernel's)."""

    store: SessionStore
    reopen: Callable[[], SessionStore] | None
    clock: StillClock | None

    def now(self) -> float:
        return time.time() if self.clock is None else self.clock.now()


def kernel_case() -> Case:
    try:
        KernelKeyringStore().probe()
    except StoreUnavailable as error:
        pytest.skip(f"no kernel keyring: {error.message}")
    return Case(store=KernelKeyringStore(), reopen=KernelKeyringStore, clock=None)


def os_keyring_case(clock: StillClock, characters: int) -> Case:
    backend = WindowsLikeBackend()

    def opened() -> SessionStore:
        return OSKeyringStore(backend, title="fake", now=clock.now, item_characters=characters)

    return Case(store=opened(), reopen=opened, clock=clock)


@pytest.fixture(params=["memory", "file", "keyring", "kernel"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    clock = StillClock()
    if request.param == "kernel":
        return kernel_case()
    if request.param == "memory":
        return Case(store=MemoryStore(now=clock.now), reopen=None, clock=clock)
    if request.param == "file":

        def opened() -> SessionStore:
            return FileStore(tmp_path / "sessions", now=clock.now)

        return Case(store=opened(), reopen=opened, clock=clock)
    return os_keyring_case(clock, 1200)


@pytest.fixture
def keys(case: Case) -> Iterator[list[str]]:
    """Return three keys that no other test uses, and leave nothing of them."""
    made = [scope.key(os.urandom(16).hex(), one) for one in ("tty-34816-100-2000", "sid-100-2000", "user")]
    yield made
    for key in made:
        case.store.delete(key)


class TestSessionStore:
    """One test a sentence of the contract."""

    @pytest.mark.parametrize("size", [0, 1, 1279, 1281, 2561, 8000, 16_000])
    def test_gives_the_same_bytes_back(self, case: Case, keys: list[str], size: int) -> None:
        if size == 0 and case.store.name == "kernel":
            pytest.skip("the kernel takes no empty values, and no session is empty")
        value = os.urandom(size)
        case.store.put(keys[0], value, case.now() + 60)
        assert case.store.get(keys[0]) == value

    def test_keeps_values_for_the_next_process(self, case: Case, keys: list[str]) -> None:
        if case.reopen is None:
            pytest.skip("this store ends with its process")
        case.store.put(keys[0], b"one", case.now() + 60)
        assert case.reopen().get(keys[0]) == b"one"

    def test_has_nothing_under_an_unknown_key(self, case: Case, keys: list[str]) -> None:
        assert case.store.get(keys[0]) is None

    def test_keeps_keys_apart(self, case: Case, keys: list[str]) -> None:
        for number, key in enumerate(keys):
            case.store.put(key, b"value %d" % number, case.now() + 60)
        assert [case.store.get(key) for key in keys] == [b"value 0", b"value 1", b"value 2"]

    @pytest.mark.parametrize("sizes", [(10, 20), (5000, 10), (10, 5000), (5000, 6000), (50, 50)])
    def test_replaces(self, case: Case, keys: list[str], sizes: tuple[int, int]) -> None:
        old, new = (os.urandom(size) for size in sizes)
        case.store.put(keys[0], old, case.now() + 60)
        case.store.put(keys[0], new, case.now() + 60)
        assert case.store.get(keys[0]) == new

    def test_deletes_and_tells_whether_there_was_something(self, case: Case, keys: list[str]) -> None:
        case.store.put(keys[0], b"one", case.now() + 60)
        case.store.put(keys[1], b"two", case.now() + 60)
        assert case.store.delete(keys[0]) is True
        assert case.store.delete(keys[0]) is False
        assert case.store.get(keys[0]) is None
        assert case.store.get(keys[1]) == b"two"

    def test_lists_its_keys_sorted(self, case: Case, keys: list[str]) -> None:
        for key in keys:
            case.store.put(key, b"value", case.now() + 60)
        case.store.delete(keys[1])
        listed = case.store.keys()
        assert set(listed) & set(keys) == {keys[0], keys[2]}
        assert listed == sorted(listed)

    def test_a_time_that_is_over_removes(self, case: Case, keys: list[str]) -> None:
        case.store.put(keys[0], b"one", case.now() + 60)
        case.store.put(keys[0], b"two", case.now() - 1)
        assert case.store.get(keys[0]) is None
        assert not {keys[0]} & set(case.store.keys())

    def test_drops_a_value_when_its_time_is_over(self, case: Case, keys: list[str]) -> None:
        if case.clock is None:
            pytest.skip("the kernel's clock cannot be moved; its time-out is tested by itself")
        case.store.put(keys[0], b"one", case.now() + 60)
        case.store.put(keys[1], b"two", case.now() + 120)
        case.clock.sleep(61)
        assert case.store.get(keys[0]) is None
        assert case.store.keys() == [keys[1]]
        assert case.store.delete(keys[0]) is False

    def test_shows_no_value_in_its_repr(self, case: Case, keys: list[str]) -> None:
        case.store.put(keys[0], b"the-secret-value", case.now() + 60)
        assert "the-secret-value" not in repr(case.store)

    def test_has_a_name_that_the_config_knows(self, case: Case) -> None:
        assert case.store.name in {"kernel", "keyring", "memory", "file"}
