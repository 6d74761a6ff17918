"""Label and field selectors.

Spec: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from kubectl_stepup.demo.statuses import bad_request

Test = Callable[[Mapping[str, Any]], bool]
_SET = re.compile(r"(?P<key>\S+)\s+(?P<word>in|notin)\s*\((?P<values>[^()]*)\)")
_EQUAL = re.compile(r"(?P<key>[\w./-]+)\s*(?P<word>==|=|!=)\s*(?P<value>[\w.-]*)")
_FIELD = re.compile(r"(?P<key>[\w./-]+)(?P<word>==|=|!=)(?P<value>[^=!]*)")
_PARTS = re.compile(r",(?![^()]*\))")


def selector(labels: str | None, fields: str | None) -> Test:
    """Return a test of an object. Raises `StatusError` (400) for a selector that cannot be read."""
    tests = [_label_test(part.strip()) for part in _PARTS.split(labels or "") if part.strip()]
    tests += [_field_test(part.strip()) for part in (fields or "").split(",") if part.strip()]
    return lambda document: all(test(document) for test in tests)


def _label_test(text: str) -> Test:
    match = _SET.fullmatch(text)
    if match:
        key, values = match["key"], {value.strip() for value in match["values"].split(",")}
        wanted = match["word"] == "in"
        return lambda document: (_labels(document).get(key) in values) is wanted
    match = _EQUAL.fullmatch(text)
    if match:
        key, value, wanted = match["key"], match["value"], match["word"] != "!="
        return lambda document: (_labels(document).get(key) == value) is wanted
    if re.fullmatch(r"!?[\w./-]+", text):
        key, wanted = text.lstrip("!"), not text.startswith("!")
        return lambda document: (key in _labels(document)) is wanted
    raise bad_request(f'unable to parse requirement: "{text}"')


def _field_test(text: str) -> Test:
    match = _FIELD.fullmatch(text)
    if not match:
        raise bad_request(f'invalid selector: "{text}"; can\'t understand it')
    path, value, wanted = match["key"].split("."), match["value"], match["word"] != "!="
    return lambda document: (_field(document, path) == value) is wanted


def _labels(document: Mapping[str, Any]) -> Mapping[str, str]:
    labels: Mapping[str, str] = document["metadata"].get("labels") or {}
    return labels


def _field(document: object, path: list[str]) -> str:
    for step in path:
        document = document.get(step) if isinstance(document, Mapping) else None
    return "" if document is None else str(document)
