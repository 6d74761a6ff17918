"""The kubectl of this machine, looked up once in a run (processes)."""

from __future__ import annotations

import os
import sys
from functools import cached_property
from itertools import takewhile
from typing import TYPE_CHECKING

from kubectl_stepup import environment
from kubectl_stepup.clock import SystemClock
from kubectl_stepup.errors import KubectlFailed
from kubectl_stepup.kubectl import process
from kubectl_stepup.kubectl.time_limit import TimeLimit
from kubectl_stepup.trusted_file import untrusted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import NoReturn

    from kubectl_stepup.stepup.ports import RunLimit
    from kubectl_stepup.trusted_file import Untrusted


class RealKubectl:
    """The kubectl of this machine: looked up once, so that what was checked is what runs."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
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
        limit: RunLimit | None = None,
    ) -> int:
        """Run kubectl as a child and give its exit code."""
        return process.run(self.path(), argv, environ, pass_fds=pass_fds, stdin=stdin, limit=time_limit(limit))


def time_limit(limit: RunLimit | None) -> TimeLimit | None:
    """Return what ends a run when its time is up, by this machine's clock."""
    if limit is None:
        return None
    return TimeLimit(limit.longest_s, warning_s=limit.warning_s, tell=limit.tell, clock=SystemClock())


def _identity(found: os.stat_result) -> tuple[int, ...]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
