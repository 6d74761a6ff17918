"""What must hold when another file is laid beside a policy: it weakens no decision, and changes none elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup.policy.evaluate import decide

if TYPE_CHECKING:
    from kubectl_stepup.kubectl.command import KubectlCommand
    from kubectl_stepup.policy.decision import Decision
    from kubectl_stepup.policy.model import Level, Policy, Target

EFFECTS = ("allow", "stepup", "refuse")


def weaker(before: Policy, after: Policy, command: KubectlCommand, target: Target) -> str | None:
    """Say how a policy is weaker than another about one command; None: it is not."""
    one, other = decide(before, command, target), decide(after, command, target)
    if EFFECTS.index(other.effect) < EFFECTS.index(one.effect):
        return f"{one.effect} became {other.effect}"
    if one.reason_required and other.effect == "stepup" and not other.reason_required:
        return "no reason is asked for any more"
    if one.effect != "stepup" or other.effect != "stepup":
        return None
    asked, now_asked = _level(before, one, target), _level(after, other, target)
    there = after.on(target)
    known = any(level.name == asked.name for level in there.levels)  # else it is read as a stronger one
    if known and there.rank(now_asked.name) < there.rank(asked.name):
        return f"level {asked.name} became {now_asked.name}"
    for field in ("signed_in_within_s", "ask_again_after_s", "max_duration_s", "server_window_s"):
        was, now = getattr(asked, field), getattr(now_asked, field)
        same = field != "server_window_s" or asked.name == now_asked.name  # every level has a window of its own
        if same and was is not None and (now is None or now > was):
            return f"{field} of {asked.name}: {was} became {now}"
    lost = {ticket.text for ticket in one.tickets} - {ticket.text for ticket in other.tickets}
    return f"tickets {lost} are not asked for any more" if lost else None


def different(before: Policy, after: Policy, command: KubectlCommand, target: Target) -> str | None:
    """Say how the decisions of two policies about one command differ, and the levels that they lead to."""
    one, other = decide(before, command, target), decide(after, command, target)
    if one != other:
        return f"{one.to_json()} became {other.to_json()}"
    if one.effect == "stepup" and _level(before, one, target) != _level(after, other, target):
        return f"level {one.level} is another one"
    return None if before.on(target).levels == after.on(target).levels else "the levels are other ones"


def _level(policy: Policy, decision: Decision, target: Target) -> Level:
    return policy.on(target).level_for(decision, decision.level or "")
