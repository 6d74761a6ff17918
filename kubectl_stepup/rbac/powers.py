"""The powers that a role can give: by which requests, and for which of the policy's actions.

Spec: kubernetes.io, *Role Based Access Control Good Practices* (privilege escalation risks) and *Authorization*.
"""

from __future__ import annotations

from dataclasses import dataclass

from kubectl_stepup.enforce.names import PUBLISHED_NAMESPACE
from kubectl_stepup.enforce.targets.admission import OWN_RULE
from kubectl_stepup.names import OWN_GROUP
from kubectl_stepup.policy.actions import OWN_PREFIX
from kubectl_stepup.rbac.finding import CRITICAL, HIGH, LOW, MEDIUM
from kubectl_stepup.rbac.model import RBAC

MUTATIONS = ("create", "update", "patch")
DELETIONS = ("delete", "deletecollection")
WRITES = (*MUTATIONS, *DELETIONS)
EVERY_VERB = ("get", "list", "watch", *WRITES)
STREAMS = ("get", "create")
PROXIED = ("get", "create", "update", "patch", "delete")

SYSTEM_NAMESPACE = "kube-system"

ANYTHING = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPattern:
    """Requests of which a rule must allow one: verbs on a resource of a group (`*`: of any).

    `cluster`: the API server authorizes them for the whole cluster, so a RoleBinding never allows them.
    """

    verbs: tuple[str, ...]
    group: str = ""
    resource: str
    cluster: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """A power that a rule can give.

    `actions` are the policy's: the power is sensitive where a rule is about one of them. `gate` is the action whose
    admission policy requires a step-up from people who use it; None: only RBAC can. `narrows` is False where an
    everyday role keeps it, as RBAC cannot separate the harmless use from the other. `machines`: it matters for a
    service account too, as people can act as one. `only_in` and `only_names` limit it to a namespace and to names.
    `kept_by` is the admission policy that protects it alone, whatever the policy's rules say.
    """

    code: str
    severity: str
    actions: frozenset[str]
    requests: tuple[RequestPattern, ...] = ()
    gate: str | None = None
    narrows: bool = True
    machines: bool = True
    only_in: str = ""
    only_names: str = ""
    kept_by: str = ""


def _requests(verbs: tuple[str, ...], group: str, *resources: str, cluster: bool = False) -> tuple[RequestPattern, ...]:
    return tuple(RequestPattern(verbs=verbs, group=group, resource=resource, cluster=cluster) for resource in resources)


def _power(code: str, severity: str, actions: str, *requests: tuple[RequestPattern, ...], **more: object) -> Power:
    found = tuple(pattern for group in requests for pattern in group)
    return Power(code=code, severity=severity, actions=frozenset(actions.split()), requests=found, **more)  # type: ignore[arg-type]


_CERTIFICATES = "certificates.k8s.io"
_AUTHENTICATION = "authentication.k8s.io"
_WORKLOADS = (
    *_requests(MUTATIONS, "apps", "deployments", "daemonsets", "statefulsets", "replicasets"),
    *_requests(MUTATIONS, "batch", "jobs", "cronjobs"),
    *_requests(MUTATIONS, "", "replicationcontrollers", "podtemplates"),
    *_requests(("create",), "", "pods"),
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
        "admission-write",
        CRITICAL,
        "protect",
        _requests(WRITES, "admissionregistration.k8s.io", *_ADMISSION, cluster=True),
    ),
    _power(
        "webhook-write",
        CRITICAL,
        "protect",
        _requests(WRITES, "admissionregistration.k8s.io", *_WEBHOOKS, cluster=True),
        gate="protect",
    ),
    _power("node-proxy", CRITICAL, "shell", _requests(PROXIED, "", "nodes/proxy", cluster=True)),
    _power(
        "escalate",
        CRITICAL,
        "grant",
        _requests(("escalate",), RBAC, "roles"),
        _requests(("escalate",), RBAC, "clusterroles", cluster=True),
        gate="grant",
    ),
    # The server checks `bind` in the namespace of the new binding, for a ClusterRole too.
    _power("bind", CRITICAL, "grant", _requests(("bind",), RBAC, "roles", "clusterroles"), gate="grant"),
    _power(
        "impersonate-groups",
        CRITICAL,
        "grant",
        _requests(("impersonate",), "", "groups", cluster=True),
        _requests(("impersonate:user-info",), _AUTHENTICATION, "groups", cluster=True),
    ),
    _power(
        "impersonate-users",
        CRITICAL,
        "grant",
        _requests(("impersonate",), "", "users", cluster=True),
        _requests(("impersonate:user-info",), _AUTHENTICATION, "users", cluster=True),
    ),
    _power(
        "impersonate-service-accounts",
        HIGH,
        "grant",
        _requests(("impersonate",), "", "serviceaccounts"),
        _requests(("impersonate:serviceaccount",), _AUTHENTICATION, "serviceaccounts"),
    ),
    _power(
        "impersonate-extras",
        HIGH,
        "grant",
        _requests(("impersonate", "impersonate:user-info"), _AUTHENTICATION, "uids", "userextras/*", cluster=True),
    ),
    _power("cluster-role-write", HIGH, "grant", _requests(MUTATIONS, RBAC, "clusterroles", cluster=True), gate="grant"),
    _power("role-write", MEDIUM, "grant", _requests(MUTATIONS, RBAC, "roles"), gate="grant"),
    _power(
        "binding-write",
        HIGH,
        "grant",
        _requests(MUTATIONS, RBAC, "rolebindings"),
        _requests(MUTATIONS, RBAC, "clusterrolebindings", cluster=True),
        gate="grant",
    ),
    _power("secrets-read", HIGH, "read-secrets", _requests(("get", "list", "watch"), "", "secrets")),
    _power("token-mint", HIGH, "mint", _requests(("create",), "", "serviceaccounts/token"), gate="mint"),
    _power("token-secret", MEDIUM, "mint", _requests(("create",), "", "secrets"), gate="mint"),
    _power(
        "certificate-approval",
        HIGH,
        "mint",
        _requests(("update", "patch"), _CERTIFICATES, "certificatesigningrequests/approval", cluster=True),
        _requests(("approve",), _CERTIFICATES, "signers", cluster=True),
        gate="mint",
    ),
    _power(
        "certificate-signing",
        MEDIUM,
        "mint",
        _requests(("update", "patch"), _CERTIFICATES, "certificatesigningrequests/status", cluster=True),
        _requests(("sign",), _CERTIFICATES, "signers", cluster=True),
        gate="mint",
    ),
    _power("pod-exec", HIGH, "shell", _requests(STREAMS, "", "pods/exec", "pods/attach"), gate="shell"),
    _power(
        "ephemeral-containers",
        HIGH,
        "shell",
        _requests(("update", "patch"), "", "pods/ephemeralcontainers"),
        gate="shell",
    ),
    _power("pod-portforward", MEDIUM, "shell", _requests(STREAMS, "", "pods/portforward"), gate="shell"),
    _power("pod-proxy", MEDIUM, "shell", _requests(PROXIED, "", "pods/proxy", "services/proxy"), gate="shell"),
    _power(
        "extension-write",
        HIGH,
        "protect",
        _requests(WRITES, "apiextensions.k8s.io", "customresourcedefinitions", cluster=True),
        _requests(WRITES, "apiregistration.k8s.io", "apiservices", cluster=True),
        gate="protect",
    ),
    _power(
        "own-objects-write", HIGH, "protect", _requests(WRITES, OWN_GROUP, ANYTHING), gate="protect", kept_by=OWN_RULE
    ),
    _power(
        "published-policy-write",
        MEDIUM,
        "protect",
        _requests(WRITES, "", "configmaps"),
        gate="protect",
        narrows=False,
        only_in=PUBLISHED_NAMESPACE,
        only_names=OWN_PREFIX,
        kept_by=OWN_RULE,
    ),
    _power("node-write", HIGH, "node", _requests(WRITES, "", "nodes", cluster=True), gate="node"),
    _power(
        "volume-write", HIGH, "node read-secrets run-as", _requests(MUTATIONS, "", "persistentvolumes", cluster=True)
    ),
    _power("workload-create", HIGH, "run-as read-secrets", _WORKLOADS, gate="run-as", narrows=False),
    _power(
        "kube-system-write",
        HIGH,
        "protect grant node",
        _WORKLOADS,
        _requests(MUTATIONS, "", "configmaps", "serviceaccounts", "endpoints", "services"),
        only_in=SYSTEM_NAMESPACE,
    ),
    _power(
        "delete",
        MEDIUM,
        "delete",
        _requests(DELETIONS, ANYTHING, ANYTHING),
        _requests(("create",), "", "pods/eviction"),
        gate="delete",
        machines=False,
    ),
    _power(
        "stop",
        LOW,
        "stop",
        _requests(("update", "patch"), "apps", "deployments", "statefulsets", "replicasets"),
        _requests(("update", "patch"), "apps", "deployments/scale", "statefulsets/scale", "replicasets/scale"),
        gate="stop",
        narrows=False,
        machines=False,
    ),
    _power("change", LOW, "change", _requests(MUTATIONS, ANYTHING, ANYTHING), gate="change", machines=False),
)
"""The most dangerous first. `delete` and `change` are about every resource, subresources apart."""

URLS = Power(code="wildcard-urls", severity=MEDIUM, actions=frozenset())
"""Every URL that is no resource: metrics, profiles, logs. No policy is about these, so the power counts everywhere."""

NAMED = Power(code="policy-rule", severity=MEDIUM, actions=frozenset(), gate=ANYTHING, machines=False)
"""What a rule of the policy names by verb and resource; the rule's admission policy gates writes."""
