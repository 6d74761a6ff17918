"""Everything that `policy verify` looks at, under logins that are there already; nothing is changed."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kubectl_stepup.enforce import names
from kubectl_stepup.enforce.plan import points, rules_on
from kubectl_stepup.enforce.targets import access
from kubectl_stepup.enforce.targets.admission import OWN_RULE
from kubectl_stepup.enforce.verify import answers, logins, probes, read_back
from kubectl_stepup.enforce.verify.results import (
    AUTHENTICATION,
    CLIENT_ONLY,
    ENFORCED,
    GAP,
    NOT_CHECKED,
    Login,
    VerifyResult,
)
from kubectl_stepup.errors import KubectlFailed, LoginNeeded
from kubectl_stepup.policy.expansion import ADMISSION, CLIENT, RBAC
from kubectl_stepup.policy.model import Rule
from kubectl_stepup.stepup.verify_samples import namespaces, samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kubectl_stepup.enforce.bundle import Bundle, Request
    from kubectl_stepup.enforce.verify.answers import Answer
    from kubectl_stepup.enforce.verify.probes import Probe
    from kubectl_stepup.stepup.verify_samples import Ask

    Objects = Mapping[tuple[str, str, str], Mapping[str, Any]]

_SELECTED = ("-l", "app.kubernetes.io/managed-by=kubectl-stepup", "-o", "json")
_GUARDS = "validatingadmissionpolicies,validatingadmissionpolicybindings"
_GRANTS = "clusterrolebindings,rolebindings"
_READER = (
    f"kubectl create clusterrole kubectl-stepup-verify --verb=get,list --resource={_GUARDS},{_GRANTS}"
    "   (and bind it to whoever verifies)"
)
"""One role for all that is read: a second one of the same name could not be created."""
_PUBLISHED = ("configmap", names.PUBLISHED_NAME, "-n", names.PUBLISHED_NAMESPACE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Where one looks: the cluster's name, its context's namespace, and kubectl by login, everyday first."""

    cluster: str
    namespace: str
    asking: Mapping[Login, Ask]

    @property
    def everyday(self) -> Ask:
        """Ask as nobody who has stepped up."""
        return next(iter(self.asking.values()))

    @property
    def reading(self) -> tuple[Ask, ...]:
        """Who may be asked to read: everyday first, then the strongest."""
        first, *rest = self.asking.values()
        return (first, *reversed(rest))

    def below(self, rank: int) -> tuple[Login, ...]:
        """Return the logins that are too weak for a level."""
        return tuple(login for login in self.asking if login.rank < rank)


def everything(
    scene: Scene, compiled: Callable[[Mapping[str, str]], tuple[Request, Bundle]], parse: Callable[[str], object]
) -> tuple[tuple[VerifyResult, ...], str]:
    """Look at everything; give the findings, and the digest of the policy in force.

    `compiled` compiles the policy in force by what the annotations of the published one say.

    Raises:
        LoginNeeded: the everyday login is not accepted.
        KubectlFailed: the server could not be asked.
    """
    everyday = _everyday(scene)
    published = scene.everyday(("get", *_PUBLISHED, "-o", "json"))
    guards = _items(_first(scene, ("get", _GUARDS, *_SELECTED)))
    request, made = compiled(_annotations(answers.document(published), guards))
    fix = compile_words(scene.cluster, request)
    authenticated, scene = _authentication(scene, everyday, request, fix)
    why_not = published.said if published.code else ""
    known = namespaces(scene.reading, rules_on(request.policy, request.place), own=scene.namespace)
    findings = (
        *authenticated,
        read_back.published_policy(
            answers.document(published),
            digest=made.digest,
            fix=f"{fix}; kubectl apply -k server",
            why_not=why_not,
            parse=parse,
        ),
        *_objects(scene, guards, request, made, f"{fix}; kubectl apply -k server"),
        *_dry_runs(scene, request, known, f"{fix}; kubectl apply -k server"),
        *_access(scene, request, known),
        *_client_only(request),
    )
    return _in_order(findings, request), made.digest


def _annotations(published: Mapping[str, Any] | None, guards: Objects | str) -> Mapping[str, str]:
    """Return what the objects say of their making: the published policy, or where it is not there, our own guard."""
    own = (
        None if isinstance(guards, str) else guards.get(("ValidatingAdmissionPolicy", "", names.object_name(OWN_RULE)))
    )
    found: Mapping[str, str] = ((published or own or {}).get("metadata") or {}).get("annotations") or {}
    return found


def _in_order(findings: tuple[VerifyResult, ...], request: Request) -> tuple[VerifyResult, ...]:
    """Return who one is first, then each rule's own, then the rest, each in the order in which it was looked at."""
    ranks = {subject: rank for rank, subject in enumerate((*(rule.name for rule in request.policy.rules), OWN_RULE))}
    return tuple(
        sorted(findings, key=lambda one: -1 if one.point == AUTHENTICATION else ranks.get(one.subject, len(ranks)))
    )


def compile_words(cluster: str, request: Request) -> str:
    """Return the command that makes the objects as they should be."""
    group = request.break_glass
    glass = "--no-break-glass" if group is None else f"--break-glass-group {shlex.quote(group)}"
    proxy = "" if request.elevated_proxy else " --no-elevated-proxy"
    return f"kubectl stepup policy compile --cluster {shlex.quote(cluster)} {glass}{proxy} --output-dir server"


def _first(scene: Scene, words: tuple[str, ...]) -> Answer:
    """Return the answer of the first login that may, else the everyday one's."""
    for ask in scene.reading:
        found = ask(words)
        if found.code == 0:
            return found
    return scene.everyday(words)


# -- authentication -----------------------------------------------------------------------------------------------


def _everyday(scene: Scene) -> logins.User:
    answer = scene.everyday(logins.WHO, logins.REVIEW)
    user = logins.user_of(answers.document(answer))
    if user is not None:
        return user
    if answers.unauthenticated(answer):
        raise LoginNeeded(
            f"the everyday login of cluster {scene.cluster} is not accepted: {answer.said}",
            hint="sign in with it first: kubectl get pods",
        )
    raise KubectlFailed(f"cluster {scene.cluster} could not be asked who is calling: {answer.said}")


def _authentication(
    scene: Scene, everyday: logins.User, request: Request, fix: str
) -> tuple[list[VerifyResult], Scene]:
    """Judge every login; the scene comes back without those that the server does not accept."""
    fix = f"{fix} --target authentication; then put the file where --authentication-config points"
    first, *elevated = scene.asking
    found = [logins.evaluated(first, everyday, request.trust, everyday=None, fix=fix)]
    accepted = {first: scene.everyday}
    for login in elevated:
        answer = scene.asking[login](logins.WHO, logins.REVIEW)
        user = logins.user_of(answers.document(answer))
        if user is None:
            refused = f"the server does not accept this login: {answer.said}"
            found.append(_of_login(login.name, GAP, refused, fix))
            continue
        accepted[login] = scene.asking[login]
        found.append(logins.evaluated(login, user, request.trust, everyday=everyday, fix=fix))
    seen = {login.level for login in scene.asking}
    for level in request.policy.levels:
        if request.trust.level(level.name) is None:
            found.append(
                _of_login(level.name, NOT_CHECKED, "the provider has no evidence for it: nobody reaches it", "")
            )
        elif level.name not in seen:
            again = f"kubectl stepup policy verify --cluster {shlex.quote(scene.cluster)} --level {level.name}"
            found.append(_of_login(level.name, NOT_CHECKED, "no session at this level", again))
    return found, Scene(cluster=scene.cluster, namespace=scene.namespace, asking=accepted)


def _of_login(name: str, state: str, detail: str, fix: str) -> VerifyResult:
    return VerifyResult(subject=name, what="elevated login", point=AUTHENTICATION, state=state, detail=detail, fix=fix)


# -- admission and grants, by reading back --------------------------------------------------------------------------


def _objects(scene: Scene, guards: Objects | str, request: Request, made: Bundle, apply: str) -> Iterator[VerifyResult]:
    if isinstance(guards, str):
        yield read_back.unread("rules", "policies and bindings as compiled", ADMISSION, guards, fix=_READER)
    else:
        yield from read_back.guards(made.objects, guards, digest=made.digest, fix=apply)
        if request.break_glass is not None:
            group = f"who has a certificate of group {request.break_glass} passes every guard, recorded"
            yield VerifyResult(subject="break-glass", what="a way out", point=ADMISSION, state=ENFORCED, detail=group)
    there = _items(_first(scene, ("get", _GRANTS, "-A", *_SELECTED)))
    if isinstance(there, str):
        yield read_back.unread("grants", "bindings as compiled", RBAC, there, fix=_READER)
    else:
        yield from read_back.grants(made.objects, there, fix=apply)


def _items(answer: Answer) -> Objects | str:
    """Return the objects of a list, or why there are none to be had."""
    found = answers.document(answer)
    return answer.said if found is None else read_back.by_key(found.get("items") or [])


# -- admission, by dry runs -----------------------------------------------------------------------------------------


def _dry_runs(scene: Scene, request: Request, known: tuple[str, ...], fix: str) -> Iterator[VerifyResult]:
    rules = [rule for rule in rules_on(request.policy, request.place) if rule.mode != "audit"]
    possible = list(probes.probes(samples(scene.reading, known, rules)))
    told: dict[tuple[Login, Probe], Answer] = {}

    def ask(login: Login, probe: Probe) -> Answer:
        if (login, probe) not in told:
            told[login, probe] = scene.asking[login](probe.words, probe.stdin or "")
        return told[login, probe]

    for rule in rules:
        gated = any(point.by == ADMISSION for point in points(request.policy, request.place) if point.rule == rule)
        for probe in probes.of_rule(rule, request.policy, request.place, possible) if gated else ():
            yield probes.evaluated(rule, probe, scene.below(request.policy.rank(rule.needs)), ask, fix=fix)
    highest = request.policy.levels[-1]
    own = Rule(name=OWN_RULE, needs=highest.name)
    yield probes.evaluated(own, probes.OWN, scene.below(request.policy.rank(highest.name)), ask, fix=fix)


# -- RBAC -----------------------------------------------------------------------------------------------------------


def _access(scene: Scene, request: Request, known: tuple[str, ...]) -> Iterator[VerifyResult]:
    topics = list(access.topics(request.policy, request.place, known, break_glass=request.break_glass))
    questions = tuple(dict.fromkeys(one for topic in topics for one in topic.questions))
    weaker = scene.below(len(request.policy.levels) - 1)
    told = []
    for login in weaker:
        words = ("create", "-f", "-", "-o", "json", "--validate=false")
        answer = scene.asking[login](words, access.stream(questions))
        told.append((login, access.allowed(answers.documents(answer.out), questions)))
    yield from (access.evaluated(topic, told) for topic in topics)


# -- what no server does ----------------------------------------------------------------------------------------------


def _client_only(request: Request) -> Iterator[VerifyResult]:
    for point in points(request.policy, request.place):
        if point.by == CLIENT:
            what = f"{point.what}: {access.shown_verbs(point.verbs)}"
            yield VerifyResult(
                subject=point.rule.name,
                what=what,
                point=CLIENT,
                state=CLIENT_ONLY,
                detail=point.note or "no server sees it",
            )
