"""Somebody who is not root: other quotas in the kernel's keyring, and none of root's ways around permissions."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.system.parts.cache import program

PART = "unprivileged user"
USER = 65534
"""Nobody's id, as good as any other."""


def words() -> list[str]:
    """Return the words that run a command as that user; none where we are no more than a user ourselves."""
    if os.getuid() != 0:
        return []
    setpriv = program("setpriv", PART, "apt-get install util-linux")
    return [setpriv, f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--inh-caps=-all"]


@contextmanager
def place() -> Iterator[Path]:
    """Return a directory that this user reaches: those of tests lie in one that is its owner's alone."""
    with tempfile.TemporaryDirectory(prefix="kubectl-stepup-desk-") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


def give(directory: Path) -> None:
    """Make everything in a directory that user's."""
    if os.getuid() != 0:
        return
    for path in (directory, *directory.rglob("*")):
        os.chown(path, USER, USER, follow_symlinks=False)
