"""Write CEL, the expression language that the API server evaluates.

Spec: github.com/google/cel-spec, *Language Definition*; kubernetes.io, *Common Expression Language in Kubernetes*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LINE = 90
"""Characters that a condition may have in one line."""

_SPECIAL = frozenset(".^$|()[]{}*+?\\-")


def text(value: str) -> str:
    """Return a string literal; quotes, backslashes and all but ASCII are escaped."""
    return "'" + "".join(_letter(letter) for letter in value) + "'"


def texts(values: Iterable[str]) -> str:
    """Return a list of string literals."""
    return "[" + ", ".join(text(value) for value in values) + "]"


def all_of(parts: Iterable[str]) -> str:
    """Return the conjunction of conditions; of none: true."""
    return _joined(" && ", parts, "true")


def any_of(parts: Iterable[str]) -> str:
    """Return the disjunction of conditions; of none: false."""
    return _joined(" || ", parts, "false")


def matches_any(value: str, patterns: Iterable[str]) -> str:
    """Return the condition that an expression's value matches one of the globs of a policy."""
    found = list(patterns)
    exact = [pattern for pattern in found if not _is_glob(pattern)]
    globs = [_matches(value, pattern) for pattern in found if _is_glob(pattern)]
    named = [f"{value} == {text(exact[0])}" if len(exact) == 1 else f"{value} in {texts(exact)}"] if exact else []
    return any_of([*named, *globs])


def regular_expression(pattern: str) -> str:
    """Return an RE2 expression that matches, from its beginning to its end, what a glob matches (`policy.globs`)."""
    parts, at = [], 0
    while at < len(pattern):
        letter = pattern[at]
        at += 1
        if letter == "*":
            parts.append(".*")
        elif letter == "?":
            parts.append(".")
        elif letter == "[" and (end := _end_of_set(pattern, at)) > 0:
            parts.append(_set(pattern[at:end]))
            at = end + 1
        else:
            parts.append(_literal(letter))
    return f"^(?s:{''.join(parts)})$"


def _matches(value: str, pattern: str) -> str:
    body = pattern.strip("*")
    if pattern == "*":
        return "true"
    if _is_glob(body):
        return f"{value}.matches({text(regular_expression(pattern))})"
    if pattern == f"{body}*":
        return f"{value}.startsWith({text(body)})"
    if pattern == f"*{body}":
        return f"{value}.endsWith({text(body)})"
    return f"{value}.contains({text(body)})"


def _is_glob(pattern: str) -> bool:
    return any(letter in pattern for letter in "*?[")


def _end_of_set(pattern: str, start: int) -> int:
    """Return the end of the set that begins at `start`; 0 where it is not closed and `[` means itself (as fnmatch)."""
    at = start
    if at < len(pattern) and pattern[at] == "!":
        at += 1
    return max(pattern.find("]", at + 1), 0)


def _set(inner: str) -> str:
    """Translate the content of the brackets; a range whose ends are swapped matches nothing."""
    negated, letters = inner.startswith("!"), inner.removeprefix("!")
    members, at = [], 0
    while at < len(letters):
        if at + 2 < len(letters) and letters[at + 1] == "-":
            if letters[at] <= letters[at + 2]:
                members.append(f"{_literal(letters[at])}-{_literal(letters[at + 2])}")
            at += 3
        else:
            members.append(_literal(letters[at]))
            at += 1
    if not members:
        return "." if negated else r"[^\x00-\x{10FFFF}]"
    return f"[{'^' if negated else ''}{''.join(members)}]"


def _literal(letter: str) -> str:
    if letter.isascii() and (letter.isalnum() or letter in "_/: @"):
        return letter
    return f"\\{letter}" if letter in _SPECIAL else letter if not letter.isascii() else f"\\x{ord(letter):02x}"


def _letter(letter: str) -> str:
    if letter in "\\'":
        return f"\\{letter}"
    if " " <= letter <= "~":
        return letter
    return f"\\u{ord(letter):04x}" if ord(letter) < 0x10000 else f"\\U{ord(letter):08x}"


def _joined(operator: str, parts: Iterable[str], nothing: str) -> str:
    found = list(parts)
    if len(found) < 2:
        return found[0] if found else nothing
    joined = [f"({part})" if _is_compound(part) else part for part in found]
    # CEL reads a line break as a space; people need it.
    return (operator if sum(map(len, joined)) <= LINE else f"\n{operator[1:]}").join(joined)


def _is_compound(part: str) -> bool:
    """Whether an expression has an operator outside of its brackets and literals."""
    depth, quoted, at = 0, False, 0
    while at < len(part):
        letter = part[at]
        if letter == "\\" and quoted:
            at += 1
        elif letter == "'":
            quoted = not quoted
        elif not quoted:
            depth += (letter in "([{") - (letter in ")]}")
            if depth == 0 and part[at : at + 2] in ("&&", "||", "? "):
                return True
        at += 1
    return False
