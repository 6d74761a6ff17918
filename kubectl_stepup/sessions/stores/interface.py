"""What every place that keeps sessions promises."""

from __future__ import annotations

from typing import Protocol


class SessionStore(Protocol):
    """Keep small values under keys, each until a time of its own.

    * Keys come from `scope.key`; values are bytes of any content, at most 32,767 of them (the kernel's limit; a
      record is one to five thousand).
    * `get` after `put` gives the same bytes, in this process and, where the store outlives a process, in every other
      one that the scope admits. It never gives part of a value or a mix of two: a damaged value is None, and is
      removed.
    * A value is gone when its time is over. Readers check a session's own times all the same.
    * `put` replaces: the old value, the new one, or none is read meanwhile; after a crash too.
    * Every method raises StoreUnavailable, and nothing else, when the store cannot do it; the caller goes on without
      it.
    """

    @property
    def name(self) -> str:
        """What people call it ("kernel", "keyring", "file", "memory")."""

    def get(self, key: str) -> bytes | None:
        """Return the value, or None when there is none."""

    def put(self, key: str, value: bytes, expires_at: float) -> None:
        """Keep `value` until `expires_at` (seconds since the epoch, UTC); a time that is over only removes."""

    def delete(self, key: str) -> bool:
        """Remove the value; return whether there was one."""

    def keys(self) -> list[str]:
        """Return the keys of all values kept, sorted."""
