"""Values of any size in items of limited size, whole or not at all (fast path).

The item of a value's name holds a manifest: `2 <parts> <SHA-256> <end> [<value>] [<spare parts> <spare SHA-256>]`. A
value that fits stands in the manifest itself; of a larger one the parts (base64) stand in items named by the digest.
Parts are written before the manifest that names them, and the parts of the value before are removed after it: whoever
reads meanwhile, or after a crash, finds the old value, the new one or none. While parts of another value may be there,
the manifest names them as spare, so that the next write or removal finds what a crash left: items cannot be listed.
"""

from __future__ import annotations

import binascii

from kubectl_stepup.digest import sha256_hex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Protocol

    class Items(Protocol):
        """Named texts somewhere."""

        def get(self, name: str) -> str | None:
            """Return an item, or None."""

        def set(self, name: str, text: str) -> None:
            """Set an item."""

        def delete(self, name: str) -> None:
            """Remove an item, also one that is not there."""


USERNAME = "kubectl-stepup"
"""The user name of every item; its service is the value's name."""

_FORMAT = "2"
_MOST_PARTS = 1000
_MANIFEST_CHARACTERS = 180
"""More than a manifest without a value in it takes."""
_SHA256_CHARACTERS = 64
_NO_DIGEST = "-"


class _Parts:
    """How many items hold the parts of which value (its SHA-256)."""

    __slots__ = ("count", "digest")

    def __init__(self, *, count: int = 0, digest: str = _NO_DIGEST) -> None:
        self.count = count
        self.digest = digest

    @classmethod
    def parse(cls, count: str, digest: str) -> _Parts:
        parts = cls(count=int(count), digest=digest)
        if not 0 <= parts.count <= _MOST_PARTS or (digest != _NO_DIGEST and len(digest) != _SHA256_CHARACTERS):
            raise ValueError("not a manifest of ours")
        return parts

    def names(self, name: str) -> list[str]:
        """Return the names of the items."""
        return [f"{name}:{self.digest[:16]}:{number}" for number in range(self.count)]


_NONE = _Parts()


class _Manifest:
    """How a value is stored: its parts (none: `inline`), its end in seconds since the epoch (0: there is none yet)."""

    __slots__ = ("expires_at", "inline", "parts", "spare")

    def __init__(self, *, parts: _Parts = _NONE, expires_at: int = 0, inline: str = "", spare: _Parts = _NONE) -> None:
        self.parts = parts
        self.expires_at = expires_at
        self.inline = inline
        self.spare = spare

    @classmethod
    def parse(cls, text: str | None) -> _Manifest | None:
        """Read a manifest; None where there is none, or another format's."""
        try:
            version, count, digest, expires_at, inline, spare_count, spare_digest = (text or "").split(" ")
            manifest = cls(
                parts=_Parts.parse(count, digest),
                expires_at=int(expires_at),
                inline=inline,
                spare=_Parts.parse(spare_count, spare_digest),
            )
        except ValueError:
            return None
        return manifest if version == _FORMAT else None

    def __str__(self) -> str:
        parts, spare = self.parts, self.spare
        return f"{_FORMAT} {parts.count} {parts.digest} {self.expires_at} {self.inline} {spare.count} {spare.digest}"


class ItemValues:
    """Read, write and remove values in `items` that take `item_characters` each. `now`: seconds since the epoch."""

    def __init__(self, items: Items, *, item_characters: int, now: Callable[[], float]) -> None:
        self._items = items
        self._size = item_characters
        self._now = now

    def read(self, name: str) -> bytes | None:
        """Return a value; None when there is none, its time is over, or it is damaged (it is then removed)."""
        text = self._items.get(name)
        while text is not None:
            manifest = _Manifest.parse(text)
            if manifest is not None and manifest.expires_at == 0:  # the first one is being written, or was not finished
                return None
            value = None
            if manifest is not None and manifest.expires_at > self._now():
                parts = [self._items.get(part) for part in manifest.parts.names(name)]
                value = _joined([manifest.inline, *parts], manifest.parts.digest)
            if value is not None:
                return value
            before, text = text, self._items.get(name)
            if text == before:  # else it was replaced while its parts were read
                self.remove(name)
                return None
        return None

    def write(self, name: str, value: bytes, expires_at: int) -> None:
        """Keep a value until `expires_at`, in place of the one before."""
        before = _Manifest.parse(self._items.get(name)) or _Manifest()
        text, inline = binascii.b2a_base64(value, newline=False).decode("ascii"), ""
        if len(text) <= self._size - _MANIFEST_CHARACTERS:
            text, inline = "", text
        pieces = [text[at : at + self._size] for at in range(0, len(text), self._size)]
        parts = _Parts(count=len(pieces), digest=sha256_hex(value))
        keep = {*before.parts.names(name), *parts.names(name)}
        self._remove_items(one for one in before.spare.names(name) if one not in keep)
        if pieces and before.parts.digest != parts.digest:
            before.spare = parts
            self._items.set(name, str(before))
        for part_name, piece in zip(parts.names(name), pieces, strict=True):
            self._items.set(part_name, piece)
        spare = before.parts if before.parts.count and before.parts.digest != parts.digest else _NONE
        self._items.set(name, str(_Manifest(parts=parts, expires_at=expires_at, inline=inline, spare=spare)))
        self._remove_items(spare.names(name))

    def remove(self, name: str) -> None:
        """Remove a value: the manifest last, since it alone knows the parts; without one of them it gives nothing."""
        text = self._items.get(name)
        if text is None:
            return
        manifest = _Manifest.parse(text) or _Manifest()
        self._remove_items([*manifest.parts.names(name), *manifest.spare.names(name)])
        self._items.delete(name)

    def _remove_items(self, names: Iterable[str]) -> None:
        for name in names:
            self._items.delete(name)


def _joined(parts: list[str | None], digest: str) -> bytes | None:
    present = [part for part in parts if part is not None]
    if len(present) != len(parts):
        return None
    try:
        value = binascii.a2b_base64("".join(present), strict_mode=True)
    except (binascii.Error, ValueError):
        return None
    return value if sha256_hex(value) == digest else None
