"""Lend content to a child process as a file (memory where the kernel has it, else a short-lived 0600 file)."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from kubectl_stepup.errors import KubectlFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class LentFile:
    """Where the child finds the content, and the descriptors that it must inherit for that."""

    path: str
    pass_fds: tuple[int, ...] = ()


@contextlib.contextmanager
def lend(content: bytes, *, directory: str | None) -> Iterator[LentFile]:
    """Give content as a file for the time of the block; nothing of it is left afterwards.

    On Linux it is a memfd under `/proc/self/fd/N`: the child inherits the descriptor under the same number, so the
    name is right in it and in its own children, and it is gone with the last of them. Elsewhere, or without /proc, a
    0600 file in `directory` (private to us), which is left behind only by a SIGKILL.

    Raises:
        KubectlFailed: there is neither.

    """
    with contextlib.ExitStack() as stack:
        lent = _memory_file(content, stack)
        if lent is None:
            if directory is None:
                raise KubectlFailed("there is no place for the files of the elevated run")
            lent = _disk_file(content, directory, stack)
        yield lent


def _memory_file(content: bytes, stack: contextlib.ExitStack) -> LentFile | None:
    if sys.platform != "linux":
        return None
    import fcntl

    try:
        created = os.memfd_create("kubectl-stepup", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        # NOTE: a copy at 3 or above (where standard input is closed the first free number is the child's stdin) and
        # without CLOEXEC, or an editor or plugin that the child starts would not find the file.
        descriptor = fcntl.fcntl(created, fcntl.F_DUPFD, 3)
        os.close(created)
    except OSError:
        return None
    stack.callback(os.close, descriptor)
    path = f"/proc/self/fd/{descriptor}"
    try:
        _write_all(descriptor, content)
        # Sealed, so that no `kubectl config` of the child writes where it would be lost.
        seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
        with open(path, "rb") as again:
            readable = again.read(1) == content[:1]
    except OSError:
        return None
    return LentFile(path=path, pass_fds=(descriptor,)) if readable else None


def _disk_file(content: bytes, directory: str, stack: contextlib.ExitStack) -> LentFile:
    path = os.path.join(directory, f"lent-{os.getpid()}-{os.urandom(8).hex()}.json")
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        _require_private(directory)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(path, flags, 0o600)
        stack.callback(_remove, path)
        try:
            _write_all(descriptor, content)
        finally:
            os.close(descriptor)
    except OSError as exc:
        raise KubectlFailed(f"{path}: {(exc.strerror or str(exc)).lower()}") from exc
    return LentFile(path=path)


def _require_private(directory: str) -> None:
    if os.name == "nt":
        return
    found = os.lstat(directory)
    if found.st_uid != os.geteuid() or found.st_mode & 0o077 or not os.path.isdir(directory):
        raise KubectlFailed(f"{directory}: others may look into it", hint=f"chmod 700 {directory}")


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
