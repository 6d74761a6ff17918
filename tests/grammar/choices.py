"""Where the generators' choices come from: a seed, the bytes of a fuzzer, or a property test."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Protocol, TypeVar

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.strategies import DrawFn

Item = TypeVar("Item")


class Choices(Protocol):
    """A source of choices."""

    def below(self, count: int) -> int:
        """Choose a number from 0 to `count` - 1."""


class Seeded:
    """Choices by chance, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def below(self, count: int) -> int:
        return self._random.randrange(count)


class Bytes:
    """Choices that a fuzzer makes byte by byte; when they are used up it is the first choice that counts."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def below(self, count: int) -> int:
        size = 1 if count <= 256 else 4
        self._at += size
        return int.from_bytes(self._data[self._at - size : self._at], "big") % count

    @property
    def exhausted(self) -> bool:
        return self._at >= len(self._data)


class Drawn:
    """Choices that Hypothesis makes, and makes simpler where a test fails."""

    def __init__(self, draw: DrawFn) -> None:
        self._draw = draw

    def below(self, count: int) -> int:
        return self._draw(st.integers(0, count - 1))


def pick(choices: Choices, items: Sequence[Item]) -> Item:
    """Choose one of several."""
    return items[choices.below(len(items))]


def chance(choices: Choices, one_in: int) -> bool:
    """Say yes once in so many times; the first choice is no."""
    return choices.below(one_in) == one_in - 1
