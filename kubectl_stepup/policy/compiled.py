"""A policy as plain values and back, so that a routine command needs no YAML."""

from __future__ import annotations

from kubectl_stepup.policy.model import Grant, Level, Policy, Rule, Selector, Where
from kubectl_stepup.policy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NO_SELECTOR, _NO_WHERE = Selector(), Where()
_POLICY: Any = Policy
_RULE: Any = Rule
_SELECTOR, _EXCLUDED, _WHERE = (_RULE._fields.index(name) for name in ("selector", "excluded", "where"))


def pack(value: Any) -> Any:
    """Turn a record into the tuple of its values (what `marshal` can write), and so those in its fields.

    A selector or a condition that says nothing, as most do, is None.
    """
    if isinstance(value, Record):
        if value in (_NO_SELECTOR, _NO_WHERE):
            return None
        return tuple(pack(item) for item in value.as_dict().values())
    if isinstance(value, tuple):
        return tuple(pack(item) for item in value)
    return value


def unpack(packed: Any) -> Policy:
    """Turn what `pack` made of a policy into that policy again.

    Raises:
        IndexError, TypeError, ValueError: it was made by another version of this program.
    """
    fields = dict(zip(_POLICY._fields, packed, strict=True))
    fields["levels"] = tuple(map(Level.of_values, fields["levels"]))
    fields["rules"] = tuple(map(_rule, fields["rules"]))
    fields["grants"] = tuple(map(Grant.of_values, fields["grants"]))
    return Policy.of_values(tuple(fields.values()))


def _rule(packed: Any) -> Rule:
    values = list(packed)
    selector, where = values[_SELECTOR], values[_WHERE]
    values[_SELECTOR] = _NO_SELECTOR if selector is None else Selector.of_values(selector)
    values[_WHERE] = _NO_WHERE if where is None else Where.of_values(where)
    if values[_EXCLUDED]:
        values[_EXCLUDED] = tuple(map(Selector.of_values, values[_EXCLUDED]))
    return Rule.of_values(values)
