"""One run of one target: inputs until the time is up, and what was seen."""

from __future__ import annotations

import hashlib
import traceback
from dataclasses import asdict, dataclass, field
from importlib import import_module
from statistics import median
from typing import TYPE_CHECKING, Any

from tests.fuzz import TARGETS
from tests.fuzz.watch import Watch
from tests.grammar.choices import Bytes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEPT = 50
"""So many different failures are kept; more are the same few mistakes."""


@dataclass(slots=True, kw_only=True)
class Result:
    """What a run found. `failures` has one text for each different exception."""

    target: str
    engine: str
    seed: int
    seconds: float = 0.0
    inputs: int = 0
    outcomes: int = 0
    coverage: int | None = None
    decisions: int = 0
    median_ms: float = 0.0
    slowest_ms: float = 0.0
    slowest_long_ms: float = 0.0
    slow: int = 0
    failures: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Run:
    """Gives inputs to a target and remembers what came of them."""

    def __init__(self, name: str, keep_in: Path | None = None, *, instrumented: bool = False) -> None:
        self._one: Callable[[Bytes, Watch], str] = import_module(TARGETS[name]).one
        self._keep_in = keep_in
        self._outcomes: set[str] = set()
        self._watch = Watch(instrumented=instrumented)
        self.inputs = 0
        self.failures: dict[str, str] = {}

    def one(self, data: bytes) -> None:
        """Try one input; a failure is kept, and the run goes on."""
        self.inputs += 1
        slow = self._watch.slow
        try:
            self._outcomes.add(self._one(Bytes(data), self._watch))
        except Exception as exc:  # noqa: BLE001 - whatever it is, that is what is looked for
            self._keep(_place(exc), "".join(traceback.format_exception(exc)[-6:]), data)
        if self._watch.slow > slow:
            self._keep("slow", "a decision was too slow", data)

    def finish(self, result: Result) -> Result:
        """Write what was seen into the result."""
        ms = self._watch.ms
        result.inputs, result.outcomes = self.inputs, len(self._outcomes)
        result.decisions, result.slow, result.failures = len(ms), self._watch.slow, self.failures
        result.median_ms, result.slowest_ms = (median(ms), max(ms)) if ms else (0.0, 0.0)
        result.slowest_long_ms = self._watch.long_ms
        return result

    def _keep(self, place: str, text: str, data: bytes) -> None:
        if place in self.failures or len(self.failures) >= KEPT:
            return
        self.failures[place] = text
        if self._keep_in is not None:
            name = f"failure-{hashlib.sha256(place.encode()).hexdigest()[:12]}"
            (self._keep_in / name).write_bytes(data)
            (self._keep_in / f"{name}.txt").write_text(f"{place}\n{text}", encoding="utf-8", errors="backslashreplace")


def _place(exc: Exception) -> str:
    """Return what tells failures apart: the exception's type and the line that raised it."""
    frames = traceback.extract_tb(exc.__traceback__)
    return f"{type(exc).__name__} in {frames[-1].filename}:{frames[-1].lineno}"
