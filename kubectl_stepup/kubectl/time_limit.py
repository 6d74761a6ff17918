"""End a child when its time is up, as a terminal that hangs up would (signals, a thread).

As sshd and sudo end a session: SIGHUP first, by which `kubectl exec -it` puts the terminal right and leaves, then what
cannot be overheard. A stopped child is made to go on, or it would hear nothing.

Spec: signal(7); SIGHUP and SIGCONT go together in setpgid(2), "orphaned process group".
"""

from __future__ import annotations

import contextlib
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Final, Protocol

    from kubectl_stepup.clock import Clock

    class Running(Protocol):
        """What is ended: a child, or a read of ours."""

        def send_signal(self, sig: int, /) -> None:
            """Do as this signal says."""

        def terminate(self) -> None:
            """End."""

        def kill(self) -> None:
            """End at once."""


GRACE_S: Final = 5.0
"""How long a child may take after SIGHUP until SIGTERM, and after that until SIGKILL."""

_LOOK_S: Final = 10.0
"""How often to look at the clock: a thread's own wait stands still while the machine sleeps."""

_SAY_S: Final = 1.0
"""How long saying it may take; a terminal that was stopped by Ctrl-S keeps nobody alive."""


class TimeLimit:
    """At most `longest_s` seconds for a child, sleep of the machine included.

    `tell(left_s)` is called in a thread of its own `warning_s` before the end, and with 0 at the end.
    """

    def __init__(self, longest_s: float, *, warning_s: float, tell: Callable[[float], None], clock: Clock) -> None:
        self.longest_s = longest_s
        self.warning_s = warning_s
        self.tell = tell
        self._clock = clock
        self._ended = threading.Event()

    @contextmanager
    def over(self, child: Running) -> Iterator[None]:
        """Watch over the child during the body, from now on."""
        watch = threading.Thread(target=self._watch, args=(child, self._clock.monotonic()), daemon=True, name="limit")
        watch.start()
        try:
            yield
        finally:
            self._ended.set()

    def _watch(self, child: Running, start: float) -> None:
        steps: tuple[tuple[float, Callable[[], object]], ...] = (
            (self.longest_s - self.warning_s, lambda: self._say(self.warning_s)),
            (self.longest_s, lambda: self._hang_up(child)),
            (self.longest_s + GRACE_S, child.terminate),
            (self.longest_s + 2 * GRACE_S, child.kill),
        )
        for after_s, step in steps:
            if self._ends_before(start + after_s):
                return
            # A step that is not allowed (a child of another user) must not keep the stronger ones from being tried.
            with contextlib.suppress(OSError):
                step()

    def _ends_before(self, moment: float) -> bool:
        while (left_s := moment - self._clock.monotonic()) > 0:
            if self._ended.wait(min(left_s, _LOOK_S)):
                return True
        return self._ended.is_set()

    def _hang_up(self, child: Running) -> None:
        self._say(0.0)
        for number in (signal.SIGHUP, signal.SIGCONT):
            child.send_signal(number)

    def _say(self, left_s: float) -> None:
        def say() -> None:
            with contextlib.suppress(OSError):  # the terminal is gone
                self.tell(left_s)

        saying = threading.Thread(target=say, daemon=True, name="limit, saying it")
        saying.start()
        saying.join(_SAY_S)
