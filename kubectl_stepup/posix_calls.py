"""The system calls of `os` without `os` itself, which takes a tenth of the fast path to import (fast path).

Where the interpreter runs without site packages nobody has imported it yet. `posix` is the module that it is made from.
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
    """Return the environment variables; those that are no text of this machine's encoding as `os.environ` has them."""
    return {text_of(name): text_of(value) for name, value in calls.environ.items()}


def encoded(text: str) -> bytes:
    """Return the bytes that the text of a variable or an argument stands for."""
    return text.encode(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())


def text_of(value: str | bytes) -> str:
    """Return the text that such bytes stand for."""
    if isinstance(value, str):
        return value
    return value.decode(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())
