"""The device prompt, and the lines after an approval.

Spec: RFC 8628 section 3.3 (what is shown), 3.3.1 (the code is shown beside a complete URI) and 5.4 (remote phishing:
people approve only what they started).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_stepup.durations import ago, duration, left, wall_clock
from kubectl_stepup.sanitise import safe, safe_url
from kubectl_stepup.ui.command_line import kubectl_line
from kubectl_stepup.ui.quoted_text import published_rules_lines, quoted_lines

if TYPE_CHECKING:
    from datetime import tzinfo

    from kubectl_stepup.policy.quoted_text import QuotedText

CODE_LIMIT = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePrompt:
    """Everything that a person sees before approving.

    `summary` says what the command would do (`delete pods in prod`); it and `command` (kubectl's arguments, secrets
    redacted) are empty for a plain login. `messages`, in quotes, and `published_rules` (cluster and name) were
    written by others and come last. `reuse_s` is how long the approval covers other commands, 0: this command only;
    `everywhere`: it covers all of the user's terminals. `browser_note` says why no browser is opened; None: one is.
    """

    summary: str
    rules: tuple[str, ...]
    level: str
    cluster: str
    server: str
    user: str
    command: tuple[str, ...]
    verification_uri: str
    verification_uri_complete: str | None
    user_code: str
    reuse_s: float
    everywhere: bool = False
    reason: str | None = None
    browser_note: str | None = None
    warning: str | None = None
    published_rules: tuple[tuple[str, str], ...] = ()
    messages: tuple[QuotedText, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A verified approval. Times are seconds since the epoch; `ends_at` is None if it covers this command only."""

    user: str
    level: str
    cluster: str
    acr: str | None
    amr: tuple[str, ...]
    signed_in_at: float | None
    ends_at: float | None
    now: float


def device_prompt(prompt: DevicePrompt) -> str:
    """Write the device prompt, without the waiting line that follows it."""
    lines = [
        _title(prompt),
        f"  cluster  {safe(prompt.cluster, 80)}  {safe_url(prompt.server)}",
        f"  user     {safe(prompt.user, 120)}",
    ]
    if prompt.command:
        lines.append(f"  command  {kubectl_line(prompt.command)}")
    if prompt.reason:
        lines.append(f"  reason   {safe(prompt.reason)}")
    lines += ["", *_steps(prompt), "", _reuse(prompt)]
    if prompt.warning:
        lines.append(f"warning: {safe(prompt.warning)}")
    lines.append(f"Approve only what you started yourself. {_browser(prompt)}")
    lines += published_rules_lines(prompt.published_rules)
    lines += quoted_lines(prompt.messages)
    return "\n".join(lines)


def waiting_line(seconds_left: float) -> str:
    """Write the countdown line while the person decides."""
    return f"Waiting for approval, {left(seconds_left)} left. Ctrl-C cancels, nothing has run."


def approved_text(approval: Approval, *, timezone: tzinfo | None = None) -> str:
    """Write who approved, what was proven, and how long the approval lasts."""
    proven = []
    if approval.acr:
        proven.append(f"acr={safe(approval.acr, 80)}")
    if approval.amr:
        proven.append("amr=" + "+".join(safe(method, 20) for method in approval.amr))
    if approval.signed_in_at is not None:
        proven.append(f"signed in {ago(approval.now - approval.signed_in_at)}")
    first = f"Approved: {safe(approval.user, 120)}, level {safe(approval.level, 40)}"
    if proven:
        first += f" ({', '.join(proven)})"
    cluster = safe(approval.cluster, 80)
    if approval.ends_at is None:
        return f"{first}\nElevated in {cluster} for this command alone."
    until = wall_clock(approval.ends_at, now=approval.now, timezone=timezone)
    length = duration(approval.ends_at - approval.now)
    return f"{first}\nElevated in {cluster} until {until} ({length}). End it with: kubectl stepup logout"


def _title(prompt: DevicePrompt) -> str:
    level = safe(prompt.level, 40)
    if not prompt.summary:
        return f"Step-up to level {level} in {safe(prompt.cluster, 80)}"
    names = ", ".join(safe(rule, 60) for rule in prompt.rules)
    rules = f"rule{'s' if len(prompt.rules) > 1 else ''} {names}, " if prompt.rules else ""
    return f"Step-up needed: {safe(prompt.summary)}  ({rules}level {level})"


def _steps(prompt: DevicePrompt) -> list[str]:
    code = safe(prompt.user_code, CODE_LIMIT)
    if prompt.verification_uri_complete is None:
        address = [f"  1. Open          {safe_url(prompt.verification_uri)}", f"  2. Enter code    {code}"]
    else:
        address = [
            f"  1. Open          {safe_url(prompt.verification_uri_complete)}",
            f"     or elsewhere  {safe_url(prompt.verification_uri)}",
            f"  2. Compare code  {code}",
        ]
    return [*address, "  3. Approve with your second factor"]


def _reuse(prompt: DevicePrompt) -> str:
    if prompt.reuse_s <= 0:
        return "This approval is for this command alone." if prompt.command else "This approval is for one use."
    where = "from all your terminals" if prompt.everywhere else "from this terminal"
    which = "also covers other commands" if prompt.command else "covers commands"
    scope = f"need {safe(prompt.level, 40)} in {safe(prompt.cluster, 80)}"
    return f"This approval {which} that {scope}, for up to {duration(prompt.reuse_s)}, {where}."


def _browser(prompt: DevicePrompt) -> str:
    if prompt.browser_note is None:
        return "Opening your browser."
    return f"Not opening a browser: {safe(prompt.browser_note)}."
