"""Which objects label and field selectors choose.

Spec: apimachinery `labels.Parse` and `fields.ParseSelector`.
"""

from __future__ import annotations

import re
from typing import Any

from tests.system.differential.request_info import selector_terms

_TERM = re.compile(r"(?:[^,(]|\([^)]*\))+")
_IN = re.compile(r"^\s*(\S+)\s+(in|notin)\s+\(([^)]*)\)\s*$")


def has_labels(selector: str, thing: dict[str, Any]) -> bool:
    """Whether a label selector chooses the object."""
    labels: dict[str, str] = thing["metadata"].get("labels") or {}
    return all(_label_term(term.strip(), labels) for term in _TERM.findall(selector) if term.strip())


def _label_term(term: str, labels: dict[str, str]) -> bool:
    several = _IN.match(term)
    if several:
        key, operator, values = several.groups()
        return (labels.get(key) in {value.strip() for value in values.split(",")}) == (operator == "in")
    if term.startswith("!"):
        return term[1:].strip() not in labels
    if "=" not in term:
        return term in labels
    key, negation, value = term.partition("!=")
    if negation:
        return labels.get(key.strip()) != value.strip()
    key, _, value = term.partition("=")
    return labels.get(key.strip()) == value.removeprefix("=").strip()


def has_fields(selector: str, thing: dict[str, Any]) -> bool:
    """Whether a field selector chooses the object."""
    return all((_field(thing, key) == value) == (operator == "=") for key, operator, value in selector_terms(selector))


def _field(thing: dict[str, Any], path: str) -> str:
    found: Any = thing
    for word in path.split("."):
        found = found.get(word) if isinstance(found, dict) else None
    return "" if found is None else str(found)
