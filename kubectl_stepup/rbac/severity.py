"""How bad a finding is: weakest first, compared by `rank`."""

from __future__ import annotations

LOW, MEDIUM, HIGH, CRITICAL = "low", "medium", "high", "critical"
SEVERITIES = (LOW, MEDIUM, HIGH, CRITICAL)


def rank(severity: str) -> int:
    """Return a severity's place, 0 for the weakest."""
    return SEVERITIES.index(severity)


def lowered(severity: str, steps: int = 1) -> str:
    """Return the severity so many steps below, at least `low`."""
    return SEVERITIES[max(rank(severity) - steps, 0)]
