"""The published policy of a cluster: a ConfigMap that everybody who signs in may read.

Clients decide by it too; there it can only add rules. It has only the rules of this cluster, without their clusters and
labels, as clients may know the cluster by another name. Each level has its server window written out.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from kubectl_stepup.enforce import names
from kubectl_stepup.enforce.plan import exceptions_on, rules_on
from kubectl_stepup.policy.document_of import document_of
from kubectl_stepup.policy.model import Selector

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kubectl_stepup.enforce.plan import TargetCluster
    from kubectl_stepup.policy.model import Policy

RBAC = "rbac.authorization.k8s.io"
READER = "kubectl-stepup-policy-reader"


def policy_on(policy: Policy, cluster: TargetCluster, *, windows: Mapping[str, int]) -> Policy:
    """Return the policy of one cluster: the rules about it, and levels with their windows (seconds) written out."""
    rules = tuple(
        rule.replace(
            selector=Selector(namespaces=rule.selector.namespaces, names=rule.selector.names),
            excluded=tuple(
                Selector(namespaces=one.namespaces, names=one.names) for one in exceptions_on(rule, cluster)
            ),
        )
        for rule in rules_on(policy, cluster)
    )
    levels = tuple(level.replace(server_window_s=windows.get(level.name)) for level in policy.levels)
    return policy.replace(rules=rules, levels=levels, index=None)


def digest_of(document: Mapping[str, Any]) -> str:
    """Return the digest of a policy document: `sha256:` and 64 hex digits over compact JSON with sorted keys."""
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"sha256:{hashlib.sha256(canonical.encode('ascii')).hexdigest()}"


def objects(
    policy: Policy, *, annotations: Mapping[str, str], text_of: Callable[[object], str]
) -> tuple[dict[str, Any], ...]:
    """Return the ConfigMap, and the role and binding by which everybody may read it; `text_of` writes YAML."""
    metadata = {"namespace": names.PUBLISHED_NAMESPACE, "labels": dict(names.MANAGED_BY)}
    return (
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {**metadata, "name": names.PUBLISHED_NAME, "annotations": dict(annotations)},
            "data": {names.PUBLISHED_KEY: text_of(document_of(policy))},
        },
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "Role",
            "metadata": {**metadata, "name": READER},
            "rules": [
                {
                    "apiGroups": [""],
                    "resources": ["configmaps"],
                    "resourceNames": [names.PUBLISHED_NAME],
                    "verbs": ["get"],
                }
            ],
        },
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": {**metadata, "name": READER},
            "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": READER},
            "subjects": [{"apiGroup": RBAC, "kind": "Group", "name": "system:authenticated"}],
        },
    )
