"""One step-up at a time: for a session over all of the user's processes, and for a terminal over all sessions."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from kubectl_stepup.sessions import scope
from kubectl_stepup.sessions.lock import Holder, acquire
from kubectl_stepup.ui.notices import waiting_for_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from kubectl_stepup.stepup.app import App
    from kubectl_stepup.stepup.elevate import Elevation

    Find = Callable[[], Elevation | None]

LOCK_WAIT_S = 900.0
"""How long to wait for another process's step-up: as long as a device code usually lives."""


@contextmanager
def single_flight(session_id: str, find: Find, app: App) -> Iterator[Elevation | None]:
    """Yield None to the one process that must ask, and to those that waited for it what `find` then finds.

    The terminal's lock keeps the prompts of other clusters and levels apart: a terminal shows one at a time.

    Raises:
        LockTimeout: another process does not finish.
        StoreUnavailable: the lock file is not one of ours.
    """

    def turn(name: str) -> AbstractContextManager[Elevation | None]:
        return acquire(app.runtime_directory, name, answer=find, timeout_s=LOCK_WAIT_S, on_wait=tell, clock=app.clock)

    def tell(holder: Holder | None) -> None:
        if holder is None:
            app.terminal.line(waiting_for_line(pid=None, terminal=None, age_s=None))
        else:
            age_s = app.clock.now() - holder.since
            app.terminal.line(waiting_for_line(pid=holder.pid, terminal=holder.terminal, age_s=age_s))

    with turn(session_id) as found:
        if found is not None:
            yield found
            return
        with turn(scope.terminal_scope()) as found_meanwhile:
            yield found_meanwhile
