"""Read JSON strictly: what two readers could understand differently is refused.

Duplicate members, NaN and Infinity, numbers without end, lone surrogates, NUL and deep nesting are all legal for
`json.loads`, and each has let somebody smuggle a second meaning past a check.

The fast path reads without this module, which costs it a millisecond (`exec_credential`, `cluster_pin`). What kubectl
reads too is read as leniently as kubectl reads it (`kubectl/`).

Spec: RFC 8259 section 4 (names should be unique), section 8.2; RFC 7515 section 4 (duplicate header parameters).
"""

from __future__ import annotations

import json
import math
from typing import Any

MAX_DEPTH = 32
MAX_NUMBER_LENGTH = 32


class JSONRefused(ValueError):
    """The bytes are not one JSON object that has only one meaning; the message completes "it …"."""


def json_object(data: str | bytes, *, any_text: bool = False) -> dict[str, Any]:
    """Read `data` as one JSON object (see `json_value`).

    Raises:
        JSONRefused: with a reason such as `has the member "iss" twice`.

    """
    value = json_value(data, any_text=any_text)
    if not isinstance(value, dict):
        raise JSONRefused("is not a JSON object")
    return value


def json_value(data: str | bytes, *, any_text: bool = False) -> Any:
    """Read `data` as one JSON value; with `any_text` a text in it may have a NUL or half a surrogate pair.

    Raises:
        JSONRefused: with the reason.

    """
    try:
        value = json.loads(
            data if isinstance(data, str) else data.decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_int=_integer,
            parse_float=_finite,
            parse_constant=_refuse_constant,
        )
    except JSONRefused:
        raise
    except RecursionError as exc:
        raise JSONRefused("is nested too deeply") from exc
    except UnicodeDecodeError as exc:
        raise JSONRefused("is not UTF-8") from exc
    except ValueError as exc:
        raise JSONRefused("is not JSON") from exc
    _check_depth_and_texts(value, any_text=any_text)
    return value


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise JSONRefused(f"has the member {name[:40]!a} twice")
            seen.add(name)
    return members


def _integer(text: str) -> int:
    # Python itself refuses more than 4,300 digits, but only after the work for 4,299.
    if len(text) > MAX_NUMBER_LENGTH:
        raise JSONRefused("has a number that is too long")
    return int(text)


def _finite(text: str) -> float:
    if len(text) > MAX_NUMBER_LENGTH:
        raise JSONRefused("has a number that is too long")
    number = float(text)
    if not math.isfinite(number):
        raise JSONRefused("has a number that is too large")
    return number


def _refuse_constant(text: str) -> object:
    raise JSONRefused(f"has {text}, which is not JSON")


def _check_depth_and_texts(value: object, *, any_text: bool) -> None:
    """Check without recursion, as the depth may be too large for it."""
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        below: list[object] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.keys())
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, str) and not any_text:
                _check_text(item)
        if not below:
            return
        level = below
    raise JSONRefused("is nested too deeply")


def _check_text(text: str) -> None:
    if "\0" in text:
        raise JSONRefused("has a NUL character")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise JSONRefused("has half a surrogate pair")
