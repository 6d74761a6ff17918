"""Servers as processes: started in a session of their own, known by a record, stopped by their process id.

A test run that is killed cannot stop what it started. So every server writes a record of itself before it becomes the
server, and whoever comes next ends those whose owner is gone (`stop_orphans`, called by `make lab-down`).
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.system.parts.cache import cache_directory

MARK = "KUBECTL_STEPUP_TEST_BED"
"""In each server's environment: the name of its record. Process ids are used again, this is not."""

LAB = "lab"
"""The owner of what outlives the process that started it."""

# The shell has the server's process id already, writes it down and becomes the server. Until it has, the mark in its
# environment tells.
_BECOME = 'echo "$$" > "$0" && exec "$@"'
_LOOK_S = 0.05
_GRACE_S = 15.0


class NotReady(Exception):
    """A server that ended or did not become ready in time; the message has the last of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server."""

    name: str
    pid: int
    log: Path
    record: Path

    @property
    def running(self) -> bool:
        """Whether the process still is this server."""
        return is_marked(self.pid, self.record.name)

    def signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        with contextlib.suppress(ProcessLookupError):
            if self.running and self.pid > 1:
                os.kill(self.pid, number)

    def stop(self, grace_s: float = _GRACE_S) -> None:
        """End it and wait for the end; a server that does not end by itself is killed."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            self.signal(number)
            with contextlib.suppress(NotReady):
                wait_until(lambda: not self.running, f"the end of {self.name}", within_s=grace_s)
                _forget(self.record)
                return
        raise NotReady(f"{self.name} (process {self.pid}) does not end")


@contextmanager
def running(
    name: str,
    command: Sequence[str | Path],
    *,
    directory: Path,
    environ: Mapping[str, str],
    owner: str | None = None,
    stdin: bytes = b"",
) -> Iterator[Server]:
    """Start a server, which logs to `directory`; stop it at the end.

    One whose owner is LAB stays when this is thrown away (`ExitStack.pop_all`) instead of ended.
    """
    server = start(name, command, directory=directory, environ=environ, owner=owner, stdin=stdin)
    stays = False
    try:
        yield server
    except GeneratorExit:
        stays = owner == LAB
        raise
    finally:
        if not stays:
            server.stop()


def start(
    name: str,
    command: Sequence[str | Path],
    *,
    directory: Path,
    environ: Mapping[str, str],
    owner: str | None = None,
    stdin: bytes = b"",
) -> Server:
    """Start a server, which finds `stdin` on its standard input; `owner` is LAB for one that outlives this process."""
    token = f"{name}-{secrets.token_hex(8)}"
    record = records() / token
    whole = record.with_suffix(".new")
    whole.write_text(json.dumps({"name": name, "owner": owner or _identity(os.getpid())}))
    whole.replace(record.with_suffix(".json"))
    log = directory / f"{name}.log"
    words = ["/bin/sh", "-c", _BECOME, str(record), *(str(word) for word in command)]
    with log.open("wb") as out, tempfile.TemporaryFile() as given:
        given.write(stdin)
        given.seek(0)
        process = subprocess.Popen(
            words,
            stdin=given,
            stdout=out,
            stderr=out,
            env={**environ, MARK: token},
            cwd=directory,
            start_new_session=True,
        )
    _CHILDREN[token] = process
    return Server(name=name, pid=process.pid, log=log, record=record)


_CHILDREN: dict[str, subprocess.Popen[bytes]] = {}
"""Our own children by record. Their ids are theirs until we ask for their exit code, which `poll` does."""


def wait_until(
    holds: Callable[[], bool],
    what: str,
    *,
    within_s: float = 60,
    server: Server | None = None,
    every_s: float = _LOOK_S,
) -> None:
    """Wait for something outside to hold.

    Raises:
        NotReady: it did not within `within_s` seconds, or `server` ended.

    """
    end = time.monotonic() + within_s
    while not holds():
        if server is not None and not server.running:
            raise NotReady(f"{server.name} ended while waiting for {what}: {tail(server.log)}")
        if time.monotonic() > end:
            raise NotReady(f"no {what} within {within_s:.0f} s{': ' + tail(server.log) if server else ''}")
        time.sleep(every_s)


def tail(log: Path, characters: int = 1500) -> str:
    """Return the last of a log."""
    return log.read_text(errors="replace")[-characters:]


def records() -> Path:
    """Return the directory of the records."""
    directory = cache_directory() / "running"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory


def stop_orphans(*, lab: bool) -> list[str]:
    """End what was started by processes that are gone, and with `lab` what was started to outlive its starter.

    Gives the names of the servers that were ended.
    """
    ended = []
    # The last started first: an API server without its store waits for it in vain.
    for record in sorted(_recorded(), key=_age):
        # Another run may end its own server, and with it the record, at any moment.
        with contextlib.suppress(FileNotFoundError):
            known = json.loads(record.with_suffix(".json").read_text())
            if not (lab if known["owner"] == LAB else not _lives(known["owner"])):
                continue
            server = Server(name=known["name"], pid=_pid_of(record), log=Path(os.devnull), record=record)
            if server.running:
                server.stop()
                ended.append(server.name)
            _forget(record)
    return ended


def _recorded() -> list[Path]:
    return [description.with_suffix("") for description in records().glob("*.json")]


def _age(record: Path) -> float:
    with contextlib.suppress(FileNotFoundError):
        return -record.with_suffix(".json").stat().st_mtime_ns
    return 0


def _pid_of(record: Path) -> int:
    """Return the process id of a record; of a server that was killed on its way, or never came to be, 0."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        return int(record.read_text())
    marked = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal())
    return next((pid for pid in marked if is_marked(pid, record.name)), 0)


def is_marked(pid: int, token: str) -> bool:
    """Whether a process is the one that has this record."""
    child = _CHILDREN.get(token)
    if child is not None and child.pid == pid:
        return child.poll() is None
    try:
        environ = Path(f"/proc/{pid}/environ").read_bytes()
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    # A zombie has ended, whatever is still known of it.
    return state != "Z" and f"{MARK}={token}".encode() in environ.split(b"\0")


def _forget(record: Path) -> None:
    _CHILDREN.pop(record.name, None)
    for path in (record, record.with_suffix(".json")):
        path.unlink(missing_ok=True)


def _identity(pid: int) -> str:
    """Name a process for good: its id and its start time, in clock ticks since boot."""
    return f"{pid} {Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[19]}"


def _lives(identity: str) -> bool:
    try:
        return _identity(int(identity.split()[0])) == identity
    except OSError:
        return False
