"""Several callers at once: what one of them costs, for us and for kubelogin."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.comparisons import FLAT
from benchmarks.growth.curve import Curve
from benchmarks.rivals import kubelogin, ours
from benchmarks.stores import KERNEL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.place import Place
    from benchmarks.rivals.kubelogin import Kubelogin
    from benchmarks.rounds import Subject
    from benchmarks.stores import Held

AT_ONCE = (1, 5, 20)


def curves(
    place: Place, held: Sequence[Held], rival: Kubelogin | None, at_once: Sequence[int] = AT_ONCE
) -> Iterator[Curve]:
    """Return the curve of our quickest way to the first store, and of kubelogin's to its disk, without a bound."""
    subjects = ours.subjects(place, [one for one in held if one.name == KERNEL] or held[:1])[:1]
    if rival is not None:
        subjects.extend(one for one in kubelogin.subjects(place, rival) if one.name == kubelogin.DISK)
    for number, subject in enumerate(subjects):
        bound = None if number else FLAT
        yield Curve(name=subject.label, unit="callers at once", points=_points(subject, at_once), bound=bound)


def _points(subject: Subject, at_once: Sequence[int]) -> dict[int, Subject]:
    return {size: replace(subject, name=f"{subject.name}, {size} at once", copies=size) for size in at_once}
