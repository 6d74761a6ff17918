"""What a debugger or gcore of the same user gets of a process: the kernel's own answers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

import pytest

NOBODY = 65534
REFUSED = ["mem: Permission denied", "environ: Permission denied", "ptrace: Operation not permitted"]

_LOOKS = """
import ctypes, os, sys
pid, libc = int(sys.argv[1]), ctypes.CDLL(None, use_errno=True)
def reading(name):
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return "read" if name == "mem" or file.read() else "empty"
    except OSError as error:
        return os.strerror(error.errno)
print("mem:", reading("mem"))
print("environ:", reading("environ"))
# PTRACE_SEIZE: a debugger that does not stop what it looks at.
attached = libc.ptrace(0x4206, pid, None, None)
print("ptrace:", "attached" if attached == 0 else os.strerror(ctypes.get_errno()))
"""


def as_a_user() -> Sequence[str]:
    """Return the words that give up root, whom nothing of this stops; none where we are a user anyway."""
    if os.getuid() != 0:
        return ()
    found = next((path for path in ("/usr/bin/setpriv", "/bin/setpriv") if os.access(path, os.X_OK)), None)
    if found is None:
        pytest.skip("no setpriv to give up root with")
    words = (found, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all")
    if subprocess.run([*words, sys.executable, "-c", ""], capture_output=True, check=False).returncode != 0:
        pytest.skip("this Python is root's alone")
    return words


def look_at(pid: int) -> list[str]:
    """Say what the same user's debugger gets of a process, in lines as in `REFUSED`."""
    command = [*as_a_user(), sys.executable, "-c", _LOOKS, str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
