"""The kubectl of this machine: looked up once, so that what was checked is what runs (processes)."""

from __future__ import annotations

import os
import sys
from functools import cached_property
from itertools import takewhile
from typing import TYPE_CHECKING

from kubectl_stepup import environment
from kubectl_stepup.errors import KubectlFailed
from kubectl_stepup.kubectl import process
from kubectl_stepup.kubectl.captured_file import captured_file
from kubectl_stepup.kubectl.run_directory import run_directory
from kubectl_stepup.trusted_file import untrusted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import NoReturn

    from kubectl_stepup.kubectl.captured_file import CapturedFile
    from kubectl_stepup.kubectl.run_directory import RunDirectory
    from kubectl_stepup.kubectl.time_limit import TimeLimit
    from kubectl_stepup.trusted_file import Untrusted


class InstalledKubectl:
    """The kubectl of this machine."""

    def __init__(self, environ: Mapping[str, str], runtime_directory: Callable[[], Path]) -> None:
        self._environ = environ
        self._runtime_directory = runtime_directory
        self._checked: os.stat_result | None = None

    @cached_property
    def _path(self) -> str:
        return process.find(self._environ, not_this=sys.argv[0])

    def path(self) -> str:
        """Return its absolute path."""
        return self._path

    def writable_by_others(self) -> Untrusted | None:
        """Name what somebody else could replace it by; None: nobody can, and it is what the last check saw.

        Raises:
            KubectlFailed: it is not what it was when it was checked before, or is not there any more.
        """
        try:
            fault = untrusted(self._path, sticky=True)
            found = os.stat(self._path)
        except OSError as exc:
            raise KubectlFailed(f"{self._path}: {(exc.strerror or str(exc)).lower()}") from exc
        if fault is not None:
            return fault
        if self._checked is not None and _identity(self._checked) != _identity(found):
            raise KubectlFailed(
                f"{self._path} was replaced after it had been checked, so it is not run elevated",
                hint="repeat the command",
            )
        self._checked = found
        return None

    def plugin_writable_by_others(self, argv: Sequence[str]) -> Untrusted | None:
        """Name what somebody else could put in the place of a plugin: in any directory of PATH, as kubectl looks.

        That is by relative and empty entries too.
        """
        words = [word.replace("-", "_") for word in takewhile(lambda word: not word.startswith("-"), argv)]
        names = [f"kubectl-{'-'.join(words[:count])}" for count in range(len(words), 0, -1)]
        for entry in self._environ.get(environment.PATH, "").split(os.pathsep):
            for name in names:
                try:
                    fault = untrusted(os.path.join(entry, name))
                except (OSError, ValueError):  # kubectl does not get there either
                    continue
                if fault is not None:
                    return fault
        return None

    def replace(self, argv: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
        """Become kubectl."""
        process.replace(self.path(), argv, environ)

    def answer(
        self, argv: Sequence[str], environ: Mapping[str, str], *, stdin: bytes = b"", within_s: float
    ) -> tuple[int, bytes, bytes]:
        """Run kubectl for ourselves and return exit code, output and errors; it cannot ask anybody anything."""
        return process.answer(self.path(), argv, environ, stdin=stdin, within_s=within_s)

    def run(
        self,
        argv: Sequence[str],
        environ: Mapping[str, str],
        *,
        pass_fds: Sequence[int] = (),
        stdin: Iterable[bytes] | None = None,
        limit: TimeLimit | None = None,
    ) -> int:
        """Run kubectl as a child and return its exit code."""
        return process.run(self.path(), argv, environ, pass_fds=pass_fds, stdin=stdin, limit=limit)

    def run_directory(self) -> AbstractContextManager[RunDirectory]:
        """Make the directory of a run."""
        return run_directory(str(self._runtime_directory()))

    def captured_file(self, content: bytes, place: str) -> AbstractContextManager[CapturedFile]:
        """Make a file of what was read from a place, for this kubectl to read."""
        return captured_file(content, place, kubectl=self.path(), parent=lambda: str(self._runtime_directory()))


def _identity(found: os.stat_result) -> tuple[int, ...]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
