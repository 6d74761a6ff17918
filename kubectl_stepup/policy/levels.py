"""Join the levels of two policy files so that neither lowers the other's.

The base's levels keep their order. A level of the other file is read as one of them, never as a weaker one:

* it is the base's level of the same name; or, where the base has none,
* the weakest of the base's levels that the other file puts above it; or, where there is none,
* a level of its own, above the base's (`Elsewhere` says when).

No level is read as a weaker one than what the other file puts below it: where two files contradict each other, the
stronger reading counts. Times are then the shortest that any file says for what was read as the level.
"""

from __future__ import annotations

from kubectl_stepup.values import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Literal

    from kubectl_stepup.policy.model import Level

    Elsewhere = Literal["added", "strongest", "nowhere"]
    """What becomes of a level that the other file puts neither below nor above the base's strongest: it is added as a
    level that is met by itself alone, it is read as the base's strongest, or no rule may name it."""


SHORTEST_WINDOW_S = 30
"""From a sign-in to the end of its token: no provider issues tokens for less."""


class ClusterLevels(Record):
    """The levels on a cluster that publishes a policy, weakest first.

    Those in `added` are the cluster's alone: they stand above the others and meet none of them. `problem` says why what
    the cluster published cannot be used, `too_new` that it is for later versions of this program.
    """

    levels: tuple[Level, ...] = ()
    added: tuple[str, ...] = ()
    problem: str | None = None
    hint: str | None = None
    too_new: bool = False


class JoinedLevels(Record):
    """The base's levels with those added above them, and which of them each of the other file's is read as."""

    levels: tuple[Level, ...]
    names: Mapping[str, str]
    added: tuple[str, ...] = ()


def joined(base: Sequence[Level], other: Sequence[Level], *, elsewhere: Elsewhere) -> JoinedLevels:
    """Return the levels of two files together, the strictest of both."""
    if not base or not other:
        return JoinedLevels(levels=tuple(base or other), names={level.name: level.name for level in other})
    names, added = _read_as(base, other, elsewhere)
    read: dict[str, list[Level]] = {}
    for level in other:
        if level.name in names:
            read.setdefault(names[level.name], []).append(level)
    levels = []
    for at, level in enumerate(base):
        weaker = [one for name in (before.name for before in base[:at]) for one in read.get(name, ())]
        # What the other file asks of a weaker level, it asks of a stronger one that it does not know.
        levels.append(strictest(level, read[level.name]) if level.name in read else no_longer(level, weaker))
    for name in added:
        level = strictest(read[name][0], read[name][1:])
        # One that meets the base's levels lasts no longer than they do; one that is met by itself alone need not.
        levels.append(level if elsewhere == "added" else no_longer(level, base))
    return JoinedLevels(levels=tuple(levels), names=names, added=added)


def _read_as(
    base: Sequence[Level], other: Sequence[Level], elsewhere: Elsewhere
) -> tuple[dict[str, str], tuple[str, ...]]:
    order = [level.name for level in base]
    places = {name: place for place, name in enumerate(order)}
    names: dict[str, str] = {}
    floor = 0
    for at, level in enumerate(other):
        place = places.get(level.name)
        if place is None:
            place = min((places[one.name] for one in other[at + 1 :] if one.name in places), default=None)
        if place is None:
            above_all = any(one.name == base[-1].name for one in other[:at])
            if not above_all and elsewhere == "nowhere":
                continue
            if not above_all and elsewhere == "strongest":
                place = len(base) - 1
            else:
                place = len(order)
                order.append(level.name)
        floor = max(place, floor)
        names[level.name] = order[floor]
    return names, tuple(order[len(base) :])


def strictest(level: Level, others: Iterable[Level]) -> Level:
    """Return a level with the strictest that anybody says for each of its fields."""
    for other in others:
        window = _shorter(level.server_window_s, other.server_window_s)
        level = no_longer(level, [other]).replace(
            reason_required=level.reason_required or other.reason_required,
            server_window_s=window,
            window_by=level.window_by if window == level.server_window_s else other.window_by,
            help=level.help or other.help,
            runbook=level.runbook or other.runbook,
        )
    return level


def no_longer(level: Level, others: Iterable[Level]) -> Level:
    """Return a level whose times are no longer than those of others."""
    for other in others:
        level = level.replace(
            signed_in_within_s=min(level.signed_in_within_s, other.signed_in_within_s),
            ask_again_after_s=min(level.ask_again_after_s, other.ask_again_after_s),
            max_duration_s=_shorter(level.max_duration_s, other.max_duration_s),
        )
    return level


def _shorter(one: int | None, other: int | None) -> int | None:
    """Return the shorter of two times, of which each may be unsaid."""
    return min((seconds for seconds in (one, other) if seconds is not None), default=None)
