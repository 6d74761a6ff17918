"""A policy as plain values and back, so that a routine command needs no YAML."""

from __future__ import annotations

from kubectl_stepup.policy.model import Grant, Level, Policy, Rule, Selector, Where
from kubectl_stepup.policy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CLASSES: dict[str, Any] = {cls.__name__: cls for cls in (Policy, Level, Rule, Selector, Where, Grant)}
_MARK = "\0record"


def pack(value: Any) -> Any:
    """Turn records into tuples of plain values (what `marshal` can write), whatever they are nested in."""
    if isinstance(value, Record):
        return (_MARK, type(value).__name__, {name: pack(item) for name, item in value.as_dict().items()})
    if isinstance(value, tuple):
        return tuple(pack(item) for item in value)
    if isinstance(value, dict):
        return {name: pack(item) for name, item in value.items()}
    return value


def unpack(value: Any) -> Any:
    """Turn what `pack` gave into records again.

    Raises:
        KeyError, TypeError, ValueError: it was made by another version of this program.
    """
    if isinstance(value, tuple):
        if value and value[0] == _MARK:
            _, name, fields = value
            return _CLASSES[name](**{field: unpack(item) for field, item in fields.items()})
        return tuple(unpack(item) for item in value)
    if isinstance(value, dict):
        return {name: unpack(item) for name, item in value.items()}
    return value
