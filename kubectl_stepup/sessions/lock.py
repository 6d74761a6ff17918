"""One step-up at a time for a session, over all processes of the user (flock on a file in the runtime directory).

The kernel lets go of the lock when its holder ends, however it ends. The file says who holds it, for those who wait.

Spec: flock(2).
"""

from __future__ import annotations

import errno
import fcntl
import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kubectl_stepup import private_file
from kubectl_stepup.errors import LockTimeout, StoreUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from kubectl_stepup.clock import Clock

    Answer = TypeVar("Answer")

_WRITABLE = 0o022
"""A lock file has no secrets, so others may read it."""

_LOOK_S = 1.0
"""How often to look who holds the lock now, and whether the wait is over, while nobody lets go of it."""

_AT_LEAST_S = 5.0
"""How long to wait in any case: what the file says may be of a holder that is gone, until the next one has written."""


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
    name: str,
    *,
    answer: Callable[[], Answer | None],
    timeout_s: float,
    on_wait: Callable[[Holder | None], None],
    clock: Clock,
) -> Iterator[Answer | None]:
    """Hold the lock `name` for the body, which gets None; or give it the answer that makes the lock needless.

    `answer()` is asked whenever a holder has let go and once the lock is got: what the holder was about is then
    probably there. All who wait get it at once, without taking the lock one after another. `on_wait` is called once
    when another process has the lock, and again when yet another one has taken over; the holder is None where the file
    does not say it (yet). The wait ends `timeout_s` after its beginning or the holder's, whichever is sooner: all who
    wait for a holder that hangs give up together.

    Raises:
        LockTimeout: it was not free in time; the message names the holder.
        StoreUnavailable: the lock file is not a file of ours alone, or the filesystem has no locks.
        Whatever `answer` raises.
    """
    path = directory / f"{name}.lock"
    waiting = _Waiting(path, timeout_s=timeout_s, on_wait=on_wait, clock=clock)
    while (descriptor := _try(path)) is None:
        found = answer() if waiting.go_on() else None
        if found is not None:
            yield found
            return
    try:
        _write_holder(descriptor, clock.now())
        yield answer()
        os.ftruncate(descriptor, 0)
    finally:
        # Closing alone would leave the lock with a child that was forked meanwhile, until it comes to its exec.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _try(path: Path) -> int | None:
    """Return a descriptor that holds the lock, or None while another process has it."""
    while True:
        descriptor = _open(path)
        keep = False
        try:
            if not _lock(descriptor, path):
                return None
            # Somebody may have deleted the file since it was opened: a lock on it is then a lock on nothing.
            keep = _is_still(descriptor, path)
            if keep:
                return descriptor
        finally:
            if not keep:
                os.close(descriptor)


class _Waiting:
    """The wait of one process for a lock."""

    def __init__(self, path: Path, *, timeout_s: float, on_wait: Callable[[Holder | None], None], clock: Clock) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._on_wait = on_wait
        self._clock = clock
        self._end = clock.monotonic() + timeout_s
        self._told: list[Holder | None] = []
        self._released: threading.Event | None = None

    def go_on(self) -> bool:
        """Wait for a short while and return whether the holder has released the lock.

        Raises:
            LockTimeout: the time is up.
        """
        descriptor = _open(self._path)
        try:
            holder = read_holder(descriptor)
        finally:
            os.close(descriptor)
        if not self._told or (holder is not None and holder != self._told[-1]):
            self._told.append(holder)
            self._on_wait(holder)
        left = self._left(holder)
        if left <= 0:
            shown = str(holder) if holder else "another process"
            raise LockTimeout(
                f"another step-up is still under way ({shown})",
                hint=f"kill {holder.pid}" if holder else None,
                details={"pid": holder.pid if holder else None},
            )
        return self._is_released(within_s=min(left, _LOOK_S))

    def _is_released(self, *, within_s: float) -> bool:
        # One thread for as long as one holder holds it, however often this looks.
        self._released = self._released or _release_of(self._path)
        if not self._released.wait(within_s):
            return False
        self._released = None
        return True

    def _left(self, holder: Holder | None) -> float:
        left = self._end - self._clock.monotonic()
        if holder is None:
            return left
        of_holder = holder.since + self._timeout_s - self._clock.now()
        waited = self._timeout_s - left
        return min(left, max(of_holder, _AT_LEAST_S - waited))


def _release_of(path: Path) -> threading.Event:
    """Return an event that is set when nobody holds the lock any more.

    NOTE: in a thread, because flock(2) has no time limit. A thread that is still waiting ends with the process, or
    when the holder lets go; all that wait are let in together, since each wants no more than a share.
    """
    import threading

    descriptor = _open(path)
    released = threading.Event()

    def wait() -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        except OSError:  # no locks here: taking it says so
            pass
        finally:
            os.close(descriptor)
            released.set()

    threading.Thread(target=wait, daemon=True, name="lock").start()
    return released


def _open(path: Path) -> int:
    try:
        return private_file.open_own(str(path), os.O_RDWR | os.O_CREAT, forbidden=_WRITABLE)
    except private_file.NotPrivateError as error:
        raise StoreUnavailable(f"the lock {path} is not a file of yours alone") from error
    except OSError as error:
        raise StoreUnavailable(f"the lock {path} cannot be opened: {error.strerror}") from error


def _lock(descriptor: int, path: Path) -> bool:
    """Take the lock, or tell that it is not free."""
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
