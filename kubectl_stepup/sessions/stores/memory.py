"""A store that ends with its process: for `store: memory`, where nothing else works, and for tests."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class MemoryStore:
    """A SessionStore in a dictionary. `now` gives seconds since the epoch."""

    name = "memory"

    def __init__(self, *, now: Callable[[], float]) -> None:
        self._now = now
        self._values: dict[str, tuple[bytes, float]] = {}

    def __repr__(self) -> str:
        return f"MemoryStore({len(self._values)} values)"

    def get(self, key: str) -> bytes | None:
        """Return the value, or None when there is none."""
        self._forget_expired()
        value, _ = self._values.get(key, (None, 0.0))
        return value

    def put(self, key: str, value: bytes, expires_at: float) -> None:
        """Keep `value` until `expires_at`."""
        self._values[key] = (value, expires_at)
        self._forget_expired()

    def delete(self, key: str) -> bool:
        """Remove the value; return whether there was one."""
        self._forget_expired()
        return self._values.pop(key, None) is not None

    def keys(self) -> list[str]:
        """Return the keys of all values kept, sorted."""
        self._forget_expired()
        return sorted(self._values)

    def _forget_expired(self) -> None:
        now = self._now()
        self._values = {key: kept for key, kept in self._values.items() if kept[1] > now}
