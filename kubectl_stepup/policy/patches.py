"""What a patch, or an object's content, shows: whether it stops a workload, or lends it somebody's rights."""

from __future__ import annotations

from kubectl_stepup.policy.request import MINTS, RUNS_AS, SCALES_TO_ZERO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

SERVICE_ACCOUNT_TOKEN = "kubernetes.io/service-account-token"  # noqa: S105 (the name of a Secret's type)
"""A Secret of this type is filled with a token that never expires."""

_RIGHTS = frozenset(
    {
        "serviceAccountName",
        "serviceAccount",
        "hostPath",
        "hostPID",
        "hostIPC",
        "hostNetwork",
        "privileged",
        "allowPrivilegeEscalation",
        "secret",
        "secretName",
        "secretRef",
        "secretKeyRef",
        "procMount",
    }
)


def patch_marks(text: str | None) -> frozenset[str]:
    """Give the marks of the patch in `-p`; one that is not JSON, or in a file (None), may do anything it can spell."""
    if text is None:
        return frozenset({SCALES_TO_ZERO, RUNS_AS})
    import json

    try:
        return content_marks(json.loads(text))
    except (ValueError, RecursionError):
        pass  # kubectl takes YAML too: look for the words
    marks = set()
    if "replicas" in text or "\\" in text:
        marks.add(SCALES_TO_ZERO)
    if "\\" in text or any(word in text for word in _RIGHTS):
        marks.add(RUNS_AS)
    return frozenset(marks)


def content_marks(content: object) -> frozenset[str]:
    """Give the marks of an object, a merge patch or a list of JSON patch operations."""
    marks = set()
    for key, value in _fields(content):
        if key == "replicas" and value in (0, "0"):
            marks.add(SCALES_TO_ZERO)
        elif _lends(key, value):
            marks.add(RUNS_AS)
        elif key == "type" and value == SERVICE_ACCOUNT_TOKEN:
            marks.add(MINTS)
    return frozenset(marks)


def _lends(key: str, value: object) -> bool:
    """Tell whether a field of a pod's template lends it somebody's rights, or the node's."""
    if key == "capabilities":
        return isinstance(value, dict) and bool(value.get("add"))
    return key in _RIGHTS and value not in (False, None, "", [], {})


def _fields(content: object) -> Iterator[tuple[str, object]]:
    """Walk all keys with their values; a JSON patch operation counts as every word of its path with its value."""
    waiting = [content]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            path = value.get("path")
            if isinstance(path, str) and isinstance(value.get("op"), str):
                # The last word may be `-` or an index; a removed field is not a value, and `replicas` falls back to 1.
                yield from ((word, value.get("value", True)) for word in path.split("/"))
            yield from value.items()
            waiting.extend(value.values())
