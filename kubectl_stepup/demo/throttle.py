"""Count wrong answers, so that nobody can guess for long."""

from __future__ import annotations

import threading


class Throttle:
    """Allow `limit` misses for a key in `per_s` seconds. Spec: RFC 8628 section 5.1."""

    def __init__(self, *, limit: int, per_s: float) -> None:
        self._limit = limit
        self._per_s = per_s
        self._misses: dict[str, list[float]] = {}
        self._lock = threading.Lock()

    def open(self, key: str, now: float) -> bool:
        """Whether another try is allowed."""
        with self._lock:
            return len(self._recent(key, now)) < self._limit

    def miss(self, key: str, now: float) -> None:
        """Note a wrong answer."""
        with self._lock:
            self._misses[key] = [*self._recent(key, now), now]

    def _recent(self, key: str, now: float) -> list[float]:
        recent = [at for at in self._misses.get(key, ()) if now - at < self._per_s]
        if recent:
            self._misses[key] = recent
        else:
            self._misses.pop(key, None)
        return recent
