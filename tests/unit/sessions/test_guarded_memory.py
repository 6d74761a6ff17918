"""A guarded process on a real kernel: no debugger, no look into its memory, no core file; its children are as ever."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from kubectl_stepup.sessions.guarded_memory import guard_memory
from tests.support.lab.debugger import REFUSED, as_a_user, look_at

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")

SECRET = "eyJhbGciOiJSUzI1NiJ9.Z3VhcmRlZA.c2lnbmF0dXJl"
HOLDS = """
import os, sys
from kubectl_stepup.sessions.guarded_memory import guard_memory
if sys.argv[1] == "guarded":
    guard_memory()
held = os.environ["SECRET"]
print("ready", flush=True)
sys.stdin.read()
"""


@contextmanager
def holding(how: str) -> Iterator[subprocess.Popen[str]]:
    """Run a process of a user that holds a secret in memory and in its environment."""
    with subprocess.Popen(
        [*as_a_user(), sys.executable, "-c", HOLDS, how],
        env={"SECRET": SECRET, "PYTHONPATH": str(Path(__file__).parents[3])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert line(process.stdout) == "ready"
        yield process
        process.kill()


def line(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline().strip()


def test_the_users_own_processes_cannot_look_into_a_guarded_one() -> None:
    with holding("unguarded") as process:
        if "mem: read" not in look_at(process.pid):
            pytest.skip("this machine lets no process look into another")
    with holding("guarded") as process:
        assert look_at(process.pid) == REFUSED


def test_a_guarded_process_leaves_no_core_file(tmp_path: Path) -> None:
    """PROC-12."""
    crash = "import os, signal; {}os.kill(os.getpid(), signal.SIGABRT)"
    guard = "from kubectl_stepup.sessions.guarded_memory import guard_memory; guard_memory(); "

    def dumped(body: str) -> bool:
        def unlimited() -> None:
            hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
            resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))

        pid = os.fork()
        if pid == 0:
            os.chdir(tmp_path)
            unlimited()
            os.execv(sys.executable, [sys.executable, "-P", "-c", body])
        status = os.waitpid(pid, 0)[1]
        assert os.WTERMSIG(status) == signal.SIGABRT
        return os.WCOREDUMP(status)

    if not dumped(crash.format("")):
        pytest.skip("this machine writes no core files")
    assert not dumped(crash.format(guard))


def test_what_a_guarded_process_starts_is_as_ever() -> None:
    body = (
        "import subprocess, sys\n"
        "from kubectl_stepup.sessions.guarded_memory import guard_memory\n"
        "guard_memory()\n"
        "show = 'import ctypes, resource as r; print(ctypes.CDLL(None).prctl(3), *r.getrlimit(r.RLIMIT_CORE))'\n"
        "exec(show)\n"
        "sys.stdout.flush()\n"
        "subprocess.run([sys.executable, '-c', show], check=True)\n"
    )
    shown = subprocess.run([sys.executable, "-c", body], capture_output=True, text=True, check=True).stdout
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    assert shown.splitlines() == [f"0 0 {hard}", f"1 0 {hard}"]


def test_where_the_kernel_does_not_know_it_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubectl_stepup.sessions.stores.keyctl._NUMBER", None)
    limits: list[tuple[int, tuple[int, int]]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda which, limit: limits.append((which, limit)))

    guard_memory()

    assert limits == [(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))]
