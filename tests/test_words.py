"""The words: the program, its pages and its launcher use the field's terms, not private ones.

`docs/reference/glossary.md` defines the terms that are ours.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
READ = ("kubectl_stepup", "docs", "launcher", "README.md", "Makefile")
SUFFIXES = {".py", ".md", ".c", ".h", ".json", ".yaml", ""}

INSTEAD = {
    r"roads?": "fast path, ordinary path",
    r"wish(es|ed)?": "step-up request",
    r"lends?|lent": "hand over, release",
    r"judg(es?|ed|ement|ements)": "evaluate, evaluation",
    r"odd(ly)?": "unusual, malformed, unexpected",
    r"the house": "the project",
    r"spools?|spooled": "captured input",
}
"""A private word, and what to say in its place."""

QUOTED: tuple[str, ...] = ()
"""Lines that quote others, as they stand in a file."""


def tracked() -> list[Path]:
    """Return the files to read, as git has them."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z", "--", *READ], cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no git checkout")
    names = listed.stdout.decode().split("\0")
    return [path for name in names if name and (path := ROOT / name).suffix in SUFFIXES and path.is_file()]


def test_private_words_are_gone() -> None:
    pattern = re.compile(rf"\b(?:{'|'.join(INSTEAD)})\b", re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in tracked()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line) and line.strip() not in QUOTED
    ]
    advice = [f"{word}: {instead}" for word, instead in INSTEAD.items()]
    assert not found, "\n".join([*found, "instead of", *advice])
