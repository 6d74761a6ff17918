"""The screens of `policy compile` and `policy verify`."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from kubectl_stepup.enforce.verify.results import GAP, NOT_CHECKED, STATES
from kubectl_stepup.sanitise import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kubectl_stepup.enforce.verify.results import VerifyResult

WIDTH = 80
_LIMITS = (16, 30)
"""Columns for a rule's name and for what was checked, beside the longest state and point."""


def warning_lines(warnings: Iterable[str]) -> Iterator[str]:
    """Write the warnings about what the server does not enforce."""
    for warning in warnings:
        yield f"warning: {safe(warning, 400)}"


def order_lines(steps: Iterable[str]) -> Iterator[str]:
    """Write the steps in their order."""
    for step in steps:
        yield safe(step, 400)


def verified_screen(findings: Sequence[VerifyResult], *, cluster: str, digest: str, logins: Sequence[str]) -> str:
    """Draw the results in 80 columns, a row each; below a row its problem and, uncut, the fix."""
    rows = [
        (safe(one.state), safe(one.subject, _LIMITS[0]), safe(one.point), safe(one.what, _LIMITS[1]))
        for one in findings
    ]
    titles = ("STATE", "RULE", "POINT", "WHAT")
    widths = [max(len(row[at]) for row in (titles, *rows)) for at in range(3)]
    lines = [_row(titles, widths)]
    for row, one in zip(rows, findings, strict=True):
        lines.append(_row(row, widths))
        if one.state in (GAP, NOT_CHECKED):
            lines += _wrapped(one.detail)
            lines += [f"    fix: {safe(one.fix, 400)}"] if one.fix else []
    return "\n".join([*lines, "", verified_summary(findings, cluster=cluster, digest=digest, logins=logins)])


def verified_summary(findings: Sequence[VerifyResult], *, cluster: str, digest: str, logins: Sequence[str]) -> str:
    """Write the number of results in each state, the cluster and the policy."""
    counted = ", ".join(f"{sum(one.state == state for one in findings)} {state}" for state in STATES)
    seen = safe(", ".join(logins), 40)
    return f"{counted}.\nCluster {safe(cluster, 40)}, policy {digest[:19]}, seen as {seen}.\n-o json for all fields"


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = "   ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=False))
    return f"{padded}   {cells[3]}".rstrip()


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        safe(text, 1000), WIDTH, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False
    )
