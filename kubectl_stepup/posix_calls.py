"""The system calls of `os` without importing `os`, which takes a tenth of the fast path (fast path).

An interpreter without site packages has not imported `os` yet; `posix` is the module below it.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os as calls
else:
    try:
        import posix as calls
    except ImportError:  # Windows
        import os as calls

__all__ = ["calls", "encoded", "environment_of_process", "text_of"]


def environment_of_process() -> dict[str, str]:
    """Return the environment variables; undecodable ones as in `os.environ`."""
    return {text_of(name): text_of(value) for name, value in calls.environ.items()}


def encoded(text: str) -> bytes:
    """Return the bytes of a variable's or argument's text."""
    return text.encode(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())


def text_of(value: str | bytes) -> str:
    """Return the text of a variable's or argument's bytes."""
    if isinstance(value, str):
        return value
    return value.decode(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())
