"""The compiled policy on disk (filesystem): read where it was made from exactly the file that is there now.

What a policy file is known by - path, inode, times, size, owner and mode, those of its directory too - was the same
when the ordinary road loaded it, trust checks included; any change of them leads back to that road.
"""

from __future__ import annotations

import marshal
import os
import stat
import sys

from kubectl_stepup import __version__
from kubectl_stepup.policy.compiled import pack, unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from kubectl_stepup.policy.model import Policy

NAME = "policy.compiled"
_LARGEST = 16 << 20


def read(directory: str, sources: Sequence[str]) -> Policy | None:
    """Give the policy compiled from `sources` as they are now; None where it must be loaded anew."""
    try:
        descriptor = os.open(os.path.join(directory, NAME), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        found = os.fstat(descriptor)
        # marshal trusts its input: only what we ourselves wrote is given to it.
        ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
        if not ours or found.st_size > _LARGEST:
            return None
        known, packed = marshal.loads(os.read(descriptor, found.st_size))  # noqa: S302 - our own 0600 file
        policy: Policy | None = unpack(packed) if known == stamp_of(sources) else None
    except (OSError, ValueError, EOFError, TypeError, IndexError):
        return None
    finally:
        os.close(descriptor)
    return policy


def write(directory: str, sources: Sequence[str], policy: Policy, *, known_by: tuple[object, ...]) -> None:
    """Keep the policy that was loaded from `sources`; where that cannot be, the next command loads it again.

    `known_by` was taken before they were read: a file that changed meanwhile is not the one that was loaded.
    """
    if known_by != stamp_of(sources):
        return
    content: Any = (known_by, pack(policy))
    data = marshal.dumps(content)
    temporary = os.path.join(directory, f".{NAME}.{os.getpid()}")
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            os.write(descriptor, data)
        finally:
            os.close(descriptor)
        os.replace(temporary, os.path.join(directory, NAME))
    except OSError:
        # NOTE: no contextlib here: it costs the routine road two milliseconds.
        return


def stamp_of(sources: Sequence[str]) -> tuple[object, ...]:
    """Give what the files are known by, this program and user included."""
    return (__version__, sys.hexversion, os.geteuid(), *(_stamp(source) for source in sources))


def _stamp(path: str) -> tuple[object, ...]:
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
