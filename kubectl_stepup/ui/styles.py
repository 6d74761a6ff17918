"""What is marked on a terminal with colours. Nothing is told by colour alone: every mark stands on a word."""

from __future__ import annotations

import re

STYLES = (
    (re.compile(r"^Step-up(?: needed:)?", re.MULTILINE), "bold"),
    (re.compile(r"(?<=^  2\. Compare code  )\S+", re.MULTILINE), "bold"),
    (re.compile(r"(?<=^  2\. Enter code    )\S+", re.MULTILINE), "bold"),
    (re.compile(r"^Approved:", re.MULTILINE), "bold green"),
    (re.compile(r"^warning:", re.MULTILINE), "yellow"),
)
"""Pairs of a pattern and the style of what it matches, in the words of rich."""


def is_styled(text: str) -> bool:
    """Whether anything in `text` is marked."""
    return any(pattern.search(text) for pattern, _ in STYLES)
