"""What a patch, or an object's content, shows: whether it stops a workload, or gives it foreign rights."""

from __future__ import annotations

from kubectl_stepup.kubectl.request import CORDONS, MINTS, PAUSES, RUNS_AS, SCALES_TO_ZERO, UNCORDONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_stepup.kubectl.resources import Resource

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

_PAUSING = {"deployments": "paused", "nodes": "unschedulable"}
"""The field that stops a rollout, or keeps pods from a node."""

_SCALABLE = frozenset({"deployments", "replicasets", "replicationcontrollers", "statefulsets"})
_WITH_PODS = _SCALABLE | {"pods", "podtemplates", "daemonsets", "jobs", "cronjobs"}


def possible_marks(resource: Resource) -> frozenset[str]:
    """Return the marks that an object's content can carry; a custom resource may be anything."""
    marks = set()
    if not resource.built_in or resource.name in _SCALABLE:
        marks.add(SCALES_TO_ZERO)
    if not resource.built_in or resource.name in _WITH_PODS:
        marks.add(RUNS_AS)
    if not resource.built_in or resource.name == "secrets":
        marks.add(MINTS)
    if resource.built_in and resource.name in _PAUSING:
        marks.add(PAUSES)
    return frozenset(marks)


def unread_patch_marks(resource: Resource) -> frozenset[str]:
    """Return the marks of a change that nobody has read; a Secret's type cannot be changed."""
    return possible_marks(resource) - {MINTS}


def patch_marks(text: str, resource: Resource) -> frozenset[str]:
    """Return the marks of the patch in `-p`; where its words need not say what it does, all that it could have."""
    import json

    try:
        patch = json.loads(text)
        return unread_patch_marks(resource) if _copies(patch) else _read_patch_marks(patch, resource)
    except (ValueError, RecursionError):
        pass  # kubectl takes YAML too: look for the words
    if "\\" in text or "!" in text:  # escapes and tags (`!!binary`) spell words without their letters
        return unread_patch_marks(resource)
    marks = set()
    if "replicas" in text:
        marks.add(SCALES_TO_ZERO)
    if any(word in text for word in _RIGHTS):
        marks.add(RUNS_AS)
    if resource.built_in and resource.name in _PAUSING and _PAUSING[resource.name] in text:
        marks.add(PAUSES)
    if "copy" in text or "move" in text.replace("remove", ""):
        marks |= unread_patch_marks(resource)
    return frozenset(marks)


def _read_patch_marks(patch: object, resource: Resource) -> frozenset[str]:
    if resource.built_in and resource.name == "nodes" and (cordons := _cordons(patch)) is not None:
        return frozenset({CORDONS if cordons else UNCORDONS})
    found = content_marks(patch)
    return found if PAUSES in possible_marks(resource) else found - {PAUSES}


def _cordons(patch: object) -> bool | None:
    """Whether a patch cordons a node (True) or ends that (False) and does no more; None for every other."""
    if isinstance(patch, list) and len(patch) == 1 and isinstance(patch[0], dict):
        if patch[0].get("path") == "/spec/unschedulable" and patch[0].get("op") in ("add", "replace", "remove"):
            return patch[0]["op"] != "remove" and bool(patch[0].get("value"))
    elif isinstance(patch, dict) and set(patch) == {"spec"}:
        spec = patch["spec"]
        if isinstance(spec, dict) and set(spec) == {"unschedulable"}:
            return bool(spec["unschedulable"])
    return None


def _copies(patch: object) -> bool:
    """Whether a JSON patch takes values from elsewhere in the object (RFC 6902, 4.4 and 4.5)."""
    operations = patch if isinstance(patch, list) else ()
    return any(isinstance(one, dict) and one.get("op") in ("copy", "move") for one in operations)


def content_marks(content: object) -> frozenset[str]:
    """Return the marks of an object, a merge patch or a list of JSON patch operations."""
    marks = set()
    for key, value in _fields(content):
        if key == "replicas" and value in (0, "0"):
            marks.add(SCALES_TO_ZERO)
        elif key in _PAUSING.values() and value not in (False, None):
            marks.add(PAUSES)
        elif _lends(key, value):
            marks.add(RUNS_AS)
        elif key == "type" and value == SERVICE_ACCOUNT_TOKEN:
            marks.add(MINTS)
    return frozenset(marks)


def _lends(key: str, value: object) -> bool:
    """Whether a field of a pod's template gives it rights of somebody else, or the node's."""
    if key == "capabilities":
        # In a JSON patch's path no object follows it, but what is added.
        return bool(value.get("add") if isinstance(value, dict) else value)
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
