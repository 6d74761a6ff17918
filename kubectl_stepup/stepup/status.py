"""`status` as rows and as objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup.audit.event import rfc3339
from kubectl_stepup.ui.tables import StatusRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kubectl_stepup.config.model import Cluster
    from kubectl_stepup.policy.model import Policy
    from kubectl_stepup.stepup.sessions import LiveSession


def as_rows(
    clusters: Iterable[Cluster], found: Sequence[LiveSession], *, store: str, now: float
) -> tuple[StatusRow, ...]:
    """Return the table's rows: one a live session, and one for each cluster that has none."""
    rows = []
    for cluster in clusters:
        live = [item for item in found if item.cluster.name == cluster.name]
        rows += [
            StatusRow(
                name=cluster.name,
                level=item.level.name,
                user=cluster.account,
                methods=item.session.amr,
                store=store,
                expires_in_s=item.session.credential_expires_at - now,
                age_s=now - item.session.approved_at,
            )
            for item in live
        ]
        if not live:
            rows.append(StatusRow(name=cluster.name, level=None, user=cluster.account))
    return tuple(rows)


def as_objects(found: Sequence[LiveSession], *, store: str) -> list[dict[str, object]]:
    """Return what `-o json` promises of each live session; nothing of the token."""
    return [
        {
            "id": item.session.id,
            "cluster": item.cluster.name,
            "context": item.cluster.context,
            "level": item.level.name,
            "account": item.session.account,
            "issuer": item.session.issuer,
            "acr": item.session.acr,
            "amr": list(item.session.amr),
            "approvedFor": item.session.command,
            "approvedAt": rfc3339(item.session.approved_at),
            "reuseUntil": rfc3339(item.session.credential_expires_at),
            "tokenExpiresAt": rfc3339(item.session.token_expires_at),
            "store": store,
        }
        for item in found
    ]


def meets(found: Iterable[LiveSession], policy: Policy, level: str | None) -> bool:
    """Whether a live session reaches `level` (None: any).

    Raises:
        PolicyError: there is no such level anywhere.
    """
    if level is not None:
        policy.replace(levels=policy.all_levels).level(level)
    return any(_reaches(item, policy, level) for item in found)


def _reaches(item: LiveSession, policy: Policy, level: str | None) -> bool:
    there = policy.usable_levels(item.cluster.name)
    if level is None or item.level.name == level:
        return True
    if all(one.name != level for one in there):  # another cluster's level
        return False
    return policy.for_cluster(item.cluster.name).meets(item.level.name, level)
