"""Policies that clusters publish, laid over the person's own: they count on their own cluster, and can only add."""

from __future__ import annotations

from kubectl_stepup.policy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_stepup.policy.model import Level, Policy


class Published(Record):
    """The policy that a cluster (by its enrolled name) published, as it was fetched."""

    cluster: str
    policy: Policy


def on_its_cluster(published: Published, levels: tuple[Level, ...]) -> Policy:
    """Give a published policy's rules for its own cluster, by the levels that count.

    A level that these do not have becomes the weakest of them where it was the weakest, and else the strongest. What it
    says about commands and grants does not count here: neither could only add.
    """
    own, names = published.policy.levels, {level.name for level in levels}
    stand_in = {
        level.name: levels[0 if at == 0 else -1].name for at, level in enumerate(own) if level.name not in names
    }
    rules = tuple(
        rule.replace(
            needs=stand_in.get(rule.needs, rule.needs),
            selector=rule.selector.replace(clusters=(_exactly(published.cluster),), labels=()),
            file=f"{published.cluster} (published)",
        )
        for rule in published.policy.rules
    )
    return published.policy.replace(
        levels=levels, rules=rules, commands={}, grants=(), files=(f"{published.cluster} (published)",), index=None
    )


def strictest(levels: tuple[Level, ...], others: Iterable[tuple[Level, ...]]) -> tuple[Level, ...]:
    """Give levels with the shortest of all times that anybody says for them."""
    found = {level.name: level for level in levels}
    for level in (level for more in others for level in more):
        if level.name in found:
            known = found[level.name]
            found[level.name] = known.replace(
                signed_in_within_s=min(known.signed_in_within_s, level.signed_in_within_s),
                ask_again_after_s=min(known.ask_again_after_s, level.ask_again_after_s),
                longest_s=_shorter(known.longest_s, level.longest_s),
                reason_required=known.reason_required or level.reason_required,
            )
    return within_windows(tuple(found.values()), [tuple(more) for more in others])


def within_windows(levels: tuple[Level, ...], others: Iterable[tuple[Level, ...]]) -> tuple[Level, ...]:
    """Give levels with the shortest window that a server tests: what is approved by it, every server honours."""
    windows: dict[str, int | None] = {}
    for level in (level for more in others for level in more):
        windows[level.name] = _shorter(windows.get(level.name), level.server_window_s)
    return tuple(
        level.replace(server_window_s=_shorter(level.server_window_s, windows.get(level.name))) for level in levels
    )


def _shorter(one: int | None, other: int | None) -> int | None:
    return min((seconds for seconds in (one, other) if seconds is not None), default=None)


def _exactly(name: str) -> str:
    """Give a glob that matches one name alone."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
