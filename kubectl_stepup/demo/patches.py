"""Apply patches: JSON merge (RFC 7386), JSON patch (RFC 6902), strategic merge, and server-side apply as a merge."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from kubectl_stepup.demo.statuses import StatusError, bad_request, unsupported_media_type

_MERGE_KEYS = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "imagePullSecrets": ("name",),
    "secrets": ("name",),
    "volumeMounts": ("mountPath",),
    "ports": ("containerPort", "port"),
    "conditions": ("type",),
    "ownerReferences": ("uid",),
}
"""Field to the keys that tell its elements apart (the `patchMergeKey` of the API types)."""


def patched(document: dict[str, Any], patch: Any, content_type: str) -> dict[str, Any]:
    """Return `document` with `patch` applied. Raises `StatusError`."""
    if content_type == "application/json-patch+json":
        return _json_patch(copy.deepcopy(document), patch)
    ways: dict[str, Callable[[Any, Any], Any]] = {
        "application/merge-patch+json": merge,
        "application/strategic-merge-patch+json": strategic,
        "application/apply-patch+yaml": strategic,
    }
    way = ways.get(content_type)
    if way is None:
        raise unsupported_media_type(content_type)
    if not isinstance(patch, dict):
        raise bad_request("the patch is not an object")
    result = way(document, patch)
    assert isinstance(result, dict)  # noqa: S101 - merging two objects gives an object
    return result


def merge(target: Any, patch: Any) -> Any:
    """Apply a JSON merge patch. Spec: RFC 7386 section 2."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge(result.get(name), value)
    return result


def strategic(target: Any, patch: Any) -> Any:
    """Apply a strategic merge patch: lists of named elements are merged by name, other lists are replaced."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    patch = dict(patch)
    directive = patch.pop("$patch", "merge")
    if directive == "replace":
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    kept = patch.pop("$retainKeys", None)
    if isinstance(kept, list):
        result = {name: value for name, value in result.items() if name in kept}
    for name, value in patch.items():
        if name.startswith("$setElementOrder/"):
            continue
        if name.startswith("$deleteFromPrimitiveList/"):
            field = name.partition("/")[2]
            result[field] = [item for item in result.get(field) or [] if item not in value]
        elif value is None:
            result.pop(name, None)
        elif isinstance(value, list):
            result[name] = _strategic_list(name, result.get(name) or [], value)
        else:
            result[name] = strategic(result.get(name), value)
    return result


def _strategic_list(name: str, target: list[Any], patch: list[Any]) -> list[Any]:
    if name == "finalizers":
        return target + [item for item in patch if item not in target]
    keys = _MERGE_KEYS.get(name, ())
    key = next((key for key in keys if patch and all(isinstance(i, dict) and key in i for i in patch)), None)
    if key is None:
        return [strategic(None, item) for item in patch]
    result = list(target)
    for item in patch:
        index = next((i for i, old in enumerate(result) if old.get(key) == item[key]), None)
        if item.get("$patch") == "delete":
            result = [old for old in result if old.get(key) != item[key]]
        elif index is None:
            result.append(strategic(None, item))
        else:
            result[index] = strategic(result[index], item)
    return result


def _json_patch(document: Any, operations: Any) -> dict[str, Any]:
    if not isinstance(operations, list):
        raise bad_request("a JSON patch is a list of operations")
    for operation in operations:
        try:
            _apply_operation(document, operation)
        except (KeyError, IndexError, ValueError, TypeError, AttributeError) as exc:
            raise StatusError(422, "Invalid", "the server rejected our request due to an error in our request") from exc
    assert isinstance(document, dict)  # noqa: S101 - operations on the whole document are refused
    return document


def _apply_operation(document: Any, operation: dict[str, Any]) -> None:
    name, path = operation["op"], operation["path"]
    if name in ("move", "copy"):
        value = copy.deepcopy(_value_at(document, operation["from"]))
        if name == "move":
            _apply_operation(document, {"op": "remove", "path": operation["from"]})
        _apply_operation(document, {"op": "add", "path": path, "value": value})
        return
    if name == "test":
        if _value_at(document, path) != operation["value"]:
            raise ValueError(path)
        return
    parent, last = _parent(document, path)
    if name == "remove":
        del parent[_index(last) if isinstance(parent, list) else last]
    elif isinstance(parent, list) and name == "add":
        parent.insert(len(parent) if last == "-" else _index(last), operation["value"])
    elif name in ("add", "replace"):
        if name == "replace":
            _value_at(document, path)
        parent[_index(last) if isinstance(parent, list) else last] = operation["value"]
    else:
        raise ValueError(name)


def _index(step: str) -> int:
    """Return the place in a list that a step names: RFC 6901 section 4 knows no sign and no zero in front."""
    if not (step.isascii() and step.isdigit() and len(step) < 10 and (step == "0" or step[0] != "0")):
        raise ValueError(step)
    return int(step)


def _steps(path: str) -> list[str]:
    if not path.startswith("/"):
        raise ValueError(path)
    return [step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/")]


def _value_at(document: Any, path: str) -> Any:
    parent, last = _parent(document, path)
    return parent[_index(last) if isinstance(parent, list) else last]


def _parent(document: Any, path: str) -> tuple[Any, str]:
    *front, last = _steps(path)
    for step in front:
        document = document[_index(step) if isinstance(document, list) else step]
    return document, last
