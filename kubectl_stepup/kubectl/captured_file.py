"""Hand captured input to kubectl as a file in memory: manifests may hold secrets, which are never put onto a disk.

Only Linux has such files. kubectl finds one under `/proc/self/fd/N` by a descriptor that it inherits, so it is for the
kubectl that we start ourselves: a script in its place may close descriptors (`needs_a_path`).
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from kubectl_stepup import private_file
from kubectl_stepup.errors import StepUpError
from kubectl_stepup.kubectl.run_directory import run_directory

_PLAIN_NAME = re.compile(r"(?!\.{1,2}$)[\w.@%+=:-]{1,100}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedFile:
    """Captured input as a file for kubectl, and the descriptors that it must inherit for that."""

    path: str
    pass_fds: tuple[int, ...] = ()


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
        private_file.write(descriptor, content)
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


@contextmanager
def captured_file(content: bytes, place: str, *, kubectl: str, parent: Callable[[], str]) -> Iterator[CapturedFile]:
    """Hand captured input to kubectl as a file: in memory, with the name of the place for kubectl's messages.

    A script in kubectl's place may close descriptors, and not every system has files in memory: then it is a file of
    mode 0600 in a directory of the run, below `parent()`.
    """
    name = os.path.basename(place.rstrip("/"))
    if not _PLAIN_NAME.fullmatch(name):
        name = "manifests"
    in_memory = not needs_a_path(kubectl)
    with ExitStack() as stack:
        number = stack.enter_context(memory_file(content)) if in_memory else None
        if number is None:
            directory = stack.enter_context(run_directory(parent()))
            yield CapturedFile(path=directory.write(name, content))
            return
        path = f"/proc/self/fd/{number}"
        with contextlib.suppress(StepUpError):  # without a place for it it has no name of its own
            path = stack.enter_context(run_directory(parent())).link(name, path)
        yield CapturedFile(path=path, pass_fds=(number,))
