"""Where downloads and builds are kept: outside the tree, made once, whole or not there at all."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

MACHINE: Mapping[str, str] = dict(os.environ)
"""The machine's own environment, read before a test gives itself another home: package managers have caches there."""

REQUIRED = "KUBECTL_STEPUP_SYSTEM_REQUIRED"
"""Set to anything but `0`: a missing part is a failure. For machines that should have them all."""


class Missing(Exception):
    """A part that this machine lacks, and how to get it."""

    def __init__(self, part: str, how: str) -> None:
        super().__init__(f"{part} is missing: {how}")
        self.part, self.how = part, how


def cache_directory(environ: Mapping[str, str] = MACHINE) -> Path:
    """Return the directory for downloads and builds."""
    named = environ.get("KUBECTL_STEPUP_SYSTEM_CACHE")
    if named:
        # Absolute: what is written there is written by programs that run elsewhere.
        return Path(named).expanduser().absolute()
    base = environ.get("XDG_CACHE_HOME", "")
    home = Path(environ.get("HOME", "~")).expanduser() / ".cache"
    # A relative value is to be ignored (XDG Base Directory Specification).
    return (Path(base) if os.path.isabs(base) else home) / "kubectl-stepup-system"


def made(name: str, make: Callable[[Path], None]) -> Path:
    """Return the directory `name` of the cache, made by `make` where it is not there yet.

    `make` gets an empty directory, which takes its place only when it is complete; a second process waits for the
    first. A name holds a version or a digest of what the thing is made from: what is there is never looked at again.
    """
    home = cache_directory() / name
    if home.exists():
        return home
    home.parent.mkdir(parents=True, exist_ok=True)
    with (home.parent / f"{home.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.exists():
            fresh = home.with_name(f"{home.name}.new")
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir()
            make(fresh)
            fresh.replace(home)
    return home


def program(name: str, part: str, how: str) -> str:
    """Return the path of a program of the machine; `how` says how to get it."""
    found = shutil.which(name, path=MACHINE.get("PATH"))
    if found is None:
        raise Missing(part, f"{name} is not on PATH; {how}")
    return found


def run(
    part: str, command: Sequence[str | Path], *, cwd: Path | None = None, timeout_s: float = 900, **environ: str
) -> str:
    """Run a command that obtains a part, with the machine's environment; return its output.

    Raises:
        Missing: it failed, with its last words; a machine without a network cannot download.

    """
    words = " ".join(str(word) for word in command)
    try:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=cwd,
            env={**MACHINE, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(part, f"`{words}` failed: {error}") from error
    if done.returncode != 0:
        raise Missing(part, f"`{words}` failed: {(done.stderr or done.stdout).strip()[-600:]}")
    return done.stdout
