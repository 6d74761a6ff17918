"""Every kind of finding: its title, why it matters, and how to fix it, whatever subject it is about.

`docs/reference/rbac-audit.md` has the same table; a test compares them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_DERIVED = "give it to the derived group stepup:<level>:<group> of those who have it today (--fix prints how)"
_BOTH = f"{_DERIVED}, or require the level by an admission policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingKind:
    """A kind of finding, by what is the same for every finding of it."""

    title: str
    why: str
    fix: str


def _kind(title: str, why: str, fix: str) -> FindingKind:
    return FindingKind(title=title, why=why, fix=fix)


CATALOGUE: Mapping[str, FindingKind] = {
    "cluster-admin": _kind(
        "cluster-admin without a step-up",
        "the role may do everything, also remove our admission policies: none of them can stop who may delete it",
        "bind an everyday role with named rights, and a derived group for the dangerous ones (--fix prints both)",
    ),
    "wildcard-everything": _kind(
        "every verb on every resource",
        "cluster-admin under another name; it also allows every resource that is added later",
        "name the resources and verbs that are needed; --fix prints a first version",
    ),
    "wildcard-verbs": _kind(
        "every verb",
        "it allows reads and deletes, and verbs such as escalate, bind and impersonate",
        "name the verbs; --fix prints them",
    ),
    "wildcard-resources": _kind(
        "every resource",
        "it allows every subresource: `get` alone opens pods/exec and nodes/proxy",
        "name the resources; --fix prints them",
    ),
    "wildcard-groups": _kind(
        "every API group",
        "it allows a resource of the same name in any other group",
        "name the groups; --fix prints them",
    ),
    "wildcard-urls": _kind(
        "every non-resource URL",
        "these include profiles and logs of the API server",
        "name the URLs that are needed, such as /metrics",
    ),
    "admission-write": _kind(
        "writes admission policies",
        "admission does not check these objects, so a policy cannot protect itself: who may write them can remove it",
        "give it to a derived group of the highest level: only RBAC protects these objects",
    ),
    "webhook-write": _kind(
        "writes webhook configurations",
        "a mutating webhook reads and changes every object, secrets too; a deleted one checks nothing any more",
        _BOTH,
    ),
    "node-proxy": _kind(
        "reaches the kubelet through nodes/proxy",
        "`get nodes/proxy` runs commands in every pod of a node, and the kubelet asks no admission policy",
        f"{_DERIVED}; monitoring needs nodes/metrics and nodes/stats only",
    ),
    "escalate": _kind(
        "may write roles with more rights than its own",
        "`escalate` skips the check that nobody grants rights that they lack",
        _BOTH,
    ),
    "bind": _kind(
        "may bind roles with more rights than its own", "`bind` lets one bind cluster-admin, to oneself too", _BOTH
    ),
    "impersonate-groups": _kind(
        "may claim any group",
        "`--as-group` claims stepup:<level> and system:masters without any sign-in",
        f"{_DERIVED}, with resourceNames that leave out stepup:* and system:*",
    ),
    "impersonate-users": _kind(
        "may act as any user",
        "admission policies know people by an extra of the token; an impersonated user has none, as machines have none",
        f"{_DERIVED}, with resourceNames",
    ),
    "impersonate-service-accounts": _kind(
        "may act as service accounts",
        "admission policies let machines pass, and some service accounts may do everything",
        f"{_DERIVED}, with resourceNames",
    ),
    "impersonate-extras": _kind(
        "may claim any extra or uid",
        "reports and approvals trust the extras kubectl-stepup.github.io/*",
        f"{_DERIVED}, with a resource such as userextras/reason",
    ),
    "cluster-role-write": _kind(
        "writes cluster roles",
        "a label aggregates a role into view, edit or admin: all holders of these get what the writer has",
        _BOTH,
    ),
    "role-write": _kind("writes roles", "a writer can add their own rights to roles of others", _BOTH),
    "binding-write": _kind(
        "writes role bindings", "a writer can bind their own rights, elevated ones too, to anybody for ever", _BOTH
    ),
    "secrets-read": _kind(
        "reads secrets",
        "admission does not see reads, so only RBAC can require a step-up; `list` shows the contents",
        _DERIVED,
    ),
    "token-mint": _kind(
        "creates tokens of service accounts",
        "a token acts as the service account, for years if requested, and machines need no step-up",
        _BOTH,
    ),
    "token-secret": _kind(
        "creates secrets",
        "the server puts a token that never expires into a secret of type kubernetes.io/service-account-token",
        _BOTH,
    ),
    "certificate-approval": _kind(
        "approves certificates",
        "an approved client certificate may name any user and any group, stepup:* too, until it expires",
        f"{_BOTH}; signers narrowed by resourceNames",
    ),
    "certificate-signing": _kind(
        "signs certificates",
        "with a signer's key, signing has the same effect as approving",
        "leave it to the controllers; otherwise " + _BOTH,
    ),
    "pod-exec": _kind(
        "runs commands in pods",
        "commands have the pod's secrets and service account; before Kubernetes 1.35 `get` on pods/exec is enough",
        _BOTH,
    ),
    "ephemeral-containers": _kind(
        "adds containers to running pods", "`kubectl debug` is another way to a shell in the pod", _BOTH
    ),
    "pod-portforward": _kind("opens ports of pods", "databases and consoles often trust the pod's network", _BOTH),
    "pod-proxy": _kind(
        "reaches pods and services through the API server",
        "the effect is that of a forwarded port, and network policies do not see it",
        _BOTH,
    ),
    "extension-write": _kind(
        "writes resource definitions or API services",
        "an API service answers instead of the API server; deleting a definition deletes its objects",
        _BOTH,
    ),
    "own-objects-write": _kind(
        "writes our own objects", "the policy published there decides when clients require a step-up", _BOTH
    ),
    "published-policy-write": _kind(
        "writes ConfigMaps where the policy is published",
        "the ConfigMap kubectl-stepup-policy decides what clients require beyond their own policy",
        "require the level by an admission policy; RBAC cannot exclude one name",
    ),
    "node-write": _kind(
        "writes nodes", "taints and labels move pods, with their secrets, to a node of one's choice", _BOTH
    ),
    "volume-write": _kind(
        "writes persistent volumes", "a hostPath volume is the node's own disk, with all the keys on it", _DERIVED
    ),
    "workload-create": _kind(
        "starts pods",
        "a pod can mount any secret and run as any service account of its namespace, which bypasses other rules",
        "keep important secrets in namespaces without developers, require a level for `run-as`, enforce Pod Security",
    ),
    "kube-system-write": _kind(
        "changes kube-system", "the cluster's own programs run there with rights to everything", _DERIVED
    ),
    "delete": _kind("deletes or evicts", "the policy requires a step-up first, and nothing on the server does", _BOTH),
    "stop": _kind(
        "stops workloads",
        "scaling to zero needs no delete",
        "require the level by an admission policy: RBAC cannot see the number",
    ),
    "change": _kind("changes objects", "the policy requires a step-up before every write", _BOTH),
    "policy-rule": _kind(
        "reaches what a rule of the policy names",
        "the rule requires a step-up first, and nothing on the server does",
        f"{_DERIVED}; for writes an admission policy is enough",
    ),
    "open-to-anonymous": _kind("open to everybody on the network", "no sign-in is needed", "delete the binding"),
    "open-to-everyone": _kind(
        "open to every login and every pod",
        "system:authenticated includes every login, system:serviceaccounts every pod",
        "bind the group that needs it",
    ),
    "powerful-service-account": _kind(
        "a service account with sensitive rights",
        "machines need no step-up, nor does whoever starts a pod as this account, enters one, or has its token",
        "narrow its role, and keep people out of its namespace",
    ),
    "powerful-default-service-account": _kind(
        "sensitive rights for every pod of a namespace",
        "a pod that names no service account runs as `default`",
        "create a service account for the one program that needs the rights",
    ),
    "dangling-service-account": _kind(
        "a binding to a missing service account",
        "whoever creates the account gets the rights",
        "delete the binding",
    ),
    "dangling-role": _kind(
        "a binding to a missing role",
        "whoever creates the role decides what the subject may do",
        "delete the binding",
    ),
    "level-grants": _kind(
        "rights for everybody with a second factor",
        "RBAC adds rights up: a role bound to stepup:<level> belongs to members of all teams after one step-up",
        "bind the derived group stepup:<level>:<group>: a level gates existing rights and grants none",
    ),
    "level-too-low": _kind(
        "reached at a weaker level than the policy requires",
        "the level of the derived group is below the rule's",
        "bind the derived group of the rule's level",
    ),
    "pretended-level": _kind(
        "a name that looks like a level",
        "only groups of the policy's levels come from a proven step-up; a user name "
        "or another level can come from anywhere",
        "bind stepup:<level>:<group> as a Group, of a level of the policy",
    ),
    "system-masters": _kind(
        "system:masters is bound as always",
        "its members never step up and pass every admission policy; their certificates are not visible in RBAC",
        "keep such certificates for break-glass use only, each with a person's name and a short lifetime",
    ),
}
