"""The value that Go programs of Kubernetes give a YAML scalar, by its tag and text.

Spec: `go.yaml.in/yaml/v2` (resolve.go), where YAML 1.1 and Go's own literals meet: `yes` is true, `0o17` and `017` are
15, `1_000` is a number, `1:30` and a date are texts.
"""

from __future__ import annotations

import binascii
import math
import re
from typing import Any

_TAG = "tag:yaml.org,2002:"
_RESOLVED = frozenset({"", *(_TAG + name for name in ("str", "bool", "int", "float", "null", "timestamp"))})
"""Tags whose scalars are resolved by their text; one with any other tag is a text."""

_NAMED: dict[str, tuple[str, Any]] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), ("bool", True)),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), ("bool", False)),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), ("null", None)),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), ("float", math.nan)),
    **{sign + text: ("float", math.inf) for text in (".inf", ".Inf", ".INF") for sign in ("", "+")},
    **{"-" + text: ("float", -math.inf) for text in (".inf", ".Inf", ".INF")},
}
_INTEGER = re.compile(r"([+-]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_BASES = (16, 2, 8, 10)
_LONGEST = 64
"""No 64-bit number has more digits, in whatever base."""

MERGE = _TAG + "merge"


def value_of(text: str, *, tag: str = "") -> Any:
    """Return a scalar that is not quoted, or has a tag, as the value that JSON has for it.

    Raises:
        ValueError: the text is not of the tag's type.

    """
    if tag == _TAG + "binary":
        return binascii.a2b_base64(text.encode(), strict_mode=False).decode("utf-8", "replace")
    if tag not in _RESOLVED or tag == _TAG + "str":
        return text
    kind, value = _resolved(text)
    wanted = tag.removeprefix(_TAG)
    if wanted == "float" and kind == "int" and value < 1 << 63:
        kind, value = "float", float(value)
    if wanted == "timestamp" and kind == "str":
        kind = "timestamp"
    if tag and kind != wanted:
        raise ValueError(f"{text[:40]!r} is no {wanted}")
    return value


def _resolved(text: str) -> tuple[str, Any]:
    """Return the type and value of a plain scalar; a date keeps its text, as it does in JSON."""
    if text in _NAMED:
        return _NAMED[text]
    first = text[:1]
    if first not in "+-.0123456789":
        return "str", text
    if first == ".":
        return _float(text) or ("str", text)
    digits = text.replace("_", "")
    return _integer(digits) or _float(digits) or ("str", text)


def _integer(text: str) -> tuple[str, int] | None:
    found = _INTEGER.fullmatch(text)
    if found is None:
        return None
    sign, *groups = found.groups()
    base, digits = next((base, group) for base, group in zip(_BASES, groups, strict=True) if group is not None)
    digits = digits.lstrip("0") or "0"
    if len(digits) > _LONGEST:
        return None
    value = int(digits, base) * (-1 if sign == "-" else 1)
    largest = 1 << (63 if sign else 64)
    return ("int", value) if -(1 << 63) <= value < largest else None


def _float(text: str) -> tuple[str, float] | None:
    if _FLOAT.fullmatch(text) is None:
        return None
    value = float(text)
    return None if math.isinf(value) else ("float", value)
