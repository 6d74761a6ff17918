"""Backends of the `keyring` library for tests, in this process."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, unquote


class WindowsLikeBackend:
    """Keep items of at most 2,560 bytes of UTF-16 each, as Windows Credential Manager does.

    `fail_at` makes the nth writing call (set or delete, counted from 1) raise before it does anything.
    """

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], str] = {}
        self.writes = 0
        self.fail_at: int | None = None

    def get_password(self, service: str, username: str) -> str | None:
        return self.items.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._count()
        if len(password.encode("utf-16-le")) > 2560:
            raise OSError(1783, "The stub received bad data")
        self.items[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._count()
        del self.items[service, username]

    def _count(self) -> None:
        self.writes += 1
        if self.fail_at is not None and self.writes >= self.fail_at:
            raise SystemError("the process ends here")


class DiskBackend:
    """Keep items of at most 2,560 bytes of UTF-16 in a directory, so that the next process finds them.

    Setting and removing are one step each, as they are for a keyring's daemon, with `around` about them.
    """

    def __init__(self, directory: Path, around: Callable[[Callable[[], object]], object]) -> None:
        self._directory = directory
        self._around = around

    def items(self) -> list[str]:
        return sorted(unquote(path.name) for path in self._directory.iterdir())

    def get_password(self, service: str, username: str) -> str | None:
        path = self._path(service, username)
        return path.read_text() if path.exists() else None

    def set_password(self, service: str, username: str, password: str) -> None:
        if len(password.encode("utf-16-le")) > 2560:
            raise OSError(1783, "The stub received bad data")
        self._around(lambda: self._path(service, username).write_text(password))

    def delete_password(self, service: str, username: str) -> None:
        self._around(self._path(service, username).unlink)

    def _path(self, service: str, username: str) -> Path:
        return self._directory / quote(f"{service} {username}", safe="")


class SilentBackend(WindowsLikeBackend):
    """Swallow everything, as the library's null backend does."""

    def set_password(self, service: str, username: str, password: str) -> None:
        return None


class KeychainLikeBackend(WindowsLikeBackend):
    """Replace an item as macOS does: remove it, then add one, which fails where somebody else was quicker.

    `races` says how often somebody is: between the two they add `foreign` under the same name.
    """

    def __init__(self, races: int = 0) -> None:
        super().__init__()
        self.races = races
        self.foreign = "somebody else's"

    def set_password(self, service: str, username: str, password: str) -> None:
        self._count()
        self.items.pop((service, username), None)
        if self.races:
            self.races -= 1
            self.items[service, username] = self.foreign
            raise RuntimeError("Can't store password on keychain: (-25299, 'Unknown Error')")
        self._count()
        self.items[service, username] = password


class HangingBackend(WindowsLikeBackend):
    """Never answer (longer than any test waits)."""

    def get_password(self, service: str, username: str) -> str | None:
        time.sleep(30)
        return None
