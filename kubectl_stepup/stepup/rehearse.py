"""`doctor --rehearse`: prove, without effect, that the break-glass way out works before it is needed."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from kubectl_stepup import environment
from kubectl_stepup.enforce import names
from kubectl_stepup.enforce.names import DRY_RUN_LABEL
from kubectl_stepup.enforce.targets import access
from kubectl_stepup.enforce.targets.access import Question
from kubectl_stepup.enforce.verify import answers, logins, read_back
from kubectl_stepup.enforce.verify.kubectl_as import KubectlAs
from kubectl_stepup.enforce.verify.probes import DRY, OWN
from kubectl_stepup.ui.doctor_screens import FAIL, OK, WARN, Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_stepup.config.model import Cluster
    from kubectl_stepup.enforce.verify.answers import KubectlAnswer
    from kubectl_stepup.stepup.app import App


MANAGED = "app.kubernetes.io/managed-by=kubectl-stepup"
_BINDINGS = "validatingadmissionpolicybindings"
_ADMISSION, _RBAC = "admissionregistration.k8s.io", "rbac.authorization.k8s.io"
NEEDED = (
    Question(verb="delete", group="", resource="pods"),
    Question(verb="get", group="", resource="secrets"),
    Question(verb="patch", group="apps", resource="deployments"),
    Question(verb="patch", group="", resource="nodes"),
    Question(verb="create", group=_RBAC, resource="rolebindings"),
    Question(verb="delete", group=_ADMISSION, resource=_BINDINGS),
    Question(verb="delete", group=_ADMISSION, resource="validatingwebhookconfigurations"),
)
"""What an outage asks for; RBAC must allow it, as the admission policies give nobody a right."""


def rehearse(cluster: Cluster, kubeconfig: str, app: App) -> Iterator[Check]:
    """Look at the cluster as the owner of a break-glass kubeconfig; nothing is changed.

    Raises:
        KubeconfigError: the file or its current context cannot be used.
        KubectlFailed: there is no kubectl.
    """
    resolved = app.kubeconfig(kubeconfig).resolve(None)
    changed = cluster.pin.differences(resolved.pin)
    if changed:
        fix = "name a kubeconfig of this cluster: --break-glass-kubeconfig FILE"
        yield Check(name="kubeconfig", state=FAIL, detail=f"leads elsewhere: {'; '.join(changed)}", fix=fix)
        return
    yield Check(name="kubeconfig", state=OK, detail=f"{kubeconfig}, context {resolved.context}, {resolved.server}")
    fault = app.kubectl.writable_by_others()
    if fault is not None:  # whoever replaces it gets the way out
        detail = f"{fault}, so {app.kubectl.path()} is not run with it"
        yield Check(name="kubectl", state=FAIL, detail=detail, fix=fault.hint)
        return
    ask = KubectlAs(
        run=app.kubectl.answer,
        # A flag and not the variable, in which no name with a colon can stand.
        flags=(f"--kubeconfig={kubeconfig}", "--request-timeout=20s"),
        environ={**app.environ, environment.KUBERC: "off", environment.KUBECTL_KUBERC: "false"},
        trace=app.terminal.detail,
    )
    answer = ask(logins.WHO, logins.REVIEW)
    user = logins.user_of(answers.document(answer))
    if user is None:
        yield Check(name="login", state=FAIL, detail=f"the server does not accept it: {answer.said}", fix=_NEW)
        return
    login = _login(user, ask)
    yield login
    if login.state != FAIL:
        yield from _guards(ask)
        yield _rights(ask)


_NEW = "issue a new certificate: see the page on break-glass"


def _login(user: logins.UserInfo, ask: KubectlAs) -> Check:
    issuers = user.extra.get(names.ISSUER_KEY)
    if issuers:
        detail = (
            f"{user.name} comes with a token of {issuers[0]}: the admission policies apply to it, and the "
            "provider may be down"
        )
        return Check(name="login", state=FAIL, detail=detail, fix=_NEW)
    published = ask(("get", "configmap", names.PUBLISHED_NAME, "-n", names.PUBLISHED_NAMESPACE, "-o", "json"))
    group = read_back.annotation(answers.document(published) or {}, names.BREAK_GLASS)
    shown = f"{user.name}, groups {', '.join(user.groups)}"
    if group is None:
        fix = "kubectl stepup policy compile --cluster NAME --break-glass-group GROUP --output-dir server"
        detail = f"{shown}; the admission policies name no break-glass group: it passes as machines do, unmarked"
        return Check(name="login", state=WARN, detail=detail, fix=fix)
    if group in user.groups:
        return Check(
            name="login", state=OK, detail=f"{shown}: the admission policies let it pass, and mark it in the audit log"
        )
    detail = f"{shown}: not in {group}, so it passes as machines do, and no record marks it"
    return Check(name="login", state=WARN, detail=detail, fix=_NEW)


def _guards(ask: KubectlAs) -> Iterator[Check]:
    changed = ask(OWN.words)
    yield _tried("passes policies", "changes the published policy, which an admission policy protects", changed)
    removed = ask(("delete", _BINDINGS, "-l", MANAGED, DRY))
    if removed.code == 0 and "(server dry run)" not in removed.out:
        detail = "there is no binding of our admission policies on the cluster"
        yield Check(name="removes policies", state=WARN, detail=detail, fix="kubectl apply -f server/bindings.yaml")
    else:
        yield _tried("removes policies", "deletes the bindings", removed)
    label = ("label", _BINDINGS, "-l", MANAGED, DRY_RUN_LABEL, DRY)
    yield _tried("repairs policies", "changes the bindings", ask(label))


def _tried(name: str, what: str, answer: KubectlAnswer) -> Check:
    if not answer.failed:
        return Check(name=name, state=OK, detail=f"{what} (server dry run)")
    rule = answers.denied_by(answer)
    why = f"rule {rule} refuses it" if rule is not None else answer.said
    return Check(name=name, state=FAIL, detail=f"cannot do it: {why}", fix=_BIND)


_BIND = "kubectl create clusterrolebinding break-glass --clusterrole=cluster-admin --group=GROUP"


def _rights(ask: KubectlAs) -> Check:
    told = ask(("create", "-f", "-", "-o", "json", "--validate=false"), access.stream(NEEDED))
    found = access.allowed(answers.documents(told.out), NEEDED)
    if found is None:
        return Check(name="rights", state=FAIL, detail=f"the server does not say what it may: {told.said}")
    lacking = [f"{one.verb} {one.shown}" for one, may in found.items() if not may]
    if lacking:
        return Check(name="rights", state=FAIL, detail=f"RBAC does not allow: {', '.join(lacking)}", fix=_BIND)
    return Check(name="rights", state=OK, detail=f"RBAC allows the {len(found)} things that an outage asks for")


def runbook(cluster: Cluster, kubeconfig: str) -> tuple[str, ...]:
    """Return what to type when the identity provider is down, or an admission policy refuses what must be done."""
    use = f"kubectl --kubeconfig {shlex.quote(kubeconfig)}"
    return (
        f"When nobody can step up on {cluster.name}:",
        f"  1. Do what must be done with it; the admission policies let it pass: {use} ...",
        f"  2. If an admission policy itself is in the way: {use} delete {_BINDINGS} -l {MANAGED}",
        "  3. Afterwards put them back: kubectl apply -f server/bindings.yaml",
        f"  4. Prove it: kubectl stepup policy verify --cluster {shlex.quote(cluster.name)}",
        "  5. Read what was done in the API server's audit log: annotations with BREAK-GLASS",
    )
