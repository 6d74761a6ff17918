"""Colours on a terminal. Nothing is said by colour alone: only words are coloured."""

from __future__ import annotations

import re

STYLES = (
    (re.compile(r"^Step-up(?: needed:)?", re.MULTILINE), "bold"),
    (re.compile(r"(?<=^  2\. Compare code  )\S+", re.MULTILINE), "bold"),
    (re.compile(r"(?<=^  2\. Enter code    )\S+", re.MULTILINE), "bold"),
    (re.compile(r"^Approved:", re.MULTILINE), "bold green"),
    (re.compile(r"^warning:", re.MULTILINE), "yellow"),
)
"""Pairs of a pattern and the rich style of its matches."""


def is_styled(text: str) -> bool:
    """Whether any style applies to `text`."""
    return any(pattern.search(text) for pattern, _ in STYLES)
