"""The result of a run as one JSON document, from which the tables, the page and the chart are made."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from benchmarks.comparisons import Comparison, comparisons
from tests.system.parts.go_tools import pinned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.growth.curve import Curve
    from benchmarks.place import Place
    from benchmarks.rounds import Cost, Measurement, Subject

Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Subjects and their costs, and the number of rounds."""

    subjects: Sequence[Subject]
    found: Measurement
    rounds: int


def document(place: Place, alone: Measured, growth: Measured, curves: Sequence[Curve], *, load: float) -> Document:
    """Return everything measured; `load` is the machine's load average before the run."""
    return {
        **machine(place),
        "load_before": round(load, 2),
        "load_after": round(os.getloadavg()[0], 2),
        "rounds": alone.rounds,
        "growth_rounds": growth.rounds,
        "subjects": {one.name: _subject(one, alone.found) for one in alone.subjects},
        "ratios": [_ratio(one, alone.found) for one in comparisons({subject.name for subject in alone.subjects})],
        "growth": [_curve(one, growth.found) for one in curves],
        "left_out": place.left_out,
    }


def machine(place: Place) -> Document:
    """Return the machine and the programs of the measurement."""
    words = [place.kubectl, "version", "--client"]
    kubectl = subprocess.run(words, env=place.environ, capture_output=True, text=True, check=True).stdout
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "kubectl": kubectl.split()[2],
        "kubelogin": f"v{pinned('kubelogin')}",
    }


def missed(result: Document) -> list[str]:
    """Return every bound that was missed."""
    ratios = [f"{one['name']} / {one['against']}" for one in result["ratios"] if one["met"] is False]
    return [*ratios, *(f"{one['name']}, {one['unit']}" for one in result["growth"] if one["met"] is False)]


def _subject(subject: Subject, found: Measurement) -> Document:
    costs = found.costs[subject.name]
    return {
        "label": subject.label,
        **_cost(found.median(subject.name)),
        "rounds": [[round(cost.wall_ms, 2), round(cost.cpu_ms, 2)] for cost in costs],
    }


def _ratio(one: Comparison, found: Measurement) -> Document:
    return {"name": one.name, "against": one.against, **_ratio_and_bound(found, one.name, one.against, one.bound)}


def _curve(curve: Curve, found: Measurement) -> Document:
    return {
        "name": curve.name,
        "unit": curve.unit,
        "points": {str(size): _cost(found.median(subject.name)) for size, subject in curve.points.items()},
        "stopped": curve.stopped,
        **_ratio_and_bound(found, curve.largest.name, curve.smallest.name, curve.bound),
    }


def _ratio_and_bound(found: Measurement, name: str, against: str, bound: float | None) -> Document:
    ratio = found.ratio(name, against)
    wall = round(ratio.wall, 3)
    return {"wall": wall, "cpu": round(ratio.cpu, 3), "bound": bound, "met": None if bound is None else wall <= bound}


def _cost(cost: Cost) -> Document:
    return {"wall_ms": round(cost.wall_ms, 2), "cpu_ms": round(cost.cpu_ms, 2)}
