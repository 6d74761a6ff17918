"""What files are known by, so that what was made from them is used for exactly these files (filesystem)."""

from __future__ import annotations

import os
import sys

from kubectl_stepup import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    FileStamp = tuple[str | int | None, ...]
    Stamp = tuple[str, int, int, tuple[FileStamp, ...]]


def stamp_of(sources: Sequence[str]) -> Stamp:
    """Return what the files are known by, this program and user included; values that `marshal` can write.

    Of each file: its path and where that leads, and None or the numbers of stat(2), those of its directory last.
    """
    return (__version__, sys.hexversion, os.geteuid(), tuple(_stamp(source) for source in sources))


def _stamp(path: str) -> FileStamp:
    target = os.path.realpath(path)
    try:
        file, directory = os.stat(target), os.stat(os.path.dirname(target))
    except OSError:
        return (path, target, None)
    return (
        path,
        target,
        file.st_dev,
        file.st_ino,
        file.st_mtime_ns,
        file.st_ctime_ns,
        file.st_size,
        file.st_mode,
        file.st_uid,
        directory.st_mode,
        directory.st_uid,
    )
