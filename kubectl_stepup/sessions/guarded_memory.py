"""Keep tokens out of core files and from debuggers, from before the first one is in memory.

A program of the same user can still do what the user can; this closes the easy ways: a core file that
somebody uploads with a bug report, a debugger that attaches, `/proc/PID/mem` and `/proc/PID/environ`.

Spec: PR_SET_DUMPABLE in prctl(2), RLIMIT_CORE in getrlimit(2), ptrace(2) on who may attach.
"""

from __future__ import annotations

import contextlib
import sys

from kubectl_stepup.sessions.stores.keyctl import forbid_dumps


def guard_memory() -> None:
    """Protect the memory of this process as far as the machine can."""
    with contextlib.suppress(OSError):
        forbid_dumps()
    if sys.platform == "win32":
        return
    import resource

    # The soft limit alone, which anybody may raise again. The elevated kubectl inherits it: it holds the token as well.
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
