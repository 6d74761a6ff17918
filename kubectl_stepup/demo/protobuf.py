"""Read the protobuf bodies that newer kubectls send for typed objects; nothing is written in it.

The tables name only the fields that kubectl's own commands fill in. A field that is not here and is not empty refuses
the body instead of losing a value.

Spec: https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding; the `generated.proto` files of
k8s.io/api and k8s.io/apimachinery.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from kubectl_stepup.demo.statuses import StatusError, bad_request

CONTENT_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

Field = tuple[str, str]
"""JSON name and type: `string`, `bytes`, `int`, `kept` (an int whose 0 means something), `bool`, `quantity`,
`intorstring`, `skip`, or the name of a message; `[]T` repeats, `{}T` maps strings to T."""

_META = {1: ("metadata", "ObjectMeta")}
_MESSAGES: dict[str, dict[int, Field]] = {
    "ObjectMeta": {
        1: ("name", "string"),
        2: ("generateName", "string"),
        3: ("namespace", "string"),
        4: ("selfLink", "skip"),
        7: ("generation", "skip"),
        8: ("creationTimestamp", "skip"),
        11: ("labels", "{}string"),
        12: ("annotations", "{}string"),
    },
    "ConfigMap": {**_META, 2: ("data", "{}string"), 3: ("binaryData", "{}bytes"), 4: ("immutable", "bool")},
    "Secret": {
        **_META,
        2: ("data", "{}bytes"),
        3: ("type", "string"),
        4: ("stringData", "{}string"),
        5: ("immutable", "bool"),
    },
    "Namespace": {**_META, 2: ("spec", "skip"), 3: ("status", "skip")},
    "ServiceAccount": {**_META},
    "Pod": {**_META, 2: ("spec", "PodSpec"), 3: ("status", "skip")},
    "Deployment": {**_META, 2: ("spec", "DeploymentSpec"), 3: ("status", "skip")},
    "DeploymentSpec": {
        1: ("replicas", "kept"),
        2: ("selector", "LabelSelector"),
        3: ("template", "PodTemplateSpec"),
        4: ("strategy", "DeploymentStrategy"),
        5: ("minReadySeconds", "int"),
        6: ("revisionHistoryLimit", "kept"),
        7: ("paused", "bool"),
        9: ("progressDeadlineSeconds", "kept"),
    },
    "DeploymentStrategy": {1: ("type", "string")},
    "LabelSelector": {1: ("matchLabels", "{}string")},
    "PodTemplateSpec": {**_META, 2: ("spec", "PodSpec")},
    "PodSpec": {
        2: ("containers", "[]Container"),
        3: ("restartPolicy", "string"),
        4: ("terminationGracePeriodSeconds", "kept"),
        6: ("dnsPolicy", "string"),
        7: ("nodeSelector", "{}string"),
        8: ("serviceAccountName", "string"),
        9: ("serviceAccount", "string"),
        10: ("nodeName", "string"),
        11: ("hostNetwork", "bool"),
        12: ("hostPID", "bool"),
        13: ("hostIPC", "bool"),
        14: ("securityContext", "PodSecurityContext"),
        16: ("hostname", "string"),
        17: ("subdomain", "string"),
        19: ("schedulerName", "string"),
        24: ("priorityClassName", "string"),
    },
    "PodSecurityContext": {},
    "Container": {
        1: ("name", "string"),
        2: ("image", "string"),
        3: ("command", "[]string"),
        4: ("args", "[]string"),
        5: ("workingDir", "string"),
        6: ("ports", "[]ContainerPort"),
        7: ("env", "[]EnvVar"),
        8: ("resources", "ResourceRequirements"),
        13: ("terminationMessagePath", "string"),
        14: ("imagePullPolicy", "string"),
        16: ("stdin", "bool"),
        17: ("stdinOnce", "bool"),
        18: ("tty", "bool"),
        20: ("terminationMessagePolicy", "string"),
    },
    "ContainerPort": {
        1: ("name", "string"),
        2: ("hostPort", "int"),
        3: ("containerPort", "int"),
        4: ("protocol", "string"),
        5: ("hostIP", "string"),
    },
    "EnvVar": {1: ("name", "string"), 2: ("value", "string")},
    "ResourceRequirements": {1: ("limits", "{}quantity"), 2: ("requests", "{}quantity")},
    "Service": {**_META, 2: ("spec", "ServiceSpec"), 3: ("status", "skip")},
    "ServiceSpec": {
        1: ("ports", "[]ServicePort"),
        2: ("selector", "{}string"),
        3: ("clusterIP", "string"),
        4: ("type", "string"),
        7: ("sessionAffinity", "string"),
        8: ("loadBalancerIP", "string"),
        10: ("externalName", "string"),
        11: ("externalTrafficPolicy", "string"),
        12: ("healthCheckNodePort", "int"),
        13: ("publishNotReadyAddresses", "bool"),
    },
    "ServicePort": {
        1: ("name", "string"),
        2: ("protocol", "string"),
        3: ("port", "int"),
        4: ("targetPort", "intorstring"),
        5: ("nodePort", "int"),
    },
    "Eviction": {**_META, 2: ("deleteOptions", "DeleteOptions")},
    "DeleteOptions": {
        1: ("gracePeriodSeconds", "kept"),
        2: ("preconditions", "Preconditions"),
        3: ("orphanDependents", "bool"),
        4: ("propagationPolicy", "string"),
        5: ("dryRun", "[]string"),
    },
    "Preconditions": {1: ("uid", "string"), 2: ("resourceVersion", "string")},
    "SelfSubjectReview": {**_META, 2: ("status", "skip")},
    "SelfSubjectAccessReview": {**_META, 2: ("spec", "SelfSubjectAccessReviewSpec"), 3: ("status", "skip")},
    "SelfSubjectAccessReviewSpec": {
        1: ("resourceAttributes", "ResourceAttributes"),
        2: ("nonResourceAttributes", "NonResourceAttributes"),
    },
    "ResourceAttributes": {
        1: ("namespace", "string"),
        2: ("verb", "string"),
        3: ("group", "string"),
        4: ("version", "string"),
        5: ("resource", "string"),
        6: ("subresource", "string"),
        7: ("name", "string"),
    },
    "NonResourceAttributes": {1: ("path", "string"), 2: ("verb", "string")},
    "SelfSubjectRulesReview": {**_META, 2: ("spec", "SelfSubjectRulesReviewSpec"), 3: ("status", "skip")},
    "SelfSubjectRulesReviewSpec": {1: ("namespace", "string")},
    "Unknown": {1: ("typeMeta", "TypeMeta"), 2: ("raw", "raw"), 3: ("", "skip"), 4: ("", "skip")},
    "TypeMeta": {1: ("apiVersion", "string"), 2: ("kind", "string")},
    "IntOrString": {1: ("type", "int"), 2: ("intVal", "int"), 3: ("strVal", "string")},
    "Quantity": {1: ("string", "string")},
}


def decoded(body: bytes) -> dict[str, Any]:
    """Return the object in a protobuf body. Raises `StatusError` (400, 415)."""
    if not body.startswith(_MAGIC):
        raise bad_request("the body is not Kubernetes protobuf")
    try:
        envelope = _message("Unknown", body[len(_MAGIC) :])
        kind = envelope.get("typeMeta", {}).get("kind", "")
        if kind not in _MESSAGES:
            raise _unread(f"kind {kind}")
        return {**envelope["typeMeta"], **_message(kind, envelope.get("raw", b""))}
    except (IndexError, KeyError, ValueError) as exc:
        raise bad_request(f"couldn't read the body as protobuf: {exc}") from exc


def _message(name: str, data: bytes) -> dict[str, Any]:
    fields, result = _MESSAGES[name], dict[str, Any]()
    for number, value in _fields(data):
        if number not in fields:
            if value not in (0, b""):
                raise _unread(f"field {number} of {name}")
            continue
        key, type_ = fields[number]
        if type_.startswith("[]"):
            result.setdefault(key, []).append(_value(type_[2:], value))
        elif type_.startswith("{}"):
            _put(result.setdefault(key, {}), type_[2:], value)
        else:
            read = _value(type_, value)
            # The encoder writes every field that is no pointer; empty ones are those nobody set.
            if type_ == "kept" or read not in ("", 0, None, b"", {}):
                result[key] = read
    return result


def _put(target: dict[str, Any], type_: str, entry: int | bytes) -> None:
    pair = dict(_fields(_bytes(entry)))
    target[_bytes(pair.get(1, b"")).decode()] = _value(type_, pair.get(2, b""))


def _value(type_: str, value: int | bytes) -> Any:
    if type_ in ("int", "kept"):
        return _signed(value)
    if type_ == "bool":
        return bool(_signed(value))
    if type_ == "skip":
        return None
    data = _bytes(value)
    if type_ == "string":
        return data.decode()
    if type_ == "bytes":
        return base64.b64encode(data).decode()
    if type_ == "raw":
        return data
    if type_ == "quantity":
        return _message("Quantity", data).get("string", "0")
    if type_ == "intorstring":
        both = _message("IntOrString", data)
        return both.get("strVal", "") if both.get("type") else both.get("intVal", 0)
    return _message(type_, data)


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if wire == _BYTES:
            size, at = _varint(data, at)
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if at + size > len(data):
            raise ValueError("cut short")
        yield number, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            raise ValueError("a number is too long")


def _signed(value: int | bytes) -> int:
    if isinstance(value, bytes):
        raise ValueError("a number was expected")
    return value - (1 << 64) if value >= 1 << 63 else value


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("bytes were expected")
    return value


def _unread(what: str) -> StatusError:
    return StatusError(415, "UnsupportedMediaType", f"the demo cluster does not read {what} in protobuf")
