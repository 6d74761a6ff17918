"""Horizontal bars as SVG, readable on a light and on a dark page."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, ROW, TOP = 860, 26, 44
LABELS, BARS = 390, 400
"""The widths of the labels' column and of the longest bar."""

STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.title { font-weight: 600; }
.ours { fill: #2f81f7; } .rival { fill: #9a6700; } .baseline { fill: #8c959f; }
.line { stroke: #8c959f; stroke-dasharray: 3 3; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .rival { fill: #d29922; } }"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar; `kind` is ours, rival or baseline."""

    label: str
    value: float
    kind: str


def bars(title: str, rows: Sequence[Bar]) -> str:
    """Draw the bars on one scale, each with its value, and a line where the value is 1."""
    scale = BARS / max(row.value for row in rows)
    height = TOP + ROW * len(rows) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        f'role="img" aria-label="{escape(title)}">',
        f"<style>{STYLE}</style>",
        f'<text class="title" x="8" y="24">{escape(title)}</text>',
    ]
    for number, row in enumerate(rows):
        top = TOP + ROW * number
        length = row.value * scale
        parts += [
            f'<text x="{LABELS - 8}" y="{top + 14}" text-anchor="end">{escape(row.label)}</text>',
            f'<rect class="{row.kind}" x="{LABELS}" y="{top}" width="{length:.1f}" height="{ROW - 8}" rx="2"/>',
            f'<text x="{LABELS + length + 6:.1f}" y="{top + 14}">{row.value:.2f}</text>',
        ]
    one = LABELS + scale
    parts.append(f'<line class="line" x1="{one:.1f}" y1="{TOP - 6}" x2="{one:.1f}" y2="{height - 8}"/>')
    return "\n".join([*parts, "</svg>", ""])
