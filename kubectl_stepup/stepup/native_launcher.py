"""The native launcher of this installation: `kubectl-stepup`, where `kubectl_stepup-python` lies beside it.

It answers from a stored session itself, and becomes that program for everything else.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from kubectl_stepup.kubectl.process import LAUNCHER, PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator


def launcher() -> str | None:
    """Return its absolute path; None where none was compiled.

    It is looked for beside what runs now, never by a name on PATH: it will be asked for credentials.
    """
    for directory in _directories():
        pair = [os.path.join(directory, name) for name in (LAUNCHER, PROGRAM)]
        if all(os.path.isfile(path) and os.access(path, os.X_OK) for path in pair):
            return pair[0]
    return None


def lasting(program: str) -> str:
    """Return a path of the launcher that its next version will have too.

    Krew installs each version into a directory of its own, `<root>/store/<plugin>/<version>`, removes the one before,
    and keeps a link of the program's name in `<root>/bin`.
    """
    version, name = os.path.split(program)
    store = os.path.dirname(os.path.dirname(version))
    link = os.path.join(os.path.dirname(store), "bin", name)
    krews = os.path.basename(store) == "store" and os.path.exists(link) and os.path.samefile(link, program)
    return link if krews else program


def _directories() -> Iterator[str]:
    """Return the directory of the program as it was started, and of its file, then of the interpreter.

    The last is that of a virtual environment's scripts, or of the frozen program itself.
    """
    started = sys.argv[0]
    if os.path.isabs(started) and os.path.basename(started) == PROGRAM and not getattr(sys, "frozen", False):
        yield os.path.dirname(started)
        yield os.path.dirname(os.path.realpath(started))
    if os.path.isabs(sys.executable):
        yield os.path.dirname(sys.executable)
