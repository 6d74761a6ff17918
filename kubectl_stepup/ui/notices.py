"""The one-line notices that go with a command."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from kubectl_stepup.durations import ago, duration, wall_clock
from kubectl_stepup.sanitise import safe
from kubectl_stepup.ui.quoted_text import without_leads

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

IN_BACKGROUND = "in the background"
BEHIND_TIMEOUT = "in the background, where timeout puts what it runs"
ANOTHER_SESSION = "the terminal is another session's"
"""Why no person can be prompted on an existing terminal."""


def reuse_line(*, level: str, cluster: str, age_s: float, command: str) -> str:
    """Say that an approval of `age_s` seconds ago is reused, and the command it was given for (empty: a login)."""
    purpose = f'for "{safe(command, 120)}"' if command else "by login"
    return f"Using {safe(level, 40)} in {safe(cluster, 80)}, approved {ago(age_s)} {purpose}"


def waiting_for_line(*, pid: int | None, terminal: str | None, age_s: float | None) -> str:
    """Say which process is stepping up, where (`/dev/pts/3` is shown as `pts/3`), and since when."""
    process = "another process" if pid is None else f"process {pid}"
    where = "" if terminal is None else f" on {safe(terminal.removeprefix('/dev/'), 40)}"
    since = "" if age_s is None else f", started {ago(age_s)}"
    return f"Waiting for the step-up in {process}{where}{since}. Ctrl-C cancels, nothing has run."


def time_short_line(*, level: str, longest_s: float, left_s: float) -> str:
    """Warn that a running command will be ended soon, and say why."""
    return f"warning: {_longest(level, longest_s)}: this one is ended in {duration(left_s)}"


def time_up_line(*, level: str, longest_s: float) -> str:
    """Say that a running command is ended now, and why."""
    return f"error: time is up: {_longest(level, longest_s)}; hanging up"


def _longest(level: str, longest_s: float) -> str:
    return f"level {safe(level, 40)} lets a command run for {duration(longest_s)}"


def not_stored_line(message: str) -> str:
    """Warn that the session was not stored; the command runs all the same."""
    return f"warning: the elevation session is not stored, the next command asks again: {safe(message)}"


def session_ended_line(*, level: str, cluster: str) -> str:
    """Say that `setup` ended a session, because its enrolment changed."""
    return f"Ended the elevation to {safe(level, 40)} in {safe(cluster, 80)}: its enrolment has changed"


def session_not_ended_line(message: str) -> str:
    """Warn that a session could not be removed."""
    return f"warning: an elevation could not be removed: {safe(message)}. Try again: kubectl stepup logout --all"


def clock_set_back_line(*, level: str, cluster: str) -> str:
    """Warn that a stored session is dropped, because the clock was set back."""
    where = f"{safe(level, 40)} in {safe(cluster, 80)}"
    return f"warning: the elevation to {where} was approved later than the clock reads now: it is dropped"


def audit_off_line(message: str) -> str:
    """Warn that a run is not in the audit log."""
    return f"warning: not recorded: {safe(message)}"


def policy_warning_line(warning: str) -> str:
    """Write the warning of a rule in mode `warn`."""
    return f"warning: {safe(warning)}"


def overlay_lost_line(path: str) -> str:
    """Warn that an elevated command lost its kubeconfig while it ran."""
    return (
        f"warning: {safe(path, 500)} was removed while the command ran: a kubectl that it started after that ran with "
        "your everyday login"
    )


def differ_unused_line() -> str:
    """Say that an elevated `kubectl diff` uses `diff`, and why."""
    return "note: KUBECTL_EXTERNAL_DIFF is not used: our own program has no path by which kubectl could start it first"


def policy_ignored_line(message: str) -> str:
    """Warn that a cluster publishes an invalid policy; the one before stays in force."""
    return f"warning: the published policy is ignored: {safe(without_leads(message[:400]))}"


def forgotten_lines(forgotten: Sequence[str], wanted: str | None) -> Iterator[str]:
    """Say which published policies were removed from the cache; `wanted` is one cluster, None: all."""
    for cluster in forgotten:
        yield f"Forgot the policy that cluster {safe(cluster, 80)} published"
    if not forgotten:
        yield f"Nothing is kept that {'a cluster' if wanted is None else f'cluster {safe(wanted, 80)}'} published"


def unenrolled_line(context: str | None) -> str:
    """Say that the policy would require a step-up if the context were enrolled."""
    if context is None:
        return "No context is enrolled here: running with your everyday login, without step-up"
    name = safe(context, 80)
    enrol = f"kubectl stepup setup --context {shlex.quote(name)}"
    return f"Context {name} is not enrolled: running with your everyday login, without step-up. Enrol it: {enrol}"


def ended_line(*, level: str, cluster: str) -> str:
    """Say that a session was ended."""
    return f"Ended {safe(level, 40)} in {safe(cluster, 80)}"


def still_valid_line(*, expires_at: float, now: float, timezone: tzinfo | None = None) -> str:
    """Say that an ID token of an ended session stays valid (times in seconds since the epoch)."""
    until = wall_clock(expires_at, now=now, timezone=timezone)
    length = duration(expires_at - now)
    return f"An ID token cannot be revoked: a copy of it would work until {until} ({length})"


def nothing_to_end_line(where: str | None) -> str:
    """Say that `logout` found no session; `where` is a cluster, None: anywhere."""
    return "No elevation session" + (f" in {safe(where, 80)}" if where else "")


_REVOKED = {True: "; access token revoked", False: "; the provider did not revoke the access token", None: ""}


def logout_text(
    ended: Sequence[tuple[str, str, float]],
    *,
    revoked: Sequence[bool | None],
    now: float,
    where: str | None,
    timezone: tzinfo | None = None,
) -> str:
    """Write what `logout` ended; `ended` has (level, cluster, end of the ID token in seconds since the epoch)."""
    if not ended:
        return nothing_to_end_line(where)
    lines = [
        ended_line(level=level, cluster=cluster) + _REVOKED[answer]
        for (level, cluster, _), answer in zip(ended, revoked, strict=True)
    ]
    latest = max(expires_at for _, _, expires_at in ended)
    if latest > now:
        lines.append(still_valid_line(expires_at=latest, now=now, timezone=timezone))
    return "\n".join(lines)
