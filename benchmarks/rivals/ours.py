"""Our cached road alone: `credential` as kubectl calls it, from each store, by the file and by the entry point."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import stores
from benchmarks.place import ENTRY_POINT, FILE, PYTHON
from benchmarks.rounds import Subject
from benchmarks.session import exec_info

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.place import Place

BY_FILE, BY_ENTRY_POINT = "python -I -S file", "kubectl-stepup"
WAYS = {BY_FILE: (PYTHON, "-I", "-S", FILE), BY_ENTRY_POINT: (ENTRY_POINT,)}


def name_of(way: str, store: str) -> str:
    """Name the subject of a way to start and a store."""
    return f"{way}, {store}"


def subjects(place: Place, held: Sequence[stores.Held]) -> list[Subject]:
    """Give every way to start with every store."""
    return [
        Subject(
            name=name_of(way, one.name),
            label=f"{way} credential, {one.name}",
            argv=(*words, *stores.credential(place, one)),
            environ={**place.environ, **one.environ, **exec_info(place)},
        )
        for one in held
        for way, words in WAYS.items()
    ]
