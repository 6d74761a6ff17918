"""Sessions in files, for those who ask for it by name (fast path): 0600 in a 0700 directory, whole or not at all.

A file holds its end in the first line and the value after it. On a disk a token outlives what it should in snapshots
and backups, which is why no choice of ours leads here.
"""

from __future__ import annotations

import os
import time

from kubectl_stepup import private_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_stepup.errors import StoreUnavailable

_SUFFIX = ".session"
_LARGEST = 1 << 17
_LONGEST_WRITE_S = 60
_KEY_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789:-")


class FileStore:
    """A SessionStore in `directory`, which is made when first needed. `now` gives seconds since the epoch."""

    name = "file"

    def __init__(self, directory: str | os.PathLike[str], *, now: Callable[[], float] = time.time) -> None:
        self._directory = os.fspath(directory)
        self._now = now

    def __repr__(self) -> str:
        return f"FileStore({self._directory!r})"

    def get(self, key: str) -> bytes | None:
        """Return the value, or None when there is none."""
        try:
            return self._get(self._path(key))
        except OSError as error:
            raise self._unavailable(error) from error

    def put(self, key: str, value: bytes, expires_at: float) -> None:
        """Keep `value` until `expires_at`."""
        try:
            self._sweep()
            if expires_at <= self._now():
                private_file.remove(self._path(key))
            else:
                self._write(self._path(key), b"%d\n%b" % (int(expires_at), value))
        except OSError as error:
            raise self._unavailable(error) from error

    def delete(self, key: str) -> bool:
        """Remove the value; return whether there was one."""
        try:
            path = self._path(key)
            self._sweep()
            return self._get(path) is not None and private_file.remove(path)
        except OSError as error:
            raise self._unavailable(error) from error

    def keys(self) -> list[str]:
        """Return the keys of all values kept, sorted."""
        try:
            return sorted(key for key in self._names() if self._get(self._path(key)) is not None)
        except OSError as error:
            raise self._unavailable(error) from error

    def _path(self, key: str) -> str:
        if not key or not _KEY_CHARACTERS.issuperset(key):
            raise _error(f"{key!r} cannot name a stored session")
        # A colon is a drive or a stream in a Windows name.
        return os.path.join(self._directory, key.replace(":", ",") + _SUFFIX)

    def _names(self) -> list[str]:
        if not self._usable_directory():
            return []
        names = [name for name in os.listdir(self._directory) if name.endswith(_SUFFIX) and not name.startswith(".")]
        keys = [name.removesuffix(_SUFFIX).replace(",", ":") for name in names]
        return [key for key in keys if _KEY_CHARACTERS.issuperset(key)]

    def _usable_directory(self) -> bool:
        """Whether the directory is there; refuse one that others could write to or read."""
        try:
            private_file.check_directory(self._directory)
        except FileNotFoundError:
            return False
        except private_file.NotPrivateError as error:
            raise _error(
                f"{self._directory} is not a directory of yours alone (mode 0700)", hint=f"rm -r {self._directory}"
            ) from error
        return True

    def _get(self, path: str) -> bytes | None:
        if not self._usable_directory():
            return None
        try:
            data = private_file.read(path, most=_LARGEST)
        except FileNotFoundError:
            return None
        except private_file.NotPrivateError:
            data = b""
        end, _, value = data.partition(b"\n")
        if not end.isdigit() or int(end) <= self._now():
            private_file.remove(path)
            return None
        return value

    def _write(self, path: str, data: bytes) -> None:
        if not self._usable_directory():
            private_file.make_directories(self._directory)
            self._usable_directory()
        temporary = os.path.join(self._directory, f".{os.getpid()}.{os.urandom(4).hex()}{_SUFFIX}")
        private_file.replace(path, data, temporary=temporary, sync=True)

    def _sweep(self) -> None:
        """Remove what is over, and what a killed process was writing."""
        for key in self._names():
            self._get(self._path(key))
        for name in os.listdir(self._directory) if self._usable_directory() else ():
            if name.startswith(".") and name.endswith(_SUFFIX) and self._is_left_behind(name):
                private_file.remove(os.path.join(self._directory, name))

    def _is_left_behind(self, name: str) -> bool:
        process = name.split(".")[1]
        try:
            if process.isdigit():
                os.kill(int(process), 0)  # sends nothing
            return os.lstat(os.path.join(self._directory, name)).st_mtime < self._now() - _LONGEST_WRITE_S
        except (ProcessLookupError, FileNotFoundError, OverflowError):
            return True
        except PermissionError:  # another user's by now
            return False

    def _unavailable(self, error: OSError) -> StoreUnavailable:
        reason = error.strerror or "unknown reason"
        return _error(f"sessions in {self._directory} cannot be used: {reason}")


def _error(message: str, *, hint: str | None = None) -> StoreUnavailable:
    # NOTE: imported where it is raised: the classes of all errors take a tenth of the fast path.
    from kubectl_stepup.errors import StoreUnavailable

    return StoreUnavailable(message, hint=hint, details={"store": FileStore.name})
