"""A policy as plain values and back, so that an allowed command needs no YAML.

Rules stay packed until somebody asks for them: a decision looks at the few that its index names.
"""

from __future__ import annotations

import marshal

from kubectl_stepup.policy.model import Grant, Level, Policy, Rule, Selector, Where
from kubectl_stepup.policy.rule_index import GlobIndex, RuleIndex
from kubectl_stepup.values import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from kubectl_stepup.policy.levels import ClusterLevels
    from kubectl_stepup.policy.quoted_text import QuotedText

_NO_SELECTOR, _NO_WHERE = Selector(), Where()
_POLICY: Any = Policy
_RULE: Any = Rule
_RULES = _POLICY._fields.index("rules")
_SELECTOR, _EXCLUDED, _WHERE, _MESSAGE = (
    _RULE._fields.index(name) for name in ("selector", "excluded", "where", "message")
)
_LEVEL: Any = Level
_HELP = _LEVEL._fields.index("help")
_BY_CLUSTER = _POLICY._fields.index("by_cluster")


class PackedRules:
    """The rules of a compiled policy, each of them made when it is asked for."""

    __slots__ = ("_packed",)

    def __init__(self, packed: tuple[bytes, ...]) -> None:
        self._packed = packed

    def __len__(self) -> int:
        return len(self._packed)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return tuple(map(_rule, self._packed[at]))
        return _rule(self._packed[at])

    def __iter__(self) -> Iterator[Rule]:
        return map(_rule, self._packed)


class PackedLevels:
    """The levels of each cluster that publishes some, made when they are asked for."""

    __slots__ = ("_packed",)

    def __init__(self, packed: Mapping[str | None, bytes]) -> None:
        self._packed = packed

    def __len__(self) -> int:
        return len(self._packed)

    def __iter__(self) -> Iterator[str | None]:
        return iter(self._packed)

    def __getitem__(self, cluster: str | None) -> ClusterLevels:
        # NOTE: asked for where a cluster publishes something only.
        from kubectl_stepup.policy.levels import ClusterLevels

        levels, *others = marshal.loads(self._packed[cluster])  # noqa: S302 - of our own 0600 file
        return ClusterLevels.of_values((tuple(map(_level, levels)), *others))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict | PackedLevels) and dict(self.items()) == dict(other.items())

    __hash__ = None  # type: ignore[assignment]

    def get(self, cluster: str | None) -> ClusterLevels | None:
        """Return a cluster's levels, None where it publishes none."""
        return self[cluster] if cluster in self._packed else None

    def items(self) -> Iterator[tuple[str | None, ClusterLevels]]:
        """Return every cluster with its levels."""
        return ((cluster, self[cluster]) for cluster in self._packed)


def pack(policy: Policy) -> tuple[Any, ...]:
    """Turn a policy into a tuple of values that `marshal` can write."""
    values = list(_values(policy))
    values[_RULES] = tuple(marshal.dumps(_values(rule)) for rule in policy.rules)
    values[_BY_CLUSTER] = {name: marshal.dumps(_values(one)) for name, one in policy.by_cluster.items()}
    return tuple(values)


def _values(value: Any) -> Any:
    """Return the values of a record's fields; a selector or a condition that says nothing, as most do, is None."""
    if isinstance(value, Record):
        if value in (_NO_SELECTOR, _NO_WHERE):
            return None
        return tuple(_values(item) for item in value.as_dict().values())
    if isinstance(value, tuple):
        return tuple(_values(item) for item in value)
    return value


def unpack(packed: Any) -> Policy:
    """Turn what `pack` made of a policy into that policy again.

    Raises:
        IndexError, TypeError, ValueError: it was made by another version of this program.
    """
    fields = dict(zip(_POLICY._fields, packed, strict=True))
    fields["levels"] = tuple(map(_level, fields["levels"]))
    fields["by_cluster"] = PackedLevels(fields["by_cluster"])
    fields["rules"] = PackedRules(fields["rules"])
    fields["grants"] = tuple(map(Grant.of_values, fields["grants"]))
    *mappings, clusters, namespaces, names = fields["index"]
    globs = map(GlobIndex.of_values, (clusters, namespaces, names))
    fields["index"] = RuleIndex.of_values((*mappings, *globs))
    return Policy.of_values(tuple(fields.values()))


def _rule(packed: bytes) -> Rule:
    values = list(marshal.loads(packed))  # noqa: S302 - of our own 0600 file
    selector, where = values[_SELECTOR], values[_WHERE]
    values[_SELECTOR] = _NO_SELECTOR if selector is None else Selector.of_values(selector)
    values[_WHERE] = _NO_WHERE if where is None else Where.of_values(where)
    if values[_MESSAGE] is not None:
        values[_MESSAGE] = _quoted(values[_MESSAGE])
    if values[_EXCLUDED]:
        values[_EXCLUDED] = tuple(map(Selector.of_values, values[_EXCLUDED]))
    return Rule.of_values(values)


def _level(packed: Any) -> Level:
    values = list(packed)
    if values[_HELP] is not None:
        values[_HELP] = _quoted(values[_HELP])
    return Level.of_values(values)


def _quoted(packed: Any) -> QuotedText:
    # NOTE: asked for where there is such a text only: few policies have one, and the fast path needs none.
    from kubectl_stepup.policy.quoted_text import QuotedText

    return QuotedText.of_values(packed)
