"""The audit log on disk: one file that only grows, one line for each event, with several writers at a time.

Spec: flock(2) for the order of writers; O_APPEND and one write(2) for whole lines.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_stepup import private_file
from kubectl_stepup.audit.chain import GENESIS, AuditRecord, Link, digest, link_of, record_of, seal, verify
from kubectl_stepup.errors import AuditUnavailable
from kubectl_stepup.trusted_file import untrusted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_stepup.audit.chain import ChainVerification
    from kubectl_stepup.audit.event import AuditEvent
    from kubectl_stepup.clock import Clock

LOCK_WAIT_S = 10.0
"""How long a writer waits for the others; one append holds the lock for one fsync."""

_LOCK_RETRY_S = 0.005
_TAIL_BYTES = 64 * 1024
_LONGEST_RECORD = 64 * 1024


class AuditLog:
    """The audit log at one path. Every failure of the file system is an `AuditUnavailable` that names the path."""

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self.path = path
        self._clock = clock

    def append(self, event: AuditEvent) -> AuditRecord:
        """Append `event` to the chain and sync it to the disk.

        The file is made 0600, missing directories 0700, whatever the umask.

        Raises: AuditUnavailable: path, owner or type wrong, disk full, or another process holds the lock.
        """
        with self._errors("written"):
            self._make_directory()
            descriptor, created = self._open_to_append()
            try:
                self._lock(descriptor)
                record = self._append_locked(descriptor, event)
            finally:
                os.close(descriptor)  # and with it the lock
            if created:
                private_file.sync_directory(str(self.path.parent))
            return record

    def check(self) -> None:
        """Raise where an event could not be written now: wrong path, owner or type, or a full disk.

        Raises: AuditUnavailable: it could not.
        """
        with self._errors("written"):
            self._make_directory()
            descriptor, _ = self._open_to_append()
            os.close(descriptor)
            self._try_room()

    def read(self, *, last: int | None = None) -> tuple[AuditRecord, ...]:
        """Return the events, oldest first, at most the `last` ones; lines of another form are left out.

        Raises: AuditUnavailable: the file cannot be read.
        """
        found = tuple(record for record in map(record_of, self.lines()) if record is not None)
        return found if last is None else found[max(0, len(found) - last) :]

    def verify(self) -> ChainVerification:
        """Check the chain over the file.

        Raises: AuditUnavailable: the file cannot be read.
        """
        return verify(self.lines())

    def lines(self) -> Iterator[bytes]:
        """Return the stored lines without their newlines, the last one even when it has none.

        Raises: AuditUnavailable: the file cannot be read.
        """
        with self._errors("read"):
            try:
                descriptor = private_file.open_regular(str(self.path))
            except FileNotFoundError:
                return
            with os.fdopen(descriptor, "rb") as file:
                for line in file:
                    yield line.removesuffix(b"\n")

    def _make_directory(self) -> None:
        private_file.make_directories(str(self.path.parent))
        fault = untrusted(str(self.path.parent), sticky=True)
        if fault is not None:
            raise AuditUnavailable(f"audit directory {self.path.parent}: {fault}", hint=fault.hint)

    def _open_to_append(self) -> tuple[int, bool]:
        flags = os.O_RDWR | os.O_APPEND
        try:
            descriptor, created = private_file.open_new(str(self.path), flags), True
        except FileExistsError:
            descriptor, created = private_file.open_own(str(self.path), flags, forbidden=0), False
        if stat.S_IMODE(os.fstat(descriptor).st_mode) != 0o600:
            os.fchmod(descriptor, 0o600)
        return descriptor, created

    def _try_room(self) -> None:
        """Write as many bytes as an event may have into a file beside the log, and remove that."""
        path = str(self.path.with_name(f".{self.path.name}.{os.getpid()}.check"))
        private_file.remove(path)
        descriptor = private_file.open_new(path)
        try:
            private_file.remove(path)
            if os.write(descriptor, bytes(_LONGEST_RECORD)) != _LONGEST_RECORD:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _lock(self, descriptor: int) -> None:
        deadline = self._clock.monotonic() + LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if self._clock.monotonic() >= deadline:
                    raise AuditUnavailable(f"audit log {self.path} is locked by another process") from None
                self._clock.sleep(_LOCK_RETRY_S)
            else:
                return

    def _append_locked(self, descriptor: int, event: AuditEvent) -> AuditRecord:
        last_line, gap, ends_in_newline = _tail(descriptor)
        last = None if last_line is None else link_of(last_line)
        record = seal(
            event,
            Link(
                seq=1 if last is None else last.seq + 1,
                prev=GENESIS if last_line is None else digest(last_line),
                torn=None if gap is None else digest(gap),
            ),
        )
        line = record.line + b"\n" if ends_in_newline else b"\n" + record.line + b"\n"
        if os.write(descriptor, line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)
        return record

    @contextlib.contextmanager
    def _errors(self, verb: str) -> Iterator[None]:
        try:
            yield
        except private_file.NotPrivateError as error:
            raise AuditUnavailable(f"audit log {self.path} {error.strerror}") from error
        except OSError as error:
            cause = "is a symbolic link" if error.errno == errno.ELOOP else error.strerror or type(error).__name__
            raise AuditUnavailable(
                f"audit log {self.path} cannot be {verb}: {cause}", details={"path": str(self.path)}
            ) from error


def _tail(descriptor: int) -> tuple[bytes | None, bytes | None, bool]:
    """Return the last event, the unreadable bytes after it (None: none), and whether the file ends in a newline.

    Reads backwards, so that a long file costs no more than a short one.
    """
    size = os.fstat(descriptor).st_size
    window = _TAIL_BYTES
    while True:
        start = max(0, size - window)
        data = os.pread(descriptor, size - start, start)
        complete = data.endswith(b"\n") or not data
        lines = data.removesuffix(b"\n").split(b"\n") if data else []
        oldest = 0 if start == 0 else 1  # the first one may have begun before the window
        for index in range(len(lines) - 1, oldest - 1, -1):
            if link_of(lines[index]) is not None:
                return lines[index], _joined(lines[index + 1 :]), complete
        if start == 0:
            return None, _joined(lines), complete
        window *= 4


def _joined(lines: list[bytes]) -> bytes | None:
    return b"\n".join(lines) if lines else None
