"""Severities of findings, lowest first; `rank` compares them."""

from __future__ import annotations

LOW, MEDIUM, HIGH, CRITICAL = "low", "medium", "high", "critical"
SEVERITIES = (LOW, MEDIUM, HIGH, CRITICAL)


def rank(severity: str) -> int:
    """Return a severity's rank, 0 for the lowest."""
    return SEVERITIES.index(severity)


def lowered(severity: str, steps: int = 1) -> str:
    """Return the severity that many steps lower, at least `low`."""
    return SEVERITIES[max(rank(severity) - steps, 0)]
