"""The launcher, compiled with the sanitizers, beside a Python program that only says how it was called."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from kubectl_stepup import __version__
from launcher.compiler import PROGRAMS

SOURCES = Path(__file__).parents[2] / "launcher"
SANITIZERS = ("-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer")
# In place of the Python program: its arguments, and of the environment what a launcher may not hand on.
STAND_IN = """\
#!/bin/sh
printf 'python program:'
printf ' <%s>' "$@"
printf '\\n'
env | grep -E '^(PYTHON|KUBECTL_STEPUP_PYTHON|KEPT)' | LC_ALL=C sort
exit 77
"""
HANDED_ON = 77
COMPILERS = (os.environ.get("CC", ""), *PROGRAMS) if sys.platform == "linux" else ()
COMPILER = next(filter(None, map(shutil.which, COMPILERS)), None)
has_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler for Linux")


@dataclass(frozen=True, slots=True)
class Launcher:
    """The compiled program, and where the system's policy would be for it."""

    path: Path
    system_policy: Path

    def run(
        self, *words: str | bytes, environ: Mapping[str, str], timeout: float = 60, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run it in an environment of these variables alone."""
        return subprocess.run(
            [self.path, *words],
            env={**environ, "ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1"},
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=timeout,
            cwd=cwd,
            check=False,
        )

    def answer(self, arguments: Sequence[str], environ: Mapping[str, str]) -> bytes | None:
        """Return what `credential` answers; None where that was left to the Python program."""
        done = self.run("credential", *arguments, environ=environ)
        assert done.stderr == b""
        if done.returncode == HANDED_ON:
            assert done.stdout.startswith(b"python program: <credential>")
            return None
        assert done.returncode == 0
        return done.stdout


@pytest.fixture(scope="session")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Launcher:
    """Compile the launcher; no test of it runs where there is no compiler."""
    if COMPILER is None:
        pytest.skip("the launcher is for Linux, and there is no C compiler to build it with (apt-get install gcc)")
    place = tmp_path_factory.mktemp("launcher")
    program, policy = place / "kubectl-stepup", place / "etc/policy.yaml"
    defined = [f'-DVERSION="{__version__}"', f'-DSYSTEM_POLICY="{policy}"', "-D_GNU_SOURCE"]
    words = [COMPILER, "-std=c11", *SANITIZERS, *defined, *sorted(map(str, SOURCES.glob("*.c"))), "-o", str(program)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if "sanitize" in done.stderr or "asan" in done.stderr:
        words = [word for word in words if word not in SANITIZERS]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    beside = place / "kubectl_stepup-python"
    beside.write_text(STAND_IN)
    beside.chmod(0o755)
    return Launcher(program, policy)


@pytest.fixture
def system_policy(launcher: Launcher) -> Iterator[Path]:
    """Return the path of the system's policy, where a test may put one, or make its directory unusual."""
    directory = launcher.system_policy.parent
    directory.mkdir()
    yield launcher.system_policy
    if directory.is_symlink() or not directory.is_dir():
        directory.unlink()
    else:
        shutil.rmtree(directory)
