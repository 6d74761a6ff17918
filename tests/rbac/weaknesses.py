"""The planted weaknesses of tests/data/rbac/weaknesses.yaml, and what the audit must say of each."""

from __future__ import annotations

from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data" / "rbac"
WEAKNESSES = DATA / "weaknesses.yaml"
STOCK = tuple(sorted(DATA.glob("stock-*.json")))

PLANTED: dict[str, tuple[str, str, str]] = {
    "W01": ("cluster-admin", "critical", "Group ops"),
    "W02": ("wildcard-everything", "critical", "User bob"),
    "W03": ("wildcard-verbs", "medium", "Group team-a"),
    "W04": ("wildcard-resources", "critical", "Group auditors"),
    "W05": ("wildcard-groups", "medium", "Group sweepers"),
    "W06": ("wildcard-urls", "medium", "Group metrics"),
    "W07": ("escalate", "critical", "Group role-managers"),
    "W08": ("bind", "critical", "Group binders"),
    "W09": ("impersonate-groups", "critical", "Group support"),
    "W10": ("impersonate-users", "critical", "Group helpdesk"),
    "W11": ("token-mint", "high", "Group minters"),
    "W12": ("pod-exec", "high", "Group lookers"),
    "W13": ("node-proxy", "critical", "Group monitoring-team"),
    "W14": ("ephemeral-containers", "medium", "Group debuggers"),
    "W15": ("secrets-read", "high", "User carol"),
    "W16": ("workload-create", "medium", "Group schedulers"),
    "W17": ("certificate-approval", "high", "Group approvers"),
    "W18": ("secrets-read", "medium", "Group viewers"),
    "W19": ("cluster-role-write", "high", "Group catalogue"),
    "W20": ("kube-system-write", "high", "Group platform"),
    "W21": ("admission-write", "critical", "Group policy-team"),
    "W22": ("extension-write", "high", "Group extenders"),
    "W23": ("powerful-service-account", "medium", "ServiceAccount team-a/ci"),
    "W24": ("powerful-default-service-account", "medium", "ServiceAccount team-b/default"),
    "W25": ("open-to-anonymous", "critical", "Group system:unauthenticated"),
    "W26": ("open-to-everyone", "high", "Group system:authenticated"),
    "W27": ("dangling-service-account", "medium", "ServiceAccount team-b/gone"),
    "W28": ("level-grants", "high", "Group stepup:mfa"),
    "W29": ("level-too-low", "high", "Group stepup:mfa:team-a"),
    "W30": ("pretended-level", "medium", "User stepup:mfa:team-a"),
    "W31": ("volume-write", "high", "Group storage"),
    "W32": ("published-policy-write", "medium", "Group writers"),
    "W33": ("node-write", "high", "Group node-team"),
    "W34": ("impersonate-extras", "high", "Group claimants"),
    "W35": ("pod-proxy", "low", "Group proxies"),
    "W36": ("token-secret", "low", "Group secret-makers"),
    "W37": ("impersonate-service-accounts", "medium", "Group actors"),
    "W38": ("binding-write", "medium", "Group owners"),
    "W39": ("powerful-service-account", "medium", "ServiceAccount team-a/ci"),
    "W40": ("dangling-role", "low", "Group waiting"),
    "W41": ("webhook-write", "critical", "Group meshes"),
}
"""By number: the finding's id, its severity and its subject; the binding's name is the number in lower case."""

ALSO = {
    ("W07", "cluster-role-write"),
    ("W20", "workload-create"),
    ("W21", "delete"),
    ("W30", "secrets-read"),
}
"""What is true of some of them besides: `escalate` needs a write to be used, a daemon set runs pods, and so on."""

STATED = {("system-masters", "Group system:masters")}
"""What the audit says of a cluster in which nobody planted anything; docs/reference/rbac-audit.md states it."""
