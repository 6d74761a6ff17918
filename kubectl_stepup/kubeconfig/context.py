"""A kubeconfig context with everything that it points at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from kubectl_stepup.kubeconfig.cluster_pin import ClusterPin

NOTHING: Mapping[str, Any] = MappingProxyType({})

IMPERSONATING = ("as", "as-uid", "as-groups", "as-user-extra")
"""The fields of a user that act as somebody else (kubeconfig v1 `AuthInfo`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedContext:
    """One context, its cluster and its user, from whichever files they stand in.

    The `_raw` mappings are the entries as written (kubeconfig v1 `Context`, `Cluster`, `AuthInfo`), for what is not
    read here; a user may hold secrets, so it is left out of `repr`.
    """

    context: str
    cluster: str
    user: str
    namespace: str | None
    pin: ClusterPin
    file: str
    cluster_file: str
    user_file: str | None
    context_raw: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    cluster_raw: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    user_raw: Mapping[str, Any] = field(default_factory=lambda: NOTHING)

    def __repr__(self) -> str:
        return (
            f"ResolvedContext({self.context!r}, cluster={self.cluster!r}, server={self.server!r}, file={self.file!r})"
        )

    @property
    def server(self) -> str:
        """The URL of the API server."""
        return self.pin.server

    @property
    def impersonates(self) -> tuple[str, ...]:
        """Those of `IMPERSONATING` that the user has."""
        return tuple(name for name in IMPERSONATING if self.user_raw.get(name))
