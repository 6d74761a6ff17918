"""What `logout` says: what ended, and that an ID token lives on where a copy of it exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup.ui.notices import ended_line, nothing_to_end_line, still_valid_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

_REVOKED = {True: "; access token revoked", False: "; the provider did not revoke the access token", None: ""}


def logout_text(
    ended: Sequence[tuple[str, str, float]],
    *,
    revoked: Sequence[bool | None],
    now: float,
    where: str | None,
    timezone: tzinfo | None = None,
) -> str:
    """Write what `logout` did; `ended` holds (level, cluster, end of the ID token in seconds since the epoch)."""
    if not ended:
        return nothing_to_end_line(where)
    lines = [
        ended_line(level=level, cluster=cluster) + _REVOKED[answer]
        for (level, cluster, _), answer in zip(ended, revoked, strict=True)
    ]
    latest = max(expires_at for _, _, expires_at in ended)
    if latest > now:
        lines.append(still_valid_line(expires_at=latest, now=now, timezone=timezone))
    return "\n".join(lines)
