"""Which requests amount to which power, and which of the policy's actions a power is about.

Spec: kubernetes.io, *Role Based Access Control Good Practices* (privilege escalation risks) and *Authorization*.
"""

from __future__ import annotations

from dataclasses import dataclass

from kubectl_stepup.enforce.names import PUBLISHED_NAMESPACE
from kubectl_stepup.enforce.targets.admission import OWN_RULE
from kubectl_stepup.names import OWN_GROUP
from kubectl_stepup.policy.actions import OWN_PREFIX
from kubectl_stepup.rbac.model import RBAC
from kubectl_stepup.rbac.severity import CRITICAL, HIGH, LOW, MEDIUM

MUTATIONS = ("create", "update", "patch")
DELETIONS = ("delete", "deletecollection")
WRITES = (*MUTATIONS, *DELETIONS)
EVERY_VERB = ("get", "list", "watch", *WRITES)
STREAMS = ("get", "create")
PROXIED = ("get", "create", "update", "patch", "delete")

SYSTEM_NAMESPACE = "kube-system"

ANYTHING = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Requests that a rule must allow one of: verbs on a resource of a group (`*`: of any).

    `cluster`: the API server asks for it at the scope of the cluster, so that a RoleBinding never allows it.
    """

    verbs: tuple[str, ...]
    group: str = ""
    resource: str
    cluster: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """What a rule can give.

    `actions` are the policy's: the power is sensitive where a rule asks for one of them. `gate` is the action whose
    admission guard stops people from using it without a step-up; None where nothing but RBAC can. `narrows` is False
    where an everyday role keeps it, as RBAC cannot tell the harmless use from the other. `machines`: it matters in the
    hands of a service account too, because people can act as that. `only_in` and `only_names` narrow what is meant.
    `kept_by` is a guard that stands for it alone, whatever the policy's rules say.
    """

    code: str
    severity: str
    actions: frozenset[str]
    asks: tuple[Ask, ...] = ()
    gate: str | None = None
    narrows: bool = True
    machines: bool = True
    only_in: str = ""
    only_names: str = ""
    kept_by: str = ""


def _asks(verbs: tuple[str, ...], group: str, *resources: str, cluster: bool = False) -> tuple[Ask, ...]:
    return tuple(Ask(verbs=verbs, group=group, resource=resource, cluster=cluster) for resource in resources)


def _power(code: str, severity: str, actions: str, *asks: tuple[Ask, ...], **more: object) -> Power:
    found = tuple(ask for group in asks for ask in group)
    return Power(code=code, severity=severity, actions=frozenset(actions.split()), asks=found, **more)  # type: ignore[arg-type]


_CERTIFICATES = "certificates.k8s.io"
_AUTHENTICATION = "authentication.k8s.io"
_WORKLOADS = (
    *_asks(MUTATIONS, "apps", "deployments", "daemonsets", "statefulsets", "replicasets"),
    *_asks(MUTATIONS, "batch", "jobs", "cronjobs"),
    *_asks(MUTATIONS, "", "replicationcontrollers", "podtemplates"),
    *_asks(("create",), "", "pods"),
)
_ADMISSION = (
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
    "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
)
_WEBHOOKS = ("validatingwebhookconfigurations", "mutatingwebhookconfigurations")

POWERS: tuple[Power, ...] = (
    _power(
        "admission-write", CRITICAL, "guard", _asks(WRITES, "admissionregistration.k8s.io", *_ADMISSION, cluster=True)
    ),
    _power(
        "webhook-write",
        CRITICAL,
        "guard",
        _asks(WRITES, "admissionregistration.k8s.io", *_WEBHOOKS, cluster=True),
        gate="guard",
    ),
    _power("node-proxy", CRITICAL, "shell", _asks(PROXIED, "", "nodes/proxy", cluster=True)),
    _power(
        "escalate",
        CRITICAL,
        "grant",
        _asks(("escalate",), RBAC, "roles"),
        _asks(("escalate",), RBAC, "clusterroles", cluster=True),
        gate="grant",
    ),
    # The server asks for `bind` in the namespace of the binding that is written, for a ClusterRole too.
    _power("bind", CRITICAL, "grant", _asks(("bind",), RBAC, "roles", "clusterroles"), gate="grant"),
    _power(
        "impersonate-groups",
        CRITICAL,
        "grant",
        _asks(("impersonate",), "", "groups", cluster=True),
        _asks(("impersonate:user-info",), _AUTHENTICATION, "groups", cluster=True),
    ),
    _power(
        "impersonate-users",
        CRITICAL,
        "grant",
        _asks(("impersonate",), "", "users", cluster=True),
        _asks(("impersonate:user-info",), _AUTHENTICATION, "users", cluster=True),
    ),
    _power(
        "impersonate-service-accounts",
        HIGH,
        "grant",
        _asks(("impersonate",), "", "serviceaccounts"),
        _asks(("impersonate:serviceaccount",), _AUTHENTICATION, "serviceaccounts"),
    ),
    _power(
        "impersonate-extras",
        HIGH,
        "grant",
        _asks(("impersonate", "impersonate:user-info"), _AUTHENTICATION, "uids", "userextras/*", cluster=True),
    ),
    _power("cluster-role-write", HIGH, "grant", _asks(MUTATIONS, RBAC, "clusterroles", cluster=True), gate="grant"),
    _power("role-write", MEDIUM, "grant", _asks(MUTATIONS, RBAC, "roles"), gate="grant"),
    _power(
        "binding-write",
        HIGH,
        "grant",
        _asks(MUTATIONS, RBAC, "rolebindings"),
        _asks(MUTATIONS, RBAC, "clusterrolebindings", cluster=True),
        gate="grant",
    ),
    _power("secrets-read", HIGH, "read-secrets", _asks(("get", "list", "watch"), "", "secrets")),
    _power("token-mint", HIGH, "mint", _asks(("create",), "", "serviceaccounts/token"), gate="mint"),
    _power("token-secret", MEDIUM, "mint", _asks(("create",), "", "secrets"), gate="mint"),
    _power(
        "certificate-approval",
        HIGH,
        "mint",
        _asks(("update", "patch"), _CERTIFICATES, "certificatesigningrequests/approval", cluster=True),
        _asks(("approve",), _CERTIFICATES, "signers", cluster=True),
        gate="mint",
    ),
    _power(
        "certificate-signing",
        MEDIUM,
        "mint",
        _asks(("update", "patch"), _CERTIFICATES, "certificatesigningrequests/status", cluster=True),
        _asks(("sign",), _CERTIFICATES, "signers", cluster=True),
        gate="mint",
    ),
    _power("pod-exec", HIGH, "shell", _asks(STREAMS, "", "pods/exec", "pods/attach"), gate="shell"),
    _power(
        "ephemeral-containers", HIGH, "shell", _asks(("update", "patch"), "", "pods/ephemeralcontainers"), gate="shell"
    ),
    _power("pod-portforward", MEDIUM, "shell", _asks(STREAMS, "", "pods/portforward"), gate="shell"),
    _power("pod-proxy", MEDIUM, "shell", _asks(PROXIED, "", "pods/proxy", "services/proxy"), gate="shell"),
    _power(
        "extension-write",
        HIGH,
        "guard",
        _asks(WRITES, "apiextensions.k8s.io", "customresourcedefinitions", cluster=True),
        _asks(WRITES, "apiregistration.k8s.io", "apiservices", cluster=True),
        gate="guard",
    ),
    _power("own-objects-write", HIGH, "guard", _asks(WRITES, OWN_GROUP, ANYTHING), gate="guard", kept_by=OWN_RULE),
    _power(
        "published-policy-write",
        MEDIUM,
        "guard",
        _asks(WRITES, "", "configmaps"),
        gate="guard",
        narrows=False,
        only_in=PUBLISHED_NAMESPACE,
        only_names=OWN_PREFIX,
        kept_by=OWN_RULE,
    ),
    _power("node-write", HIGH, "node", _asks(WRITES, "", "nodes", cluster=True), gate="node"),
    _power("volume-write", HIGH, "node read-secrets run-as", _asks(MUTATIONS, "", "persistentvolumes", cluster=True)),
    _power("workload-create", HIGH, "run-as read-secrets", _WORKLOADS, gate="run-as", narrows=False),
    _power(
        "kube-system-write",
        HIGH,
        "guard grant node",
        _WORKLOADS,
        _asks(MUTATIONS, "", "configmaps", "serviceaccounts", "endpoints", "services"),
        only_in=SYSTEM_NAMESPACE,
    ),
    _power(
        "delete",
        MEDIUM,
        "delete",
        _asks(DELETIONS, ANYTHING, ANYTHING),
        _asks(("create",), "", "pods/eviction"),
        gate="delete",
        machines=False,
    ),
    _power(
        "stop",
        LOW,
        "stop",
        _asks(("update", "patch"), "apps", "deployments", "statefulsets", "replicasets"),
        _asks(("update", "patch"), "apps", "deployments/scale", "statefulsets/scale", "replicasets/scale"),
        gate="stop",
        narrows=False,
        machines=False,
    ),
    _power("change", LOW, "change", _asks(MUTATIONS, ANYTHING, ANYTHING), gate="change", machines=False),
)
"""The most dangerous first. `delete` and `change` are about every resource, subresources apart."""

URLS = Power(code="wildcard-urls", severity=MEDIUM, actions=frozenset())
"""Every URL that is no resource: metrics, profiles, logs. No policy is about these, so it counts everywhere."""

NAMED = Power(code="policy-rule", severity=MEDIUM, actions=frozenset(), gate=ANYTHING, machines=False)
"""What a rule of the policy names by verb and resource; writes are gated by its own guard."""
