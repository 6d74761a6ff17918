"""Hand captured input to kubectl as a file in memory: manifests may hold secrets, which are never put onto a disk.

Only Linux has such files. kubectl finds one under `/proc/self/fd/N` by a descriptor that it inherits, so it is for the
kubectl that we start ourselves: a script in its place may close descriptors (`needs_a_path`).
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def memory_file(content: bytes) -> Iterator[int | None]:
    """Return the descriptor of a sealed file in memory, for a child that inherits it; None where there are none."""
    descriptor = _made(content) if sys.platform == "linux" else None
    try:
        yield descriptor
    finally:
        if descriptor is not None:
            os.close(descriptor)


def needs_a_path(kubectl: str) -> bool:
    """Whether a kubectl is a script (of a version manager, or one's own), whose interpreter may close descriptors."""
    try:
        with open(kubectl, "rb") as stream:
            return stream.read(2) == b"#!"
    except OSError:
        return True


def _made(content: bytes) -> int | None:
    import fcntl

    try:
        created = os.memfd_create("kubectl-stepup", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            # NOTE: a copy at 3 or above: where standard input is closed the first free number is the child's stdin.
            descriptor = fcntl.fcntl(created, fcntl.F_DUPFD_CLOEXEC, 3)
        finally:
            os.close(created)
    except OSError:
        return None
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
        with open(f"/proc/self/fd/{descriptor}", "rb") as again:
            readable = again.read(1) == content[:1]
    except OSError:
        readable = False
    if readable:
        return descriptor
    os.close(descriptor)
    return None
