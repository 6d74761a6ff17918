"""What each action stands for on the wire, and which enforcement point of the server sees it.

Admission sees writes and connections and no reads; its own policies and bindings are exempt from it, the configurations
of webhooks are not. What only a command line shows - that a change rolls something back, say - no server sees.

Spec: kubernetes.io, *Admission Control in Kubernetes* and *Using RBAC Authorization*.
"""

from __future__ import annotations

from kubectl_stepup.policy.actions import CHANGE
from kubectl_stepup.values import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

ADMISSION = "admission"
RBAC = "rbac"
CLIENT = "client"

_WRITES = ("create", "update", "patch", "delete", "deletecollection")
_ALL = ("get", "create", "update", "patch", "delete")


class Expansion(Record):
    """Verbs on resources (`name`, `name/subresource`, `name.group`), and where they can be enforced.

    `only` says which of those requests are meant, where it is not all of them.
    """

    verbs: tuple[str, ...]
    resources: tuple[str, ...]
    enforced_by: str
    only: str = ""


EXPANSIONS: Mapping[str, tuple[Expansion, ...]] = {
    "delete": (
        Expansion(verbs=("delete", "deletecollection"), resources=("*",), enforced_by=ADMISSION),
        Expansion(verbs=("create",), resources=("pods/eviction",), enforced_by=ADMISSION),
    ),
    "stop": (
        Expansion(
            verbs=("update", "patch"),
            resources=("deployments.apps/scale", "statefulsets.apps/scale", "replicasets.apps/scale"),
            enforced_by=ADMISSION,
            only="to no replicas",
        ),
        Expansion(
            verbs=("update", "patch"),
            resources=("deployments.apps", "statefulsets.apps", "replicasets.apps"),
            enforced_by=ADMISSION,
            only="to no replicas, or paused",
        ),
        Expansion(verbs=("patch",), resources=("nodes",), enforced_by=ADMISSION, only="cordon"),
        Expansion(verbs=("patch",), resources=("deployments.apps",), enforced_by=CLIENT, only="rollout undo"),
    ),
    "shell": (
        Expansion(
            verbs=("get", "create"), resources=("pods/exec", "pods/attach", "pods/portforward"), enforced_by=ADMISSION
        ),
        Expansion(verbs=_ALL, resources=("pods/proxy", "services/proxy", "nodes/proxy"), enforced_by=ADMISSION),
        Expansion(verbs=("update", "patch"), resources=("pods/ephemeralcontainers",), enforced_by=ADMISSION),
    ),
    "read-secrets": (Expansion(verbs=("get", "list", "watch"), resources=("secrets",), enforced_by=RBAC),),
    "grant": (
        Expansion(
            verbs=_WRITES,
            resources=tuple(
                f"{name}.rbac.authorization.k8s.io"
                for name in ("roles", "rolebindings", "clusterroles", "clusterrolebindings")
            ),
            enforced_by=ADMISSION,
        ),
        Expansion(
            verbs=("bind", "escalate"),
            resources=("roles.rbac.authorization.k8s.io", "clusterroles.rbac.authorization.k8s.io"),
            enforced_by=RBAC,
        ),
        Expansion(verbs=("impersonate",), resources=("users", "groups", "serviceaccounts"), enforced_by=RBAC),
    ),
    "mint": (
        Expansion(verbs=("create",), resources=("serviceaccounts/token",), enforced_by=ADMISSION),
        Expansion(verbs=_WRITES, resources=("certificatesigningrequests.certificates.k8s.io",), enforced_by=ADMISSION),
    ),
    "protect": (
        Expansion(
            verbs=_WRITES,
            resources=tuple(
                f"{name}.admissionregistration.k8s.io"
                for name in (
                    "validatingadmissionpolicies",
                    "validatingadmissionpolicybindings",
                    "mutatingadmissionpolicies",
                    "mutatingadmissionpolicybindings",
                )
            ),
            enforced_by=RBAC,
        ),
        Expansion(
            verbs=_WRITES,
            resources=(
                "validatingwebhookconfigurations.admissionregistration.k8s.io",
                "mutatingwebhookconfigurations.admissionregistration.k8s.io",
                "customresourcedefinitions.apiextensions.k8s.io",
                "apiservices.apiregistration.k8s.io",
            ),
            enforced_by=ADMISSION,
        ),
    ),
    "node": (Expansion(verbs=_WRITES, resources=("nodes",), enforced_by=ADMISSION, only="but not cordon"),),
    "run-as": (
        Expansion(
            verbs=("create", "update", "patch"),
            resources=("pods", "deployments.apps"),
            enforced_by=ADMISSION,
            only="with secrets, host paths, privileges, other accounts",
        ),
    ),
    CHANGE: (Expansion(verbs=_WRITES, resources=("*",), enforced_by=ADMISSION, only="no other action"),),
}
"""By action, in the order of `actions.NAMES`."""
