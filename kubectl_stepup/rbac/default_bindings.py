"""The bindings that a control plane creates by itself, and their subjects.

They are recognised by name, role and subject, never by the label alone, which anybody may write: a subject that
somebody added to a stock binding is reported like any other.

Spec: kubernetes/kubernetes `plugin/pkg/auth/authorizer/rbac/bootstrappolicy` of 1.30 to 1.36.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup.rbac.model import STOCK_LABEL, STOCK_VALUE

if TYPE_CHECKING:
    from kubectl_stepup.rbac.model import Binding, Subject

_CONTROLLER_NAMES = """
attachdetach-controller certificate-controller clusterrole-aggregation-controller cronjob-controller
daemon-set-controller deployment-controller device-taint-eviction-controller disruption-controller
endpoint-controller endpointslice-controller endpointslicemirroring-controller ephemeral-volume-controller
expand-controller generic-garbage-collector horizontal-pod-autoscaler job-controller
kube-apiserver-serving-clustertrustbundle-publisher legacy-service-account-token-cleaner namespace-controller
node-controller persistent-volume-binder pod-garbage-collector podcertificaterequestcleaner
pv-protection-controller pvc-protection-controller replicaset-controller replication-controller
resource-claim-controller resourcequota-controller root-ca-cert-publisher route-controller
selinux-warning-controller service-account-controller service-cidrs-controller service-controller
statefulset-controller storage-version-migrator-controller ttl-after-finished-controller ttl-controller
validatingadmissionpolicy-status-controller volumeattributesclass-protection-controller
"""
_CONTROLLERS = frozenset(_CONTROLLER_NAMES.split())
_CONTROLLER = "system:controller:"

_OTHERS: frozenset[tuple[str, str, str]] = frozenset(
    {
        ("system:kube-controller-manager", "User", "system:kube-controller-manager"),
        ("system:kube-scheduler", "User", "system:kube-scheduler"),
        ("system:volume-scheduler", "User", "system:kube-scheduler"),
        ("system:node-proxier", "User", "system:kube-proxy"),
        ("system:kube-dns", "ServiceAccount", "kube-dns"),
        ("system:controller:bootstrap-signer", "ServiceAccount", "bootstrap-signer"),
        ("system:controller:cloud-provider", "ServiceAccount", "cloud-provider"),
        ("system:controller:token-cleaner", "ServiceAccount", "token-cleaner"),
        ("system::extension-apiserver-authentication-reader", "User", "system:kube-controller-manager"),
        ("system::extension-apiserver-authentication-reader", "User", "system:kube-scheduler"),
        ("system::leader-locking-kube-controller-manager", "User", "system:kube-controller-manager"),
        ("system::leader-locking-kube-controller-manager", "ServiceAccount", "kube-controller-manager"),
        ("system::leader-locking-kube-controller-manager", "ServiceAccount", "leader-election-controller"),
        ("system::leader-locking-kube-scheduler", "User", "system:kube-scheduler"),
        ("system::leader-locking-kube-scheduler", "ServiceAccount", "kube-scheduler"),
    }
)
"""Name of the binding, kind and name of the subject; service accounts are those of kube-system."""

_ROLE_OF_ANOTHER_NAME = {
    "system::extension-apiserver-authentication-reader": "extension-apiserver-authentication-reader",
}


def is_stock(binding: Binding, subject: Subject) -> bool:
    """Whether a control plane creates this binding for this subject by itself.

    Such a binding grants what a controller needs. The API server's bindings for everybody, and that of cluster-admin,
    are evaluated like all others.
    """
    if binding.labels.get(STOCK_LABEL) != STOCK_VALUE:
        return False
    if binding.role_name != _ROLE_OF_ANOTHER_NAME.get(binding.name, binding.name):
        return False
    if subject.kind == "ServiceAccount" and subject.namespace != "kube-system":
        return False
    controller = binding.name.removeprefix(_CONTROLLER)
    if binding.name.startswith(_CONTROLLER) and controller in _CONTROLLERS:
        return (subject.kind, subject.name) == ("ServiceAccount", controller)
    return (binding.name, subject.kind, subject.name) in _OTHERS
