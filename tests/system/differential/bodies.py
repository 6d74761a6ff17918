"""Read the bodies of requests: JSON, the user's YAML, or the protobuf of newer kubectls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml

MAGIC = b"k8s\x00"
_LENGTH_DELIMITED = 2
_TYPE_META, _RAW = 1, 2
_METADATA, _SPEC = 1, 2
_CONTAINERS, _CONTAINER_NAME = 2, 1
_NAME, _GENERATE_NAME, _NAMESPACE = 1, 2, 3


def content(body: bytes) -> dict[str, Any]:
    """Return the object in a body; of protobuf its type, name, namespace and containers alone."""
    if body.startswith(MAGIC):
        return _from_protobuf(body[len(MAGIC) :])
    try:
        found = json.loads(body)
    except ValueError:
        try:
            found = yaml.safe_load(body)
        except (yaml.YAMLError, ValueError):
            found = None
    return found if isinstance(found, dict) else {}


def _from_protobuf(body: bytes) -> dict[str, Any]:
    """Read a runtime.Unknown.

    Spec: apimachinery's generated.proto of `runtime` (Unknown, TypeMeta) and `meta/v1` (ObjectMeta), `core/v1`
    (PodSpec, Container); `metadata` is field 1 of every kind.
    """
    unknown = dict(_fields(body))
    kind, raw = dict(_fields(unknown.get(_TYPE_META, b""))), dict(_fields(unknown.get(_RAW, b"")))
    metadata = dict(_fields(raw.get(_METADATA, b"")))
    names = {"name": _NAME, "generateName": _GENERATE_NAME, "namespace": _NAMESPACE}
    found: dict[str, Any] = {
        "apiVersion": kind.get(1, b"").decode(),
        "kind": kind.get(2, b"").decode(),
        "metadata": {key: metadata[number].decode() for key, number in names.items() if metadata.get(number)},
    }
    if found["kind"] == "Pod":
        containers = (dict(_fields(value)) for number, value in _fields(raw.get(_SPEC, b"")) if number == _CONTAINERS)
        found["spec"] = {"containers": [{"name": one[_CONTAINER_NAME].decode()} for one in containers]}
    return found


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Return the length-delimited fields of a protobuf message: the last of a number counts, as in protobuf."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 0:
            _, at = _varint(message, at)
        elif kind == _LENGTH_DELIMITED:
            size, at = _varint(message, at)
            yield tag >> 3, message[at : at + size]
            at += size
        else:
            at += {1: 8, 5: 4}[kind]


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
