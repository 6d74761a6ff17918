"""An audit policy for the API server: the events that reports need, without any secret's content.

Spec: audit.k8s.io/v1 Policy: the first rule that matches decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_stepup.enforce.names import level_group

if TYPE_CHECKING:
    from collections.abc import Iterable

_SECRET = [
    {"group": "", "resources": ["secrets", "serviceaccounts/token"]},
    {"group": "authentication.k8s.io", "resources": ["tokenreviews"]},
]
_CONNECTIONS = [
    {
        "group": "",
        "resources": [
            *("pods/exec", "pods/attach", "pods/portforward", "pods/ephemeralcontainers", "pods/eviction"),
            *("pods/proxy", "services/proxy", "nodes/proxy"),
        ],
    }
]
_POWER = [
    {"group": group}
    for group in (
        "rbac.authorization.k8s.io",
        "admissionregistration.k8s.io",
        "certificates.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
    )
]
_READS = ["get", "list", "watch"]
_WRITES = ["create", "update", "patch", "delete", "deletecollection"]


def policy(levels: Iterable[str]) -> dict[str, Any]:
    """Return the audit policy for the levels of a policy."""
    elevated = [level_group(level) for level in levels]
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            # The system's own chatter.
            {
                "level": "None",
                "users": ["system:apiserver", "system:kube-controller-manager", "system:kube-scheduler"],
                "verbs": _READS,
            },
            {"level": "None", "userGroups": ["system:nodes", "system:serviceaccounts:kube-system"], "verbs": _READS},
            {"level": "None", "resources": [{"group": "", "resources": ["events"]}, {"group": "events.k8s.io"}]},
            {"level": "None", "resources": [{"group": "coordination.k8s.io", "resources": ["leases"]}]},
            # Who read a secret or got a token, without the content.
            {"level": "Metadata", "resources": _SECRET},
            {"level": "Metadata", "resources": _CONNECTIONS},
            # Who changed whose rights, and how.
            {"level": "Request", "verbs": _WRITES, "resources": _POWER},
            # Everything that somebody did while elevated, reads too.
            *([{"level": "Metadata", "userGroups": elevated}] if elevated else []),
            {"level": "Metadata", "verbs": _WRITES},
            {"level": "None"},
        ],
    }
