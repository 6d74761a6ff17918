"""Values of any size in items of limited size, whole or not at all.

The item of a value's name holds a manifest: `1 <parts> <SHA-256> <end> [<value>]`. A value that fits stands in the
manifest itself; of a larger one the parts (base64) stand in items named by the digest. Parts are written before the
manifest, and the parts of the value before are removed after it: whoever reads meanwhile, or after a crash, finds the
old value, the new one or none.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Items(Protocol):
        """Named texts somewhere."""

        def get(self, name: str) -> str | None:
            """Give an item, or None."""

        def set(self, name: str, text: str) -> None:
            """Set an item."""

        def delete(self, name: str) -> None:
            """Remove an item, also one that is not there."""


_FORMAT = "1"
_MOST_PARTS = 1000
_MANIFEST_CHARACTERS = 100
"""More than a manifest without a value in it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Manifest:
    """How a value is stored: in how many parts (0: `inline`), its SHA-256, its end in seconds since the epoch."""

    parts: int
    digest: str
    expires_at: int
    inline: str = ""

    @classmethod
    def parse(cls, text: str | None) -> _Manifest | None:
        """Read a manifest; None where there is none, or another format's."""
        try:
            version, parts, digest, expires_at, inline = (text or "").split(" ")
            manifest = cls(parts=int(parts), digest=digest, expires_at=int(expires_at), inline=inline)
        except ValueError:
            return None
        return manifest if version == _FORMAT and 0 <= manifest.parts <= _MOST_PARTS else None

    def __str__(self) -> str:
        return f"{_FORMAT} {self.parts} {self.digest} {self.expires_at} {self.inline}"

    def part_names(self, name: str) -> list[str]:
        """Give the names of the items that hold the parts."""
        return [f"{name}:{self.digest[:16]}:{number}" for number in range(self.parts)]


class ItemValues:
    """Read, write and remove values in `items` that take `item_characters` each. `now`: seconds since the epoch."""

    def __init__(self, items: Items, *, item_characters: int, now: Callable[[], float]) -> None:
        self._items = items
        self._size = item_characters
        self._now = now

    def read(self, name: str) -> bytes | None:
        """Give a value; None when there is none, when its time is over, or when it is damaged (it is then removed)."""
        text = self._items.get(name)
        if text is None:
            return None
        manifest = _Manifest.parse(text)
        value = None
        if manifest is not None and manifest.expires_at > self._now():
            parts = [self._items.get(part) for part in manifest.part_names(name)]
            value = _joined([manifest.inline, *parts], manifest.digest)
        if value is None:
            self.remove(name)
        return value

    def write(self, name: str, value: bytes, expires_at: int) -> None:
        """Keep a value until `expires_at`, in place of the one before."""
        before = _Manifest.parse(self._items.get(name))
        text, inline = base64.b64encode(value).decode("ascii"), ""
        if len(text) <= self._size - _MANIFEST_CHARACTERS:
            text, inline = "", text
        parts = [text[at : at + self._size] for at in range(0, len(text), self._size)]
        digest = hashlib.sha256(value).hexdigest()
        manifest = _Manifest(parts=len(parts), digest=digest, expires_at=expires_at, inline=inline)
        for part_name, part in zip(manifest.part_names(name), parts, strict=True):
            self._items.set(part_name, part)
        self._items.set(name, str(manifest))
        if before is not None and before.digest != digest:
            self._remove_parts(name, before)

    def remove(self, name: str) -> None:
        """Remove a value: the manifest first, since parts without one are never read."""
        manifest = _Manifest.parse(self._items.get(name))
        self._items.delete(name)
        if manifest is not None:
            self._remove_parts(name, manifest)

    def _remove_parts(self, name: str, manifest: _Manifest) -> None:
        for part_name in manifest.part_names(name):
            self._items.delete(part_name)


def _joined(parts: list[str | None], digest: str) -> bytes | None:
    present = [part for part in parts if part is not None]
    if len(present) != len(parts):
        return None
    try:
        value = base64.b64decode("".join(present), validate=True)
    except (binascii.Error, ValueError):
        return None
    return value if hashlib.sha256(value).hexdigest() == digest else None
