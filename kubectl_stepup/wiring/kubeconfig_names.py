"""Kubeconfigs read before: a large one takes a tenth of a second to parse, and people with many clusters have one.

Known by the digest of its bytes, and kept without the users' credentials: what a command needs to know of a user is
its name and whether it impersonates.
"""

from __future__ import annotations

import marshal
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from kubectl_stepup.kube.context import IMPERSONATING
from kubectl_stepup.policy import own_file

if TYPE_CHECKING:
    from kubectl_stepup.kube.kubeconfig import Parse

NAME = "kubeconfig.compiled"
WORTH_BYTES = 8 << 10
"""A smaller file is parsed as quickly as found."""

MOST = 8


class NamesParse:
    """A `Parse` that keeps in `directory` what `parse` made of the last few large files."""

    def __init__(self, directory: str, parse: Parse) -> None:
        self._directory = directory
        self._parse = parse

    def __call__(self, data: bytes, file: str) -> object:
        """Give the document of a file, as plain values."""
        if len(data) < WORTH_BYTES:
            return self._parse(data, file)
        digest = sha256(data).hexdigest()
        kept = own_file.read(self._directory, NAME)
        if not isinstance(kept, dict):
            kept = {}
        try:
            return marshal.loads(kept[digest])  # noqa: S302 - of our own 0600 file
        except (KeyError, ValueError, EOFError, TypeError):
            document = self._parse(data, file)
        names = without_credentials(document)
        if names is not None:
            kept = {**dict(list(kept.items())[1 - MOST :]), digest: marshal.dumps(names)}
            own_file.write(self._directory, NAME, kept)
        return document


def without_credentials(document: object) -> dict[str, Any] | None:
    """Give a kubeconfig without what its users log in with; None where it is odd, or a proxy has a password."""
    if not isinstance(document, dict) or any("@" in str(proxy) for proxy in _fields(document, "clusters", "proxy-url")):
        return None
    users = document.get("users")
    if users is None:
        return document
    if not isinstance(users, list) or not all(_is_plain(item) for item in users):
        return None
    return {**document, "users": [{"name": item["name"], "user": _impersonation(item)} for item in users]}


def _is_plain(item: object) -> bool:
    return isinstance(item, dict) and isinstance(item.get("name"), str) and isinstance(item.get("user"), dict | None)


def _impersonation(item: dict[str, Any]) -> dict[str, bool]:
    user = item.get("user") or {}
    return {name: True for name in IMPERSONATING if user.get(name)}


def _fields(document: dict[str, Any], kind: str, field: str) -> list[Any]:
    items = document.get(kind)
    values = [item.get(kind[:-1]) for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return [value[field] for value in values if isinstance(value, dict) and value.get(field)]
