"""Write one item of a list as YAML: in lines of block style, or in brackets as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./@:-]*[A-Za-z0-9]")
_NOT_PLAIN = frozenset({"yes", "no", "on", "off", "true", "false", "null", "y", "n"})


def item_lines(item: Mapping[str, object]) -> list[str]:
    """Return the lines of an item in block style, its dash included, without indentation of its own."""
    return [("- " if index == 0 else "  ") + line for index, line in enumerate(_lines(item))]


def _lines(value: Any) -> list[str]:
    """Write a value in block style, without indentation of its own."""
    lines: list[str] = []
    if isinstance(value, Mapping):
        for key, member in value.items():
            if isinstance(member, Mapping | list | tuple) and member:
                lines.append(f"{_scalar(key)}:")
                indent = "  " if isinstance(member, Mapping) else ""
                lines += [indent + line for line in _lines(member)]
            else:
                lines.append(f"{_scalar(key)}: {_scalar(member)}")
        return lines
    for member in value:
        if isinstance(member, Mapping) and member:
            lines += item_lines(member)
        else:
            lines.append(f"- {_scalar(member)}")
    return lines


def _scalar(value: object) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _NOT_PLAIN:
        return value
    return quoted(value)


def quoted(value: object) -> str:
    """Write a value as JSON, which is YAML but for what YAML wants escaped, and without surrogate pairs."""
    return "".join(_escaped(character) for character in json.dumps(value, ensure_ascii=False))


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else f"\\U{ord(character):08x}"
