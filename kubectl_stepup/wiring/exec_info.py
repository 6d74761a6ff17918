"""Foretell what kubectl will say of a cluster, so that the cached road compares instead of parsing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup.digest import sha256_hex
from kubectl_stepup.kube.exec_info import exec_infos

if TYPE_CHECKING:
    from kubectl_stepup.kube.context import ResolvedContext


def digests(resolved: ResolvedContext) -> tuple[str, ...]:
    """Give the SHA-256 digests of the KUBERNETES_EXEC_INFO values expected; none where the CA cannot be read."""
    try:
        return tuple(sha256_hex(value) for value in exec_infos(resolved))
    except (OSError, ValueError):
        # Without a forecast the cached road parses: slower, and just as strict.
        return ()
