"""Match names with globs: `*`, `?` and `[abc]`, case counts, as `fnmatch.fnmatchcase` does.

There are no regular expressions in a policy: a pattern cannot be made slow, and every enforcement point can have it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def matches(name: str, pattern: str) -> bool:
    """Whether the whole of `name` matches `pattern`."""
    if "[" in pattern:
        from fnmatch import fnmatchcase  # rare, and it imports `re`

        return fnmatchcase(name, pattern)
    if "?" in pattern:
        ends = pattern[-1] in "*?" or name[-1:] == pattern[-1]
        return ends and _matches(name, pattern)
    first, *rest = pattern.split("*")
    if not rest:
        return name == pattern
    # Most patterns have one star, at their end; and most that do not match differ before their first.
    return name.startswith(first) and (rest == [""] or _parts_follow(name, len(first), rest))


def matches_any(name: str, patterns: Iterable[str]) -> bool:
    """Whether `name` matches one of `patterns`."""
    # NOTE: no generator: a policy may have a thousand rules, and this is asked for each of them.
    for pattern in patterns:  # noqa: SIM110
        if matches(name, pattern):
            return True
    return False


def _parts_follow(name: str, at: int, parts: Sequence[str]) -> bool:
    """Whether `parts` stand one after another in `name` from `at` on, the last of them at its end."""
    *middle, last = parts
    if not name.endswith(last):
        return False
    end = len(name) - len(last)
    for part in middle:
        at = name.find(part, at, max(end, 0))
        if at < 0:
            return False
        at += len(part)
    return at <= end


def may_begin(beginning: str, pattern: str) -> bool:
    """Whether some name with this beginning matches `pattern`."""
    return any(matches(beginning, pattern[:end]) for end in range(len(pattern) + 1))


def _matches(name: str, pattern: str) -> bool:
    """Go through both once, coming back only to the last star: never more than len(name) * len(pattern) steps."""
    at = here = 0
    star, resume = -1, 0
    while at < len(name):
        if here < len(pattern) and pattern[here] == "*":
            star, resume = here, at
            here += 1
        elif here < len(pattern) and pattern[here] in ("?", name[at]):
            at += 1
            here += 1
        elif star >= 0:
            resume += 1
            at, here = resume, star + 1
        else:
            return False
    return all(rest == "*" for rest in pattern[here:])
