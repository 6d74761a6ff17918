"""Who may use a stored session: this terminal session (as sudo does), or the whole user; and the time (fast path).

Reads /proc and the boot-time clock. The scope `tty` is the terminal's device number, the session leader's pid and the
leader's start time: a new login on the same terminal, and a leader's pid that is used again, are other scopes.
"""

from __future__ import annotations

import time

from kubectl_stepup.posix_calls import calls
from kubectl_stepup.sessions.stored_session import Moment

PREFIX = "kubectl-stepup:"
USER_SCOPE = "user"
HANDED_OVER = "handover"
EVERY_SCOPE = "all"
"""No session is kept under it: it stands for the sessions of an id in every terminal."""

_HEX = frozenset("0123456789abcdef")


def key(session_id: str, scope: str) -> str:
    """Return the name a session is stored under; lower-case letters, digits, `:` and `-` alone."""
    return f"{PREFIX}{session_id}:{scope}"


def session_id_of(stored_key: str) -> str | None:
    """Return the session id that a stored key names; None when the key is none of ours."""
    parts = stored_key.split(":")
    return parts[1] if len(parts) == 3 and f"{parts[0]}:" == PREFIX and is_session_id(parts[1]) else None


def scope_of(stored_key: str) -> str:
    """Return the scope that a stored key names."""
    return stored_key.rpartition(":")[2]


def is_session_id(text: str) -> bool:
    """Whether `text` has the form of a session id: 32 lower-case hex digits."""
    return len(text) == 32 and _HEX.issuperset(text)


def terminal_scope() -> str:
    """Return the scope of this process's terminal session.

    Linux: `tty-<device>-<leader pid>-<leader start time>`, or `sid-<leader pid>-<leader start time>` without a
    terminal. Elsewhere: `sid-<session id>`; a leader's start time cannot be had there without starting another
    program, so a session id that is used again within the reuse time would share.
    """
    own = _stat("self")
    if own is None:
        return f"sid-{calls.getsid(0)}"
    leader, terminal = own[3], own[4]
    leader_stat = _stat(leader)
    # The leader may have exited, or be hidden (hidepid): its pid stays taken for as long as its session lives.
    started = leader_stat[19] if leader_stat is not None else "gone"
    return f"tty-{terminal}-{leader}-{started}" if terminal != "0" else f"sid-{leader}-{started}"


def process_started_boottime() -> float:
    """Return when this process started, by the clock of `moment().boottime`; 0 where the platform does not tell."""
    own = _stat("self")
    return 0.0 if own is None else int(own[19]) / calls.sysconf("SC_CLK_TCK")


def moment() -> Moment:
    """Read the three clocks that a session's time is measured by."""
    # NOTE: macOS has no CLOCK_BOOTTIME; its CLOCK_MONOTONIC goes on while the machine sleeps (time.monotonic() does
    # not).
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return Moment(wall=time.time(), boottime=time.clock_gettime(clock), boot_id=_boot_id())


def _boot_id() -> str:
    try:
        return _read("/proc/sys/kernel/random/boot_id").decode("ascii").strip()
    except (OSError, ValueError):
        return ""


def _stat(process: str) -> list[str] | None:
    # proc_pid_stat(5): the second field, the command's name, may hold spaces and brackets; fields count from the state
    # that follows it: 3 the session, 4 the terminal, 19 the start time in clock ticks since boot.
    try:
        text = _read(f"/proc/{process}/stat").decode("ascii", "replace")
    except OSError:
        return None
    fields = text[text.rfind(")") + 2 :].split()
    return fields if len(fields) > 19 else None


def _read(path: str) -> bytes:
    # NOTE: not open(): the buffered and text layers cost more than the read.
    descriptor = calls.open(path, calls.O_RDONLY | calls.O_CLOEXEC)
    try:
        return calls.read(descriptor, 4096)
    finally:
        calls.close(descriptor)
