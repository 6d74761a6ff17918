"""Probes: requests without effect, such as server dry runs, that show whether the server denies them.

The policy evaluates each probe as it evaluates a person's command. So the server is expected to deny exactly what the
client would step up for. A probe changes nothing even where the server allows it: a server dry run stores nothing, and
an eviction is a dry run too; a token request names a missing Secret, which the server checks after admission; a shell
request comes without the connection upgrade that starts a shell.

Spec: kubernetes.io, *API concepts* (dry run) and *Validating Admission Policy*.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kubectl_stepup.enforce.names import DRY_RUN_LABEL, PUBLISHED_NAME, PUBLISHED_NAMESPACE
from kubectl_stepup.enforce.verify.answers import denied_by, not_allowed_to_look, refused_by_rbac, warned_by
from kubectl_stepup.enforce.verify.results import ENFORCED, GAP, NOT_CHECKED, VerifyResult
from kubectl_stepup.kubectl.command import read
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.expansion import ADMISSION, RBAC
from kubectl_stepup.policy.model import Target
from kubectl_stepup.values import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from kubectl_stepup.enforce.plan import TargetCluster
    from kubectl_stepup.enforce.verify.answers import KubectlAnswer
    from kubectl_stepup.enforce.verify.results import Login
    from kubectl_stepup.policy.model import Policy, Rule

DRY = "--dry-run=server"
NOBODY = "kubectl-stepup-verify"
"""The name of objects that a probe would create, and of one that must not exist."""

_WEBHOOK = "admission webhook"
"""Part of the message of a denial by a webhook, whatever its status."""

MOST_OF_AN_ACTION = 3
"""The number of probes for one action; each costs a kubectl for every login that is too weak."""

KINDS = ("configmaps", "pods", "deployments.apps", "serviceaccounts")
"""The kinds of objects in a namespace that probes can use."""


class Probe(Record):
    """A request without effect.

    `kind` names it, `words` are kubectl's and `stdin` its input; it counts if the policy matches it by `verb` and
    `action`. `lets_pass` are texts of errors that come only after admission.
    """

    kind: str
    words: tuple[str, ...]
    namespace: str | None
    verb: str
    action: str
    stdin: str | None = None
    lets_pass: tuple[str, ...] = ()


OWN = Probe(
    kind="change the published policy",
    words=("label", f"configmap/{PUBLISHED_NAME}", DRY_RUN_LABEL, "-n", PUBLISHED_NAMESPACE, DRY),
    namespace=PUBLISHED_NAMESPACE,
    verb="patch",
    action="protect",
)
"""The probe for our own admission policy, whatever the rules say."""


class Sample(Record):
    """Existing objects (`pod/web-0`) of a namespace, or cluster-scoped ones (None)."""

    namespace: str | None
    objects: tuple[str, ...]


def probes(samples: Iterable[Sample]) -> Iterator[Probe]:
    """Return everything that can be tried on these objects."""
    for sample in samples:
        if sample.namespace is not None:
            yield from _making(sample.namespace)
        for one in sample.objects:
            yield from _on(one, sample.namespace)


def _making(namespace: str) -> Iterator[Probe]:
    where = ("-n", namespace, DRY)
    role = ("create", "role", NOBODY, "--verb=get", "--resource=configmaps", *where)
    yield Probe(kind="grant a role", words=role, namespace=namespace, verb="create", action="grant")
    mounts = json.dumps({"spec": {"volumes": [{"name": "secret", "secret": {"secretName": NOBODY}}]}})
    pod = ("run", NOBODY, "--image=nowhere.invalid/none", "--restart=Never", f"--overrides={mounts}", *where)
    yield Probe(kind="mount a secret", words=pod, namespace=namespace, verb="create", action="run-as")
    made = ("create", "configmap", NOBODY, *where)
    yield Probe(kind="create a configmap", words=made, namespace=namespace, verb="create", action="change")


def _on(one: str, namespace: str | None) -> Iterator[Probe]:
    kind, _, name = one.partition("/")
    where = () if namespace is None else ("-n", namespace)
    shown = kind.partition(".")[0].replace("customresourcedefinition", "CRD")
    deleted = ("delete", one, *where, DRY)
    yield Probe(kind=f"delete a {shown}", words=deleted, namespace=namespace, verb="delete", action="delete")
    # A label on a node is the action `node`, on an ordinary object `change`.
    action = {"node": "node", "CRD": "protect"}.get(shown, "change")
    labelled = ("label", one, DRY_RUN_LABEL, *where, DRY)
    yield Probe(kind=f"change a {shown}", words=labelled, namespace=namespace, verb="patch", action=action)
    if shown == "node":
        cordoned = ("cordon", name, DRY)
        yield Probe(kind="cordon a node", words=cordoned, namespace=None, verb="patch", action="stop")
    if shown == "deployment":
        stopped = ("scale", one, "--replicas=0", *where, DRY)
        yield Probe(kind="scale to zero", words=stopped, namespace=namespace, verb="patch", action="stop")
    if namespace is not None and kind == "pod":
        yield from _on_pod(name, namespace)
    if namespace is not None and kind == "serviceaccount":
        yield _token(name, namespace)


def _on_pod(name: str, namespace: str) -> Iterator[Probe]:
    path = f"/api/v1/namespaces/{namespace}/pods/{name}"
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": namespace},
        "deleteOptions": {"dryRun": ["All"]},
    }
    yield Probe(
        kind="evict a pod",
        words=("create", "--raw", f"{path}/eviction?dryRun=All", "-f", "-"),
        namespace=namespace,
        verb="create",
        action="delete",
        stdin=json.dumps(body),
        lets_pass=("disruption budget",),
    )
    yield Probe(
        kind="open a shell",
        words=("get", "--raw", f"{path}/exec?command=true&stdout=true"),
        namespace=namespace,
        verb="get",
        action="shell",
        lets_pass=("(BadRequest)",),
    )


def _token(name: str, namespace: str) -> Probe:
    secret = {"apiVersion": "v1", "kind": "Secret", "name": NOBODY}
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"audiences": [NOBODY], "expirationSeconds": 600, "boundObjectRef": secret},
    }
    return Probe(
        kind="get a token",
        words=("create", "--raw", f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token", "-f", "-"),
        namespace=namespace,
        verb="create",
        action="mint",
        stdin=json.dumps(body),
        lets_pass=(f'"{NOBODY}" not found',),
    )


def of_rule(rule: Rule, policy: Policy, cluster: TargetCluster, possible: Sequence[Probe]) -> tuple[Probe, ...]:
    """Return the probes that match a rule: one of each kind, a few of each action."""
    alone = policy.replace(rules=(rule,), index=None)
    found: dict[str, Probe] = {}
    for probe in possible:
        several = sum(one.action == probe.action for one in found.values())
        if probe.kind not in found and several < MOST_OF_AN_ACTION and _is_about(rule, alone, cluster, probe):
            found[probe.kind] = probe
    return tuple(found.values())


def _is_about(rule: Rule, alone: Policy, cluster: TargetCluster, probe: Probe) -> bool:
    if rule.actions and probe.action not in rule.actions:
        return False
    words = tuple(word for word in probe.words if word != DRY)
    target = Target(cluster=cluster.name, labels=cluster.labels, namespace=probe.namespace)
    decision = decide(alone, read(words), target)
    return any(
        request.verb == probe.verb and (not match.actions or probe.action in match.actions)
        for match in (*decision.rules, *decision.warned, *decision.audited)
        for request in match.requests
    )


def evaluated(
    rule: Rule, probe: Probe, logins: Sequence[Login], ask: Callable[[Login, Probe], KubectlAnswer], *, fix: str
) -> VerifyResult:
    """Return the result of a probe, tried with every login below the required level."""
    seen = [(login, _outcome(rule, probe, ask(login, probe))) for login in logins]
    for state in (GAP, NOT_CHECKED):
        worst = [f"{login.name}: {detail}" for login, (found, _, detail) in seen if found == state]
        if worst:
            fixed = fix if state == GAP else ""
            return VerifyResult(
                subject=rule.name, what=probe.kind, point=ADMISSION, state=state, detail="; ".join(worst), fix=fixed
            )
    points = {point for _, (_, point, _) in seen}
    details = "; ".join(f"{login.name}: {detail}" for login, (_, _, detail) in seen)
    by = RBAC if points == {RBAC} else ADMISSION
    return VerifyResult(subject=rule.name, what=probe.kind, point=by, state=ENFORCED, detail=details)


def _outcome(rule: Rule, probe: Probe, answer: KubectlAnswer) -> tuple[str, str, str]:
    """Return state, point and words for one answer."""
    denier = denied_by(answer)
    if denier is not None:
        return (
            ENFORCED,
            ADMISSION,
            "refused" if denier == rule.name else f"refused by rule {denier}, which it meets too",
        )
    if refused_by_rbac(answer):
        return ENFORCED, RBAC, "RBAC refuses it already"
    if not_allowed_to_look(answer):
        return NOT_CHECKED, ADMISSION, "may not even look at the object"
    if answer.failed and (_WEBHOOK in answer.err or not any(mark in answer.err for mark in probe.lets_pass)):
        return NOT_CHECKED, ADMISSION, answer.said
    if rule.mode == "warn" and rule.name in warned_by(answer):
        return ENFORCED, ADMISSION, "passed with a warning, as mode warn says"
    return GAP, ADMISSION, "the server lets it pass"
