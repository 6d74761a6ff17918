"""Renamed words of the policy format: an error in one's own files, read as the new ones in what clusters publish.

A cluster may publish what an earlier version of this program wrote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_stepup.yaml_edit.node import Node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_stepup.errors import ConfigError

LEVEL_KEYS = {"longest": "maxDuration"}
ACTIONS = {"guard": "protect"}


def require_new_words(document: Node) -> None:
    """Refuse an old word.

    Raises:
        PolicyError: with `FILE:LINE:`, and the new word as the hint.
    """
    for level in _mappings(document, "levels"):
        keys: dict[str, Node] = level.value  # type: ignore[assignment]
        for old in LEVEL_KEYS.keys() & keys.keys():
            raise _renamed(_with(keys[old], None, path=level.path), old, LEVEL_KEYS[old])
    for rule in _mappings(document, "rules"):
        for action in _actions(rule):
            if isinstance(action.value, str) and action.value in ACTIONS:
                raise _renamed(action, action.value, ACTIONS[action.value])


def _renamed(node: Node, old: str, new: str) -> ConfigError:
    return node.error(f"{old!r} is now {new!r}", hint=f"write {new} in its place")


def with_new_words(document: Node) -> Node:
    """Return a document with the new words in place of the old ones; a level that has both stays as it is."""
    if not isinstance(document.value, dict):
        return document
    fields = dict(document.value)
    for key, renamed in (("levels", _level), ("rules", _rule)):
        found: Any = fields[key].value if key in fields else None
        if isinstance(found, list):
            fields[key] = _with(fields[key], [renamed(item) for item in found])
    return _with(document, fields)


def _level(item: Node) -> Node:
    if not isinstance(item.value, dict) or any(new in item.value for new in LEVEL_KEYS.values()):
        return item
    return _with(item, {LEVEL_KEYS.get(key, key): value for key, value in item.value.items()})


def _rule(item: Node) -> Node:
    if not isinstance(item.value, dict) or not _actions(item):
        return item
    words = [
        _with(one, ACTIONS.get(one.value, one.value)) if isinstance(one.value, str) else one for one in _actions(item)
    ]
    return _with(item, {**item.value, "do": _with(item.value["do"], words)})


def _mappings(document: Node, key: str) -> Iterator[Node]:
    """Return the mappings in a list of the document; what has another form is refused where it is read."""
    found = document.value.get(key) if isinstance(document.value, dict) else None
    if found is not None and isinstance(found.value, list):
        yield from (item for item in found.value if isinstance(item.value, dict))


def _actions(rule: Node) -> list[Node]:
    found = rule.value.get("do") if isinstance(rule.value, dict) else None
    return found.value if found is not None and isinstance(found.value, list) else []


def _with(node: Node, value: Any, *, path: str | None = None) -> Node:
    """Return a node with another value, in the same place."""
    place = node.path if path is None else path
    return Node(value, file=node.file, line=node.line, path=place, error_type=node.error_type)
