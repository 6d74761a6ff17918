"""Kubeconfigs read before: a large one takes a tenth of a second to parse, and people with many clusters have one.

Known by the digest of its bytes, and kept without the users' credentials: what a command needs to know of a user is
its name and whether it impersonates.
"""

from __future__ import annotations

import marshal
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from kubectl_stepup import cache_file
from kubectl_stepup.kubeconfig.context import IMPERSONATING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_stepup.kubeconfig.load import Parse

NAME = "kubeconfig.compiled"
WORTH_BYTES = 8 << 10
"""A smaller file is parsed as quickly as found."""

MOST = 8
FORM = 2
"""Of what is kept; another number where the same bytes are read into other values."""


class NamesParse:
    """A `Parse` that keeps in `directory` what `parse` made of the last few large files."""

    def __init__(self, directory: str, parse: Parse) -> None:
        self._directory = directory
        self._parse = parse

    def __call__(self, data: bytes, file: str) -> Mapping[str, Any]:
        """Return the kubeconfig of a file."""
        if len(data) < WORTH_BYTES:
            return self._parse(data, file)
        digest = f"{FORM}:{sha256(data).hexdigest()}"
        kept = cache_file.read(self._directory, NAME)
        if not isinstance(kept, dict):
            kept = {}
        try:
            found: Mapping[str, Any] = marshal.loads(kept[digest])  # noqa: S302 - of our own 0600 file
            return found
        except (KeyError, ValueError, EOFError, TypeError):
            document = self._parse(data, file)
        names = without_credentials(document)
        if names is not None:
            kept = {**dict(list(kept.items())[1 - MOST :]), digest: marshal.dumps(names)}
            cache_file.write(self._directory, NAME, kept)
        return document


def without_credentials(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a kubeconfig without what its users log in with; None where a proxy has a password."""
    proxies = (entry.get("cluster", {}).get("proxy-url", "") for entry in document.get("clusters", ()))
    if any("@" in proxy for proxy in proxies):
        return None
    users = [{"name": entry.get("name", ""), "user": _impersonation(entry)} for entry in document.get("users", ())]
    return {**document, "users": users}


def _impersonation(entry: Mapping[str, Any]) -> dict[str, bool]:
    user = entry.get("user", {})
    return {name: True for name in IMPERSONATING if user.get(name)}
