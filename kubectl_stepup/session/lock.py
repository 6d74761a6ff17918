"""One step-up at a time for a session, over all processes of the user (flock on a file in the runtime directory).

The kernel lets go of the lock when its holder ends, however it ends. The file says who holds it, for those who wait.

Spec: flock(2).
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kubectl_stepup.errors import LockTimeout, StoreUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kubectl_stepup.clock import Clock

_POLL_S = 0.1
"""flock(2) has no time limit and a signal handler may restart it: polling obeys Ctrl-C and the limit alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a lock: a pid, the terminal with the prompt (None: none), since when (seconds since the epoch)."""

    pid: int
    terminal: str | None
    since: float

    def __str__(self) -> str:
        where = f" on {self.terminal}" if self.terminal else ""
        return f"process {self.pid}{where}, since {datetime.fromtimestamp(self.since).astimezone():%H:%M:%S}"


@contextmanager
def acquire(
    directory: Path,
    session_id: str,
    *,
    timeout_s: float,
    on_wait: Callable[[Holder | None], None],
    clock: Clock,
) -> Iterator[None]:
    """Hold the lock of `session_id` for the body; wait for it at most `timeout_s`.

    `on_wait` is called once when another process has it, and again when yet another one has taken over; the holder is
    None where the file does not say it (yet). After a wait the caller looks into the store again: whoever held the lock
    has probably put there what is wanted.

    Raises:
        LockTimeout: it was not free in time; the message names the holder.
        StoreUnavailable: the lock file is not a file of ours alone, or the filesystem has no locks.
    """
    path = directory / f"{session_id}.lock"
    descriptor = _acquired(path, timeout_s=timeout_s, on_wait=on_wait, clock=clock)
    try:
        _write_holder(descriptor, clock.now())
        yield
        os.ftruncate(descriptor, 0)
    finally:
        # Closing alone would leave the lock with a child that was forked meanwhile, until it comes to its exec.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _acquired(path: Path, *, timeout_s: float, on_wait: Callable[[Holder | None], None], clock: Clock) -> int:
    deadline = clock.monotonic() + timeout_s
    told: list[Holder | None] = []
    while True:
        descriptor = _open(path)
        keep = False
        try:
            if _lock(descriptor, path):
                # Somebody may have deleted the file since it was opened: a lock on it is then a lock on nothing.
                keep = _is_still(descriptor, path)
                if keep:
                    return descriptor
                continue
            holder = read_holder(descriptor)
            if not told or (holder is not None and holder != told[-1]):
                told.append(holder)
                on_wait(holder)
        finally:
            if not keep:
                os.close(descriptor)
        if clock.monotonic() >= deadline:
            shown = str(holder) if holder else "another process"
            raise LockTimeout(
                f"another step-up is still under way ({shown})",
                hint=f"kill {holder.pid}" if holder else None,
                details={"pid": holder.pid if holder else None},
            )
        clock.sleep(_POLL_S)


def _open(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreUnavailable(f"the lock {path} cannot be opened: {error.strerror}") from error
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        os.close(descriptor)
        raise StoreUnavailable(f"the lock {path} is not a file of yours alone")
    return descriptor


def _lock(descriptor: int, path: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EWOULDBLOCK, errno.EAGAIN, errno.EINTR}:
            return False
        raise StoreUnavailable(f"the lock {path} cannot be taken: {error.strerror}") from error
    return True


def _is_still(descriptor: int, path: Path) -> bool:
    try:
        named = os.lstat(path)
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(descriptor), named)


def _write_holder(descriptor: int, now: float) -> None:
    text = f"pid={os.getpid()}\nterminal={_terminal() or ''}\nsince={now!r}\n"
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode("utf-8", "replace"), 0)


def _terminal() -> str | None:
    for stream in (sys.stderr, sys.stdin, sys.stdout):
        try:
            return os.ttyname(stream.fileno())
        except (OSError, ValueError, AttributeError):  # no terminal, closed, replaced or absent
            continue
    return None


def read_holder(descriptor: int) -> Holder | None:
    """Read who holds a lock; None where the file does not say it in our form."""
    text = os.pread(descriptor, 4096, 0).decode("utf-8", "replace")
    values = dict(line.partition("=")[::2] for line in text.splitlines())
    try:
        return Holder(pid=int(values["pid"]), terminal=values["terminal"] or None, since=float(values["since"]))
    except (KeyError, ValueError):
        return None
