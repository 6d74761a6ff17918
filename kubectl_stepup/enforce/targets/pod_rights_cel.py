"""Whether a request gives a pod, or a pod template, foreign rights: secrets, the host's, a service account's.

An update counts if it changes these: a new image for pods that have them already adds nothing. (The client decides the
same way: `kubectl.patches` looks at what a change names.)

Spec: kubernetes.io, *Pod v1 core* and *Pod Security Standards*.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PODS_AND_TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "": ("pods", "pods/ephemeralcontainers", "podtemplates", "replicationcontrollers"),
    "apps": ("deployments", "statefulsets", "replicasets", "daemonsets"),
    "batch": ("jobs", "cronjobs"),
}
"""Kinds that have a pod's specification, by API group."""

_SPEC = (
    "{object} == null ? dyn({{}}) : dyn(("
    "request.resource.resource == 'pods' ? {object}.?spec"
    " : request.resource.resource == 'podtemplates' ? {object}.?template.?spec"
    " : request.resource.resource == 'cronjobs' ? {object}.?spec.?jobTemplate.?spec.?template.?spec"
    " : {object}.?spec.?template.?spec).orValue({{}}))"
)
_CONTAINERS = (
    "{spec}.?containers.orValue([]) + {spec}.?initContainers.orValue([]) + {spec}.?ephemeralContainers.orValue([])"
)
_RIGHTS = (
    # Another's service account: the server writes `default` where none is named.
    "[{spec}.?serviceAccountName.orValue('')].filter(account, !(account in ['', 'default']))",
    "['hostPID', 'hostIPC', 'hostNetwork'].filter(field, {spec}[?field].orValue(false))",
    "{spec}.?volumes.orValue([]).filter(volume, has(volume.secret) || has(volume.hostPath) || "
    "volume.?projected.?sources.orValue([]).exists(source, has(source.secret)))",
    "{containers}.map(one, one.?env.orValue([]).filter(entry, has(entry.valueFrom) && "
    "has(entry.valueFrom.secretKeyRef))).filter(found, size(found) > 0)",
    "{containers}.map(one, one.?envFrom.orValue([]).filter(entry, has(entry.secretRef)))"
    ".filter(found, size(found) > 0)",
    "{containers}.filter(one, one.?securityContext.?privileged.orValue(false)"
    " || one.?securityContext.?allowPrivilegeEscalation.orValue(false)"
    " || size(one.?securityContext.?capabilities.?add.orValue([])) > 0"
    " || !(one.?securityContext.?procMount.orValue('Default') in ['', 'Default']))"
    ".map(one, one.securityContext)",
)
"""The foreign rights, each as a list that is empty where there are none."""


def _rights_of(name: str) -> str:
    values = (one.format(spec=f"variables.{name}Spec", containers=f"variables.{name}Containers") for one in _RIGHTS)
    return "[" + ", ".join(f"dyn({value})" for value in values) + "]"


RIGHTS: Mapping[str, str] = {
    f"{name}{what}": text
    for name in ("new", "old")
    for what, text in (
        ("Spec", _SPEC.format(object=f"variables.{name}")),
        ("Containers", _CONTAINERS.format(spec=f"variables.{name}Spec")),
        ("Rights", _rights_of(name)),
    )
}
"""Variables for `GAINS_RIGHTS`, in the order in which they use each other."""

GAINS_RIGHTS = (
    "variables.newRights.exists(right, size(right) > 0) && "
    "(variables.operation == 'CREATE' || variables.newRights != variables.oldRights)"
)
