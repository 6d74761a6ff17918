"""Read RBAC from files, with the lines that it stands on (the filesystem, standard input)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_stepup.errors import RbacInvalid, UsageError
from kubectl_stepup.rbac.model import FileLocation
from kubectl_stepup.rbac.reading import Manifest, objects_of
from kubectl_stepup.yaml_edit import yaml_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from kubectl_stepup.rbac.model import RbacObjects
    from kubectl_stepup.yaml_edit.node import Node

STDIN = "-"
NO_ACCOUNTS = "service accounts were not read: bindings to missing ones are not told"


def from_files(files: Sequence[str]) -> tuple[RbacObjects, tuple[str, ...]]:
    """Read RBAC from files (`-`: standard input), and return with it what is missing in them.

    Raises:
        RbacInvalid: they cannot be read, or bind nobody.
        UsageError: standard input is named twice.
    """
    if files.count(STDIN) > 1:
        raise UsageError("standard input can be read only once", hint="kubectl stepup rbac audit --from FILE")
    objects = objects_of(manifest for file in files for manifest in manifests(_bytes(file), file))
    if not objects.bindings:
        raise RbacInvalid(
            f"{', '.join(files)}: no RoleBinding and no ClusterRoleBinding, so nothing can be told",
            hint="kubectl get clusterroles,clusterrolebindings,roles,rolebindings,serviceaccounts -A -o json",
        )
    return objects, (() if objects.service_accounts is not None else (NO_ACCOUNTS,))


def _bytes(file: str) -> bytes:
    if file != STDIN:
        return yaml_file.read_bytes(Path(file), max_bytes=yaml_file.MAX_MANIFEST_BYTES, error=RbacInvalid)
    data = b"" if sys.stdin is None else sys.stdin.buffer.read(yaml_file.MAX_MANIFEST_BYTES + 1)
    if len(data) > yaml_file.MAX_MANIFEST_BYTES:
        raise RbacInvalid(f"standard input is larger than {yaml_file.MAX_MANIFEST_BYTES} bytes")
    return data


def manifests(data: bytes, file: str) -> Iterator[Manifest]:
    """Return the objects of a file, those of lists one by one.

    JSON is what kubectl writes by the megabyte, and is read without the lines.

    Raises:
        RbacInvalid: it is neither YAML nor JSON, or holds something that is no object.
    """
    if data.lstrip()[:1] == b"{":
        location = FileLocation(file=file)
        yield from (Manifest(content=one, location=location) for one in flattened(_json(data, file), file))
        return
    for node in yaml_file.parse_all(data, file, error=RbacInvalid):
        yield from _objects(node)


def flattened(content: object, file: str) -> Iterator[Mapping[str, Any]]:
    """Return an object, or those in a list; a list of one kind tells its items' kind.

    Raises:
        RbacInvalid: there is something else.
    """
    if not isinstance(content, dict):
        raise RbacInvalid(f"{file}: a Kubernetes object is expected, not {type(content).__name__}")
    kind, items = content.get("kind"), content.get("items")
    if not (isinstance(kind, str) and kind.endswith("List") and isinstance(items, list)):
        yield content
        return
    told = {"apiVersion": content.get("apiVersion"), "kind": kind.removesuffix("List")} if kind != "List" else {}
    for item in items:
        if not isinstance(item, dict):
            raise RbacInvalid(f"{file}: an item of a {kind} is no object")
        yield {**told, **item}


def _json(data: bytes, file: str) -> object:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise RbacInvalid(f"{file}: no JSON: {exc}", details={"file": file}) from exc


def _objects(node: Node) -> Iterator[Manifest]:
    content = _plain(node)
    fields = node.value if isinstance(node.value, dict) else {}
    items = fields.get("items")
    inner = items.value if items is not None and isinstance(items.value, list) else None
    objects = list(flattened(content, node.file))
    # One object is itself; of a list each item has its own line.
    for one, source in zip(objects, [node] if inner is None else inner, strict=True):
        rules = source.value.get("rules") if isinstance(source.value, dict) else None
        lines = tuple(rule.line for rule in rules.value) if rules and isinstance(rules.value, list) else ()
        yield Manifest(content=one, location=FileLocation(file=source.file, line=source.line), rule_lines=lines)


def _plain(node: Node) -> object:
    value = node.value
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value
