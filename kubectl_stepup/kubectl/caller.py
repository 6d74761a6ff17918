"""End with the kubectl that started us (processes, signals): nobody would take the token, and the prompt would stay.

kubectl ends at once by SIGTERM or Ctrl-C and leaves its exec plugin running. PR_SET_PDEATHSIG would tell, but for the
thread that started us, which in a Go program may end before its process does.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading

LOOK_S = 0.5
GRACE_S = 1.0
"""How long cancelling may take; 2 s after its caller this process is gone in any case."""


def end_with_caller() -> None:
    """Cancel what this process does, as Ctrl-C would, when its parent is gone."""
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True, name="caller").start()


def _watch(caller: int) -> None:
    never = threading.Event()
    while os.getppid() == caller:
        never.wait(LOOK_S)
    main = threading.main_thread().ident
    if main is not None:
        # To that very thread: what it waits for is interrupted only then. It may have ended by now.
        with contextlib.suppress(OSError):
            signal.pthread_kill(main, signal.SIGINT)
    never.wait(GRACE_S)
    os._exit(1)
