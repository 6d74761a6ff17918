"""The objects in kubectl's JSON output: what a manifest will send."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kubectl_stepup.kubectl.patches import content_marks, possible_marks
from kubectl_stepup.kubectl.request import ObjectRef
from kubectl_stepup.kubectl.resources import resource_of_kind

if TYPE_CHECKING:
    from collections.abc import Iterator


def objects_in(output: str, *, namespace: str | None) -> tuple[ObjectRef, ...]:
    """Read JSON objects that follow one another, as `kubectl -o json` prints them for several files.

    `namespace` counts where an object names none.

    Raises: ValueError where it is anything else.
    """
    return tuple(_object_of(content, namespace) for content in _documents(output))


def _documents(output: str) -> Iterator[dict[str, Any]]:
    decoder = json.JSONDecoder()
    at = 0
    while at < len(output):
        if output[at].isspace():
            at += 1
            continue
        content, at = decoder.raw_decode(output, at)
        if not isinstance(content, dict):
            raise ValueError("not an object")
        items = content.get("items")
        if isinstance(items, list) and str(content.get("kind", "")).endswith("List"):
            yield from (item for item in items if isinstance(item, dict))
        else:
            yield content


def _object_of(content: dict[str, Any], namespace: str | None) -> ObjectRef:
    api_version, kind, metadata = content.get("apiVersion"), content.get("kind"), content.get("metadata")
    if not isinstance(api_version, str) or not isinstance(kind, str) or not isinstance(metadata, dict):
        raise ValueError("an object without apiVersion, kind or metadata")
    resource = resource_of_kind(api_version.rpartition("/")[0], kind)
    own_namespace = metadata.get("namespace")
    if own_namespace and not resource.built_in:
        resource = resource.replace(namespaced=True)
    name = metadata.get("name")
    return ObjectRef(
        resource=resource,
        name=name if isinstance(name, str) and name else None,
        namespace=own_namespace if isinstance(own_namespace, str) and own_namespace else namespace,
        marks=content_marks(content) & possible_marks(resource),
    )
