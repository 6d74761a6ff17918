"""The directory of one run: what kubectl must find by a name, for as long as a process of the run may look for it.

client-go skips a file of `$KUBECONFIG` that does not exist, and goes on with the next one: a kubectl whose overlay is
gone would run as the everyday user. So the directory is locked (flock(2)), and every process of the run inherits the
lock. It is removed at the end of the run where no process holds it any more, else by a later run; a cleaner of
temporary files (systemd-tmpfiles) leaves a locked directory alone. Nothing in it is a secret.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator

from kubectl_stepup import private_file
from kubectl_stepup.errors import KubectlFailed

PREFIX = "run-"
_ATTEMPTS = 8


class RunDirectory:
    """A locked directory of mode 0700 and the files that were put into it."""

    def __init__(self, path: str, lock: int) -> None:
        self.path = path
        self.lock = lock
        """The descriptor that processes of the run inherit."""
        self._written: dict[str, tuple[int, int]] = {}

    def write(self, name: str, content: bytes) -> str:
        """Write a file of mode 0600, or write it anew; return its path.

        Raises:
            KubectlFailed: it cannot be written, or is not the file that was written before.
        """
        path = os.path.join(self.path, name)
        before = self._written.get(name)
        try:
            descriptor = private_file.open_new(path) if before is None else private_file.open_own(path, os.O_WRONLY)
            with open(descriptor, "wb") as stream:
                found = os.fstat(descriptor)
                if before not in (None, (found.st_dev, found.st_ino)):
                    raise OSError("is another file than was written before")
                stream.truncate(0)
                stream.write(content)
            self._written[name] = found.st_dev, found.st_ino
        except OSError as exc:
            raise _failed(path, exc) from exc
        return path

    def link(self, name: str, target: str) -> str:
        """Make a symbolic link to a path, a relative one as it is meant here; return the link's path.

        Raises:
            KubectlFailed: it cannot be made.
        """
        path = os.path.join(self.path, name)
        try:
            # NOTE: not abspath, which takes `..` for the parent of a link.
            os.symlink(target if os.path.isabs(target) else os.path.join(os.getcwd(), target), path)
        except OSError as exc:
            raise _failed(path, exc) from exc
        return path

    def lost(self) -> str | None:
        """Return the path of a written file that is no longer there, or is another file; None where all are."""
        for name, written in self._written.items():
            path = os.path.join(self.path, name)
            try:
                if _identity(path) == written:
                    continue
            except OSError:
                return path
            return path
        return None


@contextlib.contextmanager
def run_directory(parent: str) -> Iterator[RunDirectory]:
    """Make the directory of a run in `parent`, a directory of this user alone.

    Raises:
        KubectlFailed: it cannot be made.
    """
    path, lock = _made(parent)
    try:
        yield RunDirectory(path, lock)
    finally:
        os.close(lock)
        _remove_unused(path)


def clear_away(parent: str) -> None:
    """Remove the directories of runs of which no process is left."""
    with contextlib.suppress(OSError):
        for name in os.listdir(parent):
            if name.startswith(PREFIX):
                _remove_unused(os.path.join(parent, name))


def _made(parent: str) -> tuple[str, int]:
    import fcntl

    path = parent
    try:
        for _ in range(_ATTEMPTS):
            path = os.path.join(parent, f"{PREFIX}{os.urandom(6).hex()}")
            os.mkdir(path, 0o700)
            try:
                lock = _opened(path)
            except FileNotFoundError:  # another process took it for a leftover
                continue
            # NOTE: never one of the standard streams: children inherit it under its number.
            inherited = fcntl.fcntl(lock, fcntl.F_DUPFD_CLOEXEC, 3)
            os.close(lock)
            fcntl.flock(inherited, fcntl.LOCK_SH)
            if os.path.isdir(path):
                return path, inherited
            os.close(inherited)
    except OSError as exc:
        raise _failed(path, exc) from exc
    raise KubectlFailed(f"{parent}: the directory of a run is removed as soon as it is made")


def _remove_unused(path: str) -> None:
    """Remove the directory of a run, unless a process of the run still has its lock."""
    import fcntl

    try:
        lock = _opened(path)
    except OSError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for name in os.listdir(path):
            os.unlink(os.path.join(path, name))
        os.rmdir(path)
    except OSError:  # in use; or something else was put into it, which is not ours to remove
        return
    finally:
        os.close(lock)


def _opened(path: str) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)


def _identity(path: str) -> tuple[int, int]:
    found = os.lstat(path)
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else (0, 0)


def _failed(path: str, exc: OSError) -> KubectlFailed:
    return KubectlFailed(
        f"{path}: {(exc.strerror or str(exc)).lower()}", hint="export XDG_RUNTIME_DIR=DIRECTORY   (mode 0700)"
    )
