"""Damage to YAML documents, and every unusual form that YAML has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.grammar.choices import chance, pick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.grammar.choices import Choices

SCALARS = (
    *(
        "null",
        "~",
        "''",
        '"\\x00"',
        '"\\ud800"',
        "yes",
        "0x1F",
        "0o17",
        "017",
        "1_000",
        "1:30",
        "1e999",
        ".inf",
        ".nan",
    ),
    *("2001-12-14", "2001-12-14t21:59:43.10-05:00", "9" * 400, "-0", "=", "<<", "!!binary aGk=", "!!set {a}", "!x y"),
    *(
        "!!python/object/apply:os.system [x]",
        "!!str",
        "!!int x",
        "!!float x",
        "*a",
        "&a x",
        "&a [*a]",
        "? x",
        "|",
        ">-",
    ),
    *("[]", "{}", "[[]]", "{a: {b: c}}", "- a", "@x", "`x`", "%x", "x: y: z", "# x", "'", '"', "\t", "\x85", "\u2028"),
    *("\ufeff", "\x1b[2J", "\u202e", "(a+)+$", '"(a+)+$"', "'*a*a*a*a*a*a*a*b'", '"[a-"', '"[!]]*"', "'[[]'", "'?*?*'"),
    *("0s", "15m", "1h30m", "99999999999h", "-1m", "1.5h", "15", "allow", "mfa", "x" * 3000, "prod-*", "required"),
)
BETWEEN = (
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "%TAG ! tag:x,2000:\n",
    "\t\n",
    "\x00",
    "- \n",
    "? \n",
    ": \n",
    "&a\n",
    "*a\n",
)


def damaged(choices: Choices, text: str, keys: Sequence[str]) -> bytes:
    """Return a document with a few things done to it; one time in eight with none."""
    lines = text.splitlines()
    for _ in range(choices.below(8)):
        at = choices.below(len(lines) or 1)
        line = lines[at] if lines else ""
        lines[at : at + 1] = _changed(choices, line, keys)
    return _as_bytes(choices, "\n".join(lines) + "\n")


def _changed(choices: Choices, line: str, keys: Sequence[str]) -> list[str]:
    """Do one thing to one line."""
    indent = line[: len(line) - len(line.lstrip())]
    new_key = f"{indent}{pick(choices, keys)}: "
    kind = choices.below(10)
    if kind < 4:
        return ([], [line, line], [line, pick(choices, BETWEEN)], [" " * choices.below(6) + line.lstrip()])[kind]
    if kind == 4:
        return [f"{line.partition(':')[0]}: {pick(choices, SCALARS)}"]
    if kind < 7:
        return [line, new_key + (_deep(choices) if kind == 5 else pick(choices, SCALARS))]
    if kind == 7:
        return [line.replace(": ", f": {pick(choices, ('&a ', '!!map ', '!x ', '[', '{'))}", 1)]
    if kind == 8:
        word = pick(choices, (*line.split(), *",}]:[{"))
        return [line.replace(word, pick(choices, (*SCALARS, *",}:", "", " ,")), 1)]
    cut = choices.below(len(line) + 1)
    return [line[:cut] + chr(choices.below(0xD800)) + line[cut:]]


def _deep(choices: Choices) -> str:
    """Nest as deep as no person does."""
    depth = pick(choices, (10, 90, 101, 1200, 30_000))
    start, end = pick(choices, (("[", "]"), ("{a: ", "}"), ("[&a ", "]"), ("- ", "")))
    return start * depth + (end * depth if chance(choices, 2) else "")


def _as_bytes(choices: Choices, text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    kind = choices.below(24)
    if kind == 20:
        return text.encode("utf-16", "surrogatepass")
    if kind == 21:
        cut = choices.below(len(data) + 1)
        return data[:cut] + bytes([choices.below(256)]) + data[cut + 1 :]
    if kind == 22:
        return data + b"- {name: x}\n" * pick(choices, (10, 10_000, 100_000))
    return b"\xef\xbb\xbf" + data if kind == 23 else data
