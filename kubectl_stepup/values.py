"""The base of this package's values.

Every kubectl command of the day is parsed and evaluated, and importing `dataclasses` costs more than both.
A `Record` is what a frozen, slotted, keyword-only dataclass would be: fields are the annotations, with their defaults.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Self, dataclass_transform
else:

    def dataclass_transform(**_options):
        """Stand in for typing's, which only the type checker needs."""
        return lambda decorated: decorated


@dataclass_transform(kw_only_default=True, frozen_default=True)
class _Fields(type):
    """Turn a class body's annotations into slots, before the class exists: a slot cannot be added later."""

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
        fields = tuple(body.get("__annotations__", ()))
        body["_defaults"] = {field: body.pop(field) for field in fields if field in body}
        body["_fields"] = fields
        body["__slots__"] = fields
        made = super().__new__(cls, name, bases, body)
        known: Any = made
        known._setters = tuple(getattr(made, field).__set__ for field in fields)
        return made


class Record(metaclass=_Fields):
    """A value: given by keyword, compared and shown by its fields, never changed."""

    def __init__(self, **values: Any) -> None:
        cls: Any = type(self)
        for field in cls._fields:
            if field in values:
                value = values.pop(field)
            elif field in cls._defaults:
                value = cls._defaults[field]
            else:
                raise TypeError(f"{cls.__name__} needs {field}")
            object.__setattr__(self, field, value)
        if values:
            raise TypeError(f"{cls.__name__} has no {', '.join(values)}")

    @classmethod
    def of_values(cls, values: Sequence[Any]) -> Self:
        """Make a record from the values of its fields, in their order and unchecked: ten times as fast.

        Raises: ValueError where there are more or fewer.
        """
        known: Any = cls
        record = object.__new__(cls)
        for setter, value in zip(known._setters, values, strict=True):
            setter(record, value)
        return record

    def replace(self, **changes: Any) -> Self:
        """Return a copy with other values in some fields."""
        cls: Any = type(self)
        values = [changes.pop(field, value) for field, value in zip(cls._fields, self._values(), strict=True)]
        if changes:
            raise TypeError(f"{cls.__name__} has no {', '.join(changes)}")
        return type(self).of_values(values)

    def _values(self) -> tuple[Any, ...]:
        # A command can name thousands of objects, each compared with the others: this is the quickest way.
        cls: Any = type(self)
        return tuple(map(getattr, (self,) * len(cls._fields), cls._fields))

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name, not copied."""
        cls: Any = type(self)
        return {field: getattr(self, field) for field in cls._fields}

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be changed")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be removed")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self is other or self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.as_dict().items())})"
