"""Which rules can be about a command at all: found by lookups, so that a thousand rules cost no more than ten.

The index never decides: it leaves out only what `matching` would leave out too, by a rule's actions or verbs and by the
globs of its clusters, namespaces and names. Rules are positions, and sets of them the bits of a number.
"""

from __future__ import annotations

from kubectl_stepup.kubectl.request import PROXIES
from kubectl_stepup.kubectl.resources import ANY
from kubectl_stepup.policy.matching import SAME_VERB, namespace_of
from kubectl_stepup.values import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from kubectl_stepup.kubectl.request import ResourceAttributes
    from kubectl_stepup.policy.model import Rule, Target

    Positions = tuple[int, ...] | bytes
    """A few as they are; many as the bits of a little-endian number. Both can be written by `marshal`."""

_FEW = 16
_SPECIAL = frozenset("*?[")


class GlobIndex(Record):
    """Which rules' globs can match a name: by the whole of it, by its beginning, or nobody knows without trying."""

    exact: Mapping[str, Positions]
    beginnings: Mapping[str, Positions]
    lengths: tuple[int, ...]
    others: Positions

    def about(self, name: str | None) -> int:
        """Return the rules that may match; a name that is not known matches them all."""
        if name is None:
            return -1
        found = _bits(self.others) | _bits(self.exact.get(name, ()))
        for length in self.lengths:
            if length > len(name):
                break
            found |= _bits(self.beginnings.get(name[:length], ()))
        return found


class RuleIndex(Record):
    """The rules of a policy by what they are about."""

    by_action: Mapping[str, Positions]
    by_verb: Mapping[str, Positions]
    clusters: GlobIndex
    namespaces: GlobIndex
    names: GlobIndex

    def about(self, target: Target, by_request: Iterable[tuple[ResourceAttributes, frozenset[str]]]) -> Iterator[int]:
        """Return the positions of the rules that can be about one of these requests, which are these actions."""
        found = 0
        for entry, actions in by_request:
            named = 0
            for action in actions:
                named |= _bits(self.by_action.get(action, ()))
            for verb in self.by_verb if PROXIES in entry.marks else (SAME_VERB.get(entry.verb, entry.verb), ANY):
                named |= _bits(self.by_verb.get(verb, ()))
            if named:
                found |= named & self.namespaces.about(namespace_of(entry)) & self.names.about(entry.name)
        found = found and found & self.clusters.about(target.cluster)
        while found:
            lowest = found & -found
            yield lowest.bit_length() - 1
            found ^= lowest


def index_of(rules: Sequence[Rule]) -> RuleIndex:
    """Make the index of a policy's rules."""
    by_action: dict[str, list[int]] = {}
    by_verb: dict[str, list[int]] = {}
    for at, rule in enumerate(rules):
        for action in rule.actions:
            by_action.setdefault(action, []).append(at)
        for verb in () if rule.actions else {SAME_VERB.get(verb, verb) for verb in rule.verbs}:
            by_verb.setdefault(verb, []).append(at)
    return RuleIndex(
        by_action=_positions(by_action),
        by_verb=_positions(by_verb),
        clusters=_globs(rule.selector.clusters for rule in rules),
        namespaces=_globs(rule.selector.namespaces for rule in rules),
        names=_globs(rule.selector.names for rule in rules),
    )


def _globs(patterns_of_rules: Iterable[tuple[str, ...]]) -> GlobIndex:
    exact: dict[str, list[int]] = {}
    beginnings: dict[str, list[int]] = {}
    others: list[int] = []
    for at, patterns in enumerate(patterns_of_rules):
        if not patterns or any(
            _SPECIAL.intersection(pattern[:-1]) or pattern[-1:] in ("?", "[") for pattern in patterns
        ):
            others.append(at)
            continue
        for pattern in patterns:
            beginning = pattern.endswith("*")
            place = beginnings if beginning else exact
            place.setdefault(pattern[:-1] if beginning else pattern, []).append(at)
    return GlobIndex(
        exact=_positions(exact),
        beginnings=_positions(beginnings),
        lengths=tuple(sorted({len(beginning) for beginning in beginnings})),
        others=_packed(others),
    )


def _positions(found: Mapping[str, list[int]]) -> dict[str, Positions]:
    return {name: _packed(positions) for name, positions in found.items()}


def _packed(positions: Sequence[int]) -> Positions:
    if len(positions) <= _FEW:
        return tuple(positions)
    bits = bytearray(positions[-1] // 8 + 1)
    for position in positions:
        bits[position // 8] |= 1 << position % 8
    return bytes(bits)


def _bits(positions: Positions) -> int:
    if isinstance(positions, bytes):
        return int.from_bytes(positions, "little")
    found = 0
    for position in positions:
        found |= 1 << position
    return found
