"""One value of a YAML document and where it stands, with the checks that every document of ours needs."""

from __future__ import annotations

from kubectl_stepup.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    Value: TypeAlias = "dict[str, Node] | list[Node] | str | int | float | bool | None"

_DURATION_UNITS = {"h": 3600, "m": 60, "s": 1}
_DURATION_HINT = 'write a duration with its unit, such as "15m", "90s" or "1h30m"'


class Node:
    """A value, its file, its 1-based line (of the key, inside a mapping) and its path, such as `rules[2].needs`.

    Every reading method gives the value in the wanted type or raises `error_type`, with `FILE:LINE: PATH: message`.
    """

    __slots__ = ("error_type", "file", "line", "path", "value")

    def __init__(
        self, value: Value, *, file: str, line: int, path: str = "", error_type: type[ConfigError] = ConfigError
    ) -> None:
        self.value = value
        self.file = file
        self.line = line
        self.path = path
        self.error_type = error_type

    def __repr__(self) -> str:
        return f"Node({self.file}:{self.line}: {self.path or '.'} {self.kind()})"

    def error(self, message: str, *, hint: str | None = None) -> ConfigError:
        """Return (not raise) the error that says `message` about this value."""
        where = f"{self.file}:{self.line}: "
        subject = f"{self.path}: " if self.path else ""
        details = {"file": self.file, "line": self.line, "path": self.path}
        return self.error_type(f"{where}{subject}{message}", hint=hint, details=details)

    def kind(self) -> str:
        """Name the YAML type, for messages."""
        value = self.value
        if value is None:
            return "nothing"
        if isinstance(value, bool):
            return "true or false"
        if isinstance(value, int | float):
            return "a number"
        if isinstance(value, str):
            return "a text"
        return "a mapping" if isinstance(value, dict) else "a list"

    def mapping(self, *, required: Iterable[str] = (), optional: Iterable[str] = ()) -> dict[str, Node]:
        """Return the mapping; keys other than `required` and `optional` are errors.

        Raises: `error_type` for an unknown key (with the nearest known one), or a missing one.
        """
        fields = self.any_mapping()
        required = tuple(required)
        known = (*required, *optional)
        for key, node in fields.items():
            if key not in known:
                raise Node(None, file=node.file, line=node.line, path=self.path, error_type=node.error_type).error(
                    f"unknown key {key!r}", hint=_did_you_mean(key, known)
                )
        for key in required:
            if key not in fields:
                raise self.error(f"{key!r} is missing")
        return fields

    def any_mapping(self) -> dict[str, Node]:
        """Return the mapping whatever its keys are."""
        if not isinstance(self.value, dict):
            raise self._wanted("a mapping")
        return self.value

    def sequence(self) -> list[Node]:
        """Return the list."""
        if not isinstance(self.value, list):
            raise self._wanted("a list")
        return self.value

    def string(self, *, choices: Iterable[str] | None = None) -> str:
        """Return the text, which is not empty and, where `choices` are given, one of them."""
        if not isinstance(self.value, str):
            quoted = isinstance(self.value, bool | int | float)
            raise self._wanted("a text", hint="put the value in quotes" if quoted else None)
        if not self.value:
            raise self.error("must not be empty")
        if choices is not None:
            choices = tuple(choices)
            if self.value not in choices:
                raise self.error(
                    f"{self.value!r} is not one of {', '.join(choices)}", hint=_did_you_mean(self.value, choices)
                )
        return self.value

    def strings(self) -> tuple[str, ...]:
        """Return a list of texts, none of them empty."""
        return tuple(node.string() for node in self.sequence())

    def boolean(self) -> bool:
        """Return true or false."""
        if not isinstance(self.value, bool):
            raise self._wanted("true or false")
        return self.value

    def integer(self, *, minimum: int = 0) -> int:
        """Return a whole number of at least `minimum`."""
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise self._wanted("a whole number")
        if self.value < minimum:
            raise self.error(f"{self.value} is less than {minimum}")
        return self.value

    def duration(self) -> int:
        """Return seconds, from a text such as `15m`, `0s` or `1h30m`; a number without a unit is refused."""
        if not isinstance(self.value, str):
            raise self._wanted("a duration", hint=_DURATION_HINT)
        seconds = _seconds(self.value)
        if seconds is None:
            raise self.error(f"{self.value!r} is not a duration", hint=_DURATION_HINT)
        return seconds

    def _wanted(self, what: str, *, hint: str | None = None) -> ConfigError:
        return self.error(f"must be {what}, not {self.kind()}", hint=hint)


def _seconds(text: str) -> int | None:
    """Read hours, minutes and seconds, in this order and each at most once; None where it is not a duration."""
    total, rest = 0, text
    for unit, size in _DURATION_UNITS.items():
        number, found, after = rest.partition(unit)
        if not found:
            continue
        if not (number.isascii() and number.isdigit() and len(number) <= 6):
            return None
        total += int(number) * size
        rest = after
    return None if rest or not text else total


def _did_you_mean(word: str, known: Iterable[str]) -> str | None:
    from difflib import get_close_matches  # only a wrong document needs it, and it is slow to import

    near = get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else None
