"""The base of the package's values."""

from __future__ import annotations

import time
from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_stepup.globs import matches
from kubectl_stepup.values import Record


class Point(Record):
    """A test value."""

    x: int
    y: int = 0


def test_records_are_values() -> None:
    point = Point(x=1)
    assert (point.x, point.y, point == Point(x=1, y=0), point == Point(x=2), point == 1) == (1, 0, True, False, False)
    assert hash(point) == hash(Point(x=1))
    assert repr(point) == "Point(x=1, y=0)"
    assert point.replace(y=3) == Point(x=1, y=3)
    assert not hasattr(point, "__dict__")


def test_records_do_not_change() -> None:
    point = Point(x=1)
    with pytest.raises(AttributeError, match=r"^Point.x cannot be changed$"):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError, match=r"^Point.x cannot be removed$"):
        del point.x
    with pytest.raises(TypeError, match=r"^Point needs x$"):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"^Point has no z$"):
        Point(x=1, z=2)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"^Point has no z$"):
        point.replace(z=2)


@settings(derandomize=True, max_examples=300, deadline=None, database=None)
@given(name=st.text("ab-", max_size=8), pattern=st.text("ab-*?[]!", max_size=6))
def test_globs_are_those_of_fnmatch(name: str, pattern: str) -> None:
    assert matches(name, pattern) == fnmatchcase(name, pattern)


def test_of_values_gives_the_same_record_and_takes_no_others() -> None:
    assert Point.of_values((1, 2)) == Point(x=1, y=2)
    for wrong in ((), (1,), (1, 2, 3)):
        with pytest.raises(ValueError, match="zip"):
            Point.of_values(wrong)


def test_a_long_name_is_matched_at_once() -> None:
    """POL-34: a glob of many stars, and a name as long as a word of a command line can be."""
    started = time.process_time()
    assert not matches("a" * 130_000, "*a" * 1000 + "*b")
    assert matches("a" * 130_000, "*a" * 1000 + "*")
    assert not matches("a" * 130_000, "*" + "a" * 1000 + "b")
    assert time.process_time() - started < 0.1
