"""Our fast path alone: `credential` as kubectl calls it, from each store, natively and in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import stores
from benchmarks.place import FILE, LAUNCHER, PYTHON, PYTHON_PROGRAM
from benchmarks.rounds import Subject
from benchmarks.session import exec_info

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.place import Place

BY_LAUNCHER, BY_FILE, BY_CONSOLE_SCRIPT = "launcher", "python -I -S file", "console script"
"""The programs of our exec entries, with and without the launcher, and the one that pip writes."""


def name_of(way: str, store: str) -> str:
    """Return the subject's name for a way to start and a store."""
    return f"{way}, {store}"


def ways() -> dict[str, tuple[str, ...]]:
    """Return the words that each way starts with, the quickest first."""
    native = {} if LAUNCHER is None else {BY_LAUNCHER: (LAUNCHER,)}
    return {**native, BY_FILE: (PYTHON, "-I", "-S", FILE), BY_CONSOLE_SCRIPT: (PYTHON_PROGRAM,)}


def subjects(place: Place, held: Sequence[stores.Held]) -> list[Subject]:
    """Return every way to start with every store."""
    return [
        Subject(
            name=name_of(way, one.name),
            label=f"{way} credential, {one.name}",
            argv=(*words, *stores.credential(place, one)),
            environ={**place.environ, **one.environ, **exec_info(place)},
        )
        for one in held
        for way, words in ways().items()
    ]
