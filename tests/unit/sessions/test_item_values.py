"""Values in small items: a crash after any write leaves the old value, the new one, or none."""

from __future__ import annotations

import os

import pytest

from kubectl_stepup.sessions.stores.item_values import ItemValues
from tests.contract.backends import KeychainLikeBackend, WindowsLikeBackend
from tests.support.clock import StillClock

NAME = "name"
OLD, NEW, NEWER = bytes(range(250)) * 12, b"n" * 4000, b"e" * 5000
DIGEST = "a" * 64


class Items:
    """Items of a backend."""

    def __init__(self, backend: WindowsLikeBackend) -> None:
        self.backend = backend

    def get(self, name: str) -> str | None:
        return self.backend.get_password(name, "")

    def set(self, name: str, text: str) -> None:
        self.backend.set_password(name, "", text)

    def delete(self, name: str) -> None:
        if self.get(name) is not None:
            self.backend.delete_password(name, "")


def values(backend: WindowsLikeBackend, clock: StillClock | None = None) -> ItemValues:
    return ItemValues(Items(backend), item_characters=1200, now=(clock or StillClock()).now)


def stored(value: bytes) -> WindowsLikeBackend:
    backend = WindowsLikeBackend()
    values(backend).write(NAME, value, 1_800_000_060)
    backend.writes = 0
    return backend


@pytest.mark.parametrize("size", [0, 1, 800, 825, 826, 900, 1279, 1281, 2561, 8000, 40_000])
def test_any_size_comes_back(size: int) -> None:
    """CACHE-07."""
    value = os.urandom(size)
    assert values(stored(value)).read(NAME) == value


def test_a_small_value_is_one_item() -> None:
    assert len(stored(b"x" * 500).items) == 1


@pytest.mark.parametrize("sizes", [(3000, 4000), (10, 4000), (4000, 10)])
def test_a_replaced_value_leaves_no_items_behind(sizes: tuple[int, int]) -> None:
    backend = stored(b"a" * sizes[0])
    values(backend).write(NAME, b"b" * sizes[1], 1_800_000_060)
    assert len(backend.items) == len(stored(b"b" * sizes[1]).items)
    values(backend).remove(NAME)
    assert backend.items == {}


def before(action: str) -> WindowsLikeBackend:
    return WindowsLikeBackend() if action == "first" else stored(OLD)


def writes_of(action: str) -> int:
    backend = before(action)
    act(action, backend)
    return backend.writes


def act(action: str, backend: WindowsLikeBackend) -> None:
    if action in {"replace", "first"}:
        values(backend).write(NAME, NEW, 1_800_000_060)
    else:
        values(backend).remove(NAME)


@pytest.mark.parametrize(
    ("action", "allowed", "at"),
    [("first", (None, NEW), at) for at in range(1, writes_of("first") + 1)]
    + [("replace", (OLD, NEW), at) for at in range(1, writes_of("replace") + 1)]
    + [("remove", (OLD, None), at) for at in range(1, writes_of("remove") + 1)],
)
def test_a_crash_at_any_write_mixes_nothing(action: str, allowed: tuple[bytes | None, ...], at: int) -> None:
    backend = before(action)
    backend.fail_at = at
    with pytest.raises(SystemError):
        act(action, backend)
    backend.fail_at = None
    assert values(backend).read(NAME) in allowed
    for value in (NEW, NEWER):
        values(backend).write(NAME, value, 1_800_000_060)
        assert values(backend).read(NAME) == value
    # Nothing of what the crash left can be listed, so nothing of it may stay.
    assert len(backend.items) == len(stored(NEWER).items)
    values(backend).remove(NAME)
    assert backend.items == {}


def part_keys(backend: WindowsLikeBackend) -> list[tuple[str, str]]:
    return sorted(key for key in backend.items if key[0] != NAME)


@pytest.mark.parametrize("damage", ["missing", "changed", "exchanged", "older", "cut", "not base64"])
def test_a_damaged_value_is_none_and_cleared_away(damage: str) -> None:
    """CACHE-08."""
    backend = stored(OLD)
    first, second, *_ = part_keys(backend)
    assert backend.items[first] != backend.items[second]
    if damage == "missing":
        del backend.items[second]
    elif damage == "changed":
        backend.items[first] = "A" * len(backend.items[first])
    elif damage == "exchanged":
        backend.items[first], backend.items[second] = backend.items[second], backend.items[first]
    elif damage == "older":
        backend.items[first] = next(iter(stored(NEW).items.values()))
    elif damage == "cut":
        backend.items[first] = backend.items[first][:-1]
    else:
        backend.items[first] = "!" + backend.items[first][1:]
    assert values(backend).read(NAME) is None
    assert backend.items == {}


@pytest.mark.parametrize(
    "manifest",
    [
        "",
        "x",
        "{}",
        f"1 0 {DIGEST} 1800000060 ",
        f"3 0 {DIGEST} 1800000060  0 -",
        f"2 -1 {DIGEST} 1800000060  0 -",
        f"2 99999999 {DIGEST} 1800000060  0 -",
        f"2 0 {DIGEST} soon  0 -",
        "2 0 aa 1800000060  0 -",
        f"2 0 {DIGEST} 1800000060  0 aa",
        f"2 0 {DIGEST} 1800000060  99999999 {DIGEST}",
    ],
)
def test_a_foreign_manifest_is_none_and_cleared_away(manifest: str) -> None:
    """CACHE-12."""
    backend = WindowsLikeBackend()
    backend.items[NAME, ""] = manifest
    assert values(backend).read(NAME) is None
    assert backend.items == {}


def test_a_value_ends_with_its_time() -> None:
    backend, clock = stored(OLD), StillClock()
    clock.sleep(60)
    assert values(backend, clock).read(NAME) is None
    assert backend.items == {}


def test_a_reader_that_a_writer_overtakes_gets_the_new_value() -> None:
    backend = stored(OLD)

    class Overtaken(Items):
        def get(self, name: str) -> str | None:
            if name != NAME and backend.writes == 0:  # the manifest was read, its parts come next
                values(backend).write(NAME, NEW, 1_800_000_060)
            return super().get(name)

    assert ItemValues(Overtaken(backend), item_characters=1200, now=StillClock().now).read(NAME) == NEW
    assert values(backend).read(NAME) == NEW


def test_a_reader_leaves_what_is_being_written_alone() -> None:
    backend = WindowsLikeBackend()
    backend.fail_at = 3
    with pytest.raises(SystemError):
        values(backend).write(NAME, NEW, 1_800_000_060)
    before = dict(backend.items)
    assert values(backend).read(NAME) is None
    assert backend.items == before


def test_an_item_too_many_is_no_part_of_a_value() -> None:
    """CACHE-08: the manifest says how many there are."""
    backend = stored(OLD)
    last, *_ = reversed(part_keys(backend))
    backend.items[last[0][:-1] + "9", ""] = "A" * 100
    assert values(backend).read(NAME) == OLD


@pytest.mark.parametrize("at", [1, 2])
def test_a_crash_between_removing_and_adding_an_item_leaves_none_and_nothing_behind(at: int) -> None:
    """CACHE-10: macOS replaces an item in these two steps; on macOS every value is one item."""
    backend = KeychainLikeBackend()
    keeper = ItemValues(Items(backend), item_characters=60_000, now=StillClock().now)
    small_old, small_new = b"o" * 500, b"n" * 600
    keeper.write(NAME, small_old, 1_800_000_060)
    backend.writes, backend.fail_at = 0, at
    with pytest.raises(SystemError):
        keeper.write(NAME, small_new, 1_800_000_060)
    backend.fail_at = None
    assert keeper.read(NAME) == (small_old if at == 1 else None)
    keeper.write(NAME, small_new, 1_800_000_060)
    assert (keeper.read(NAME), len(backend.items)) == (small_new, 1)
