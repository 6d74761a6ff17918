"""Every kind of finding: why it matters and how it is mended, in words that stay true whoever it is about.

`docs/reference/rbac-audit.md` has the same table; a test compares them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_DERIVED = "give it to the derived group stepup:<level>:<group> of those who have it today (--fix prints how)"
_BOTH = f"{_DERIVED}, or let an admission guard ask for the level"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is said about every finding of a kind."""

    title: str
    why: str
    fix: str


def _entry(title: str, why: str, fix: str) -> Entry:
    return Entry(title=title, why=why, fix=fix)


CATALOGUE: Mapping[str, Entry] = {
    "cluster-admin": _entry(
        "cluster-admin without a step-up",
        "the role may do everything, remove every guard included: no admission policy stops who may delete it",
        "bind an everyday role of named rights, and the dangerous ones to a derived group (--fix prints both)",
    ),
    "wildcard-everything": _entry(
        "every verb on every resource",
        "cluster-admin under another name; new resources are in it on the day they appear",
        "name what is needed; --fix prints a start",
    ),
    "wildcard-verbs": _entry(
        "a wildcard of verbs",
        "it has reads and deletes in it, and verbs such as escalate, bind and impersonate",
        "name the verbs; --fix prints them",
    ),
    "wildcard-resources": _entry(
        "a wildcard of resources",
        "it has every subresource in it: pods/exec and nodes/proxy open by `get` alone",
        "name the resources; --fix prints them",
    ),
    "wildcard-groups": _entry(
        "a wildcard of API groups",
        "a resource of the same name in another group is in it as well",
        "name the groups; --fix prints them",
    ),
    "wildcard-urls": _entry(
        "every URL that is no resource",
        "profiles and logs of the API server are behind it",
        "name the URLs that are needed, such as /metrics",
    ),
    "admission-write": _entry(
        "writes admission policies",
        "these objects are exempt from admission, so a guard cannot guard itself: who may write them removes it",
        "give it to a derived group of the highest level; RBAC alone protects these",
    ),
    "webhook-write": _entry(
        "writes the configurations of webhooks",
        "a mutating webhook sees every object, secrets too, and changes it as it likes; a deleted one guards no more",
        _BOTH,
    ),
    "node-proxy": _entry(
        "reaches the kubelet through nodes/proxy",
        "`get nodes/proxy` runs commands in every pod of a node, also past the API server, where no guard looks",
        f"{_DERIVED}; monitoring needs nodes/metrics and nodes/stats only",
    ),
    "escalate": _entry(
        "may write roles with more rights than its own",
        "`escalate` lifts the check that nobody gives what he lacks",
        _BOTH,
    ),
    "bind": _entry(
        "may bind roles with more rights than its own", "`bind` lets one bind cluster-admin, to oneself too", _BOTH
    ),
    "impersonate-groups": _entry(
        "may claim any group",
        "`--as-group` claims stepup:<level> and system:masters without any sign-in",
        f"{_DERIVED}, with resourceNames that leave out stepup:* and system:*",
    ),
    "impersonate-users": _entry(
        "may act as any user",
        "the guards know people by an extra of their sign-in; an impersonated user has none and passes as a machine",
        f"{_DERIVED}, with resourceNames",
    ),
    "impersonate-service-accounts": _entry(
        "may act as service accounts",
        "guards let machines pass, and some service accounts can do everything",
        f"{_DERIVED}, with resourceNames",
    ),
    "impersonate-extras": _entry(
        "may claim any extra or uid",
        "the reports, and approvals, trust the extras kubectl-stepup.github.io/*",
        f"{_DERIVED}, with a resource such as userextras/reason",
    ),
    "cluster-role-write": _entry(
        "writes cluster roles",
        "a label aggregates a role into view, edit or admin: what the writer has, all of their holders get",
        _BOTH,
    ),
    "role-write": _entry("writes roles", "what the writer has can be put into roles of others", _BOTH),
    "binding-write": _entry(
        "writes role bindings", "what the writer has, elevated rights included, can be bound to anybody for ever", _BOTH
    ),
    "secrets-read": _entry(
        "reads secrets",
        "reads never meet admission, so that only RBAC can ask for a step-up; `list` shows contents",
        _DERIVED,
    ),
    "token-mint": _entry(
        "mints tokens of service accounts",
        "a token acts as the service account, for years if asked to, and machines are not asked for a step-up",
        _BOTH,
    ),
    "token-secret": _entry(
        "creates secrets",
        "a secret of type kubernetes.io/service-account-token is filled with a token without an end",
        _BOTH,
    ),
    "certificate-approval": _entry(
        "approves certificates",
        "an approved client certificate is whoever it says, of any group, stepup:* too, until it expires",
        f"{_BOTH}; signers narrowed by resourceNames",
    ),
    "certificate-signing": _entry(
        "signs certificates",
        "with the key of a signer the same as approving them",
        "leave it to the controllers; otherwise " + _BOTH,
    ),
    "pod-exec": _entry(
        "runs commands in pods",
        "with the pod's secrets and service account; `get` on pods/exec is enough before Kubernetes 1.35",
        _BOTH,
    ),
    "ephemeral-containers": _entry(
        "puts containers into running pods", "`kubectl debug` is a shell in the pod by another name", _BOTH
    ),
    "pod-portforward": _entry(
        "opens ports of pods", "databases and consoles that trust the pod's network are behind them", _BOTH
    ),
    "pod-proxy": _entry(
        "reaches pods and services through the API server",
        "as a port that is opened, and network policies do not see it",
        _BOTH,
    ),
    "extension-write": _entry(
        "writes resource definitions or API services",
        "an API service answers in the place of the API, a deleted definition deletes its objects",
        _BOTH,
    ),
    "own-objects-write": _entry("writes our own objects", "what is published there decides whom clients ask", _BOTH),
    "published-policy-write": _entry(
        "writes ConfigMaps where the policy is published",
        "who writes kubectl-stepup-policy decides what clients ask beside their own policy",
        "let an admission guard ask for the level; RBAC cannot leave out one name",
    ),
    "node-write": _entry(
        "writes nodes", "taints and labels move pods, with their secrets, to a node of one's choice", _BOTH
    ),
    "volume-write": _entry(
        "writes persistent volumes", "a hostPath volume is the node's own disk, with all keys on it", _DERIVED
    ),
    "workload-create": _entry(
        "starts pods",
        "a pod mounts any secret of its namespace and runs as any of its service accounts: a way around other rules",
        "keep secrets of weight in namespaces without developers, ask for `run-as` by a guard, enforce Pod Security",
    ),
    "kube-system-write": _entry(
        "changes kube-system", "the cluster's own programs run there, with rights to everything", _DERIVED
    ),
    "delete": _entry("deletes or evicts", "the policy asks for a step-up first, and nothing on the server does", _BOTH),
    "stop": _entry(
        "stops workloads", "replicas to zero need no delete", "let an admission guard ask: RBAC cannot see the number"
    ),
    "change": _entry("changes objects", "the policy asks for a step-up before every write", _BOTH),
    "policy-rule": _entry(
        "reaches what a rule of the policy names",
        "the rule asks for a step-up first, and nothing on the server does",
        f"{_DERIVED}; writes may have an admission guard instead",
    ),
    "open-to-anonymous": _entry(
        "open to everybody on the network", "no sign-in at all is needed", "delete the binding"
    ),
    "open-to-everyone": _entry(
        "open to every login and every pod",
        "system:authenticated and system:serviceaccounts have all of them in them",
        "bind the group that needs it",
    ),
    "powerful-service-account": _entry(
        "a service account with sensitive rights",
        "machines are not asked: whoever starts a pod as it, gets into one, or has its token need not step up",
        "narrow its role, and keep people out of its namespace",
    ),
    "powerful-default-service-account": _entry(
        "sensitive rights for every pod of a namespace",
        "pods that name no service account run as `default`",
        "make a service account for the one program that needs it",
    ),
    "dangling-service-account": _entry(
        "a binding that waits for its service account",
        "whoever creates it takes the rights over",
        "delete the binding",
    ),
    "dangling-role": _entry(
        "a binding that waits for its role",
        "whoever creates the role decides what the subject may do",
        "delete the binding",
    ),
    "level-grants": _entry(
        "rights for everybody with a second factor",
        "RBAC adds up: bound to stepup:<level> itself, a role belongs to all teams after one step-up",
        "bind the derived group stepup:<level>:<group>: a level gates what people have, and grants nothing",
    ),
    "level-too-low": _entry(
        "reached at a weaker level than the policy asks for",
        "the derived group is of a level below the rule's",
        "bind the derived group of the rule's level",
    ),
    "pretended-level": _entry(
        "a name that looks like a level",
        "only groups of the policy's levels come from a proven step-up; a user name "
        "or another level can come from anywhere",
        "bind stepup:<level>:<group> as a Group, of a level of the policy",
    ),
    "system-masters": _entry(
        "system:masters is bound as always",
        "nobody asks its members and they pass every guard; they come from certificates, which RBAC does not show",
        "keep such certificates for the break-glass runbook, with names and short lives",
    ),
}
