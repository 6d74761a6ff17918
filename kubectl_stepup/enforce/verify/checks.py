"""The checks of `policy verify` on a live cluster, under logins that are there already; nothing is changed."""

from __future__ import annotations

import shlex
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
from kubectl_stepup.enforce.verify.samples import namespaces, samples
from kubectl_stepup.errors import KubectlFailed, LoginNeeded
from kubectl_stepup.policy.expansion import ADMISSION, CLIENT, RBAC
from kubectl_stepup.policy.model import Rule
from kubectl_stepup.values import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kubectl_stepup.enforce.bundle import Bundle, CompileRequest
    from kubectl_stepup.enforce.verify.answers import KubectlAnswer
    from kubectl_stepup.enforce.verify.kubectl_as import KubectlAs
    from kubectl_stepup.enforce.verify.probes import Probe

    Objects = Mapping[tuple[str, str, str], Mapping[str, Any]]

_SELECTED = ("-l", "app.kubernetes.io/managed-by=kubectl-stepup", "-o", "json")
_POLICIES = "validatingadmissionpolicies,validatingadmissionpolicybindings"
_GRANTS = "clusterrolebindings,rolebindings"
_READER = (
    f"kubectl create clusterrole kubectl-stepup-verify --verb=get,list --resource={_POLICIES},{_GRANTS}"
    "   (and bind it to whoever verifies)"
)
"""One role for all that is read: a second one of the same name could not be created."""
_PUBLISHED = ("configmap", names.PUBLISHED_NAME, "-n", names.PUBLISHED_NAMESPACE)


class LiveCluster(Record):
    """The cluster that is checked: its name, its context's namespace, and kubectl by login, everyday first."""

    cluster: str
    namespace: str
    asking: Mapping[Login, KubectlAs]

    @property
    def everyday(self) -> KubectlAs:
        """Kubectl as somebody who has not stepped up."""
        return next(iter(self.asking.values()))

    @property
    def reading(self) -> tuple[KubectlAs, ...]:
        """The logins that read, in the order of trying: everyday first, then the strongest."""
        first, *rest = self.asking.values()
        return (first, *reversed(rest))

    def below(self, rank: int) -> tuple[Login, ...]:
        """Return the logins that are too weak for a level."""
        return tuple(login for login in self.asking if login.rank < rank)


class ClusterState(Record):
    """What a cluster says of itself: who the everyday login is, and our own objects there.

    `published` is the answer to reading the published policy, `policies` are our admission policies and bindings, or
    why they cannot be read.
    """

    everyday: logins.UserInfo
    published: KubectlAnswer
    policies: Objects | str

    @property
    def annotations(self) -> Mapping[str, str]:
        """How the objects were compiled: of the published policy, or where it is not there, of our own policy."""
        own = None
        if not isinstance(self.policies, str):
            own = self.policies.get(("ValidatingAdmissionPolicy", "", names.object_name(OWN_RULE)))
        published = answers.document(self.published)
        found: Mapping[str, str] = ((published or own or {}).get("metadata") or {}).get("annotations") or {}
        return found


def read_cluster(live: LiveCluster) -> ClusterState:
    """Read what the checks compare with.

    Raises:
        LoginNeeded: the everyday login is not accepted.
        KubectlFailed: the server does not say who is calling.
    """
    return ClusterState(
        everyday=_everyday(live),
        published=live.everyday(("get", *_PUBLISHED, "-o", "json")),
        policies=_items(_first(live, ("get", _POLICIES, *_SELECTED))),
    )


def check(
    live: LiveCluster, found: ClusterState, request: CompileRequest, made: Bundle, published: object
) -> tuple[VerifyResult, ...]:
    """Run every check against what the policy in force was compiled to.

    `published` is the document in the published policy, None where there is none.
    """
    compiling = compile_words(live.cluster, request)
    apply = f"{compiling}; kubectl apply -k server"
    authenticated, live = _authentication(live, found.everyday, request, compiling)
    why_not = found.published.said if found.published.code else ""
    config_map = answers.document(found.published)
    known = namespaces(live.reading, rules_on(request.policy, request.cluster), own=live.namespace)
    results = (
        *authenticated,
        read_back.published_policy(config_map, published, digest=made.digest, fix=apply, why_not=why_not),
        *_objects(live, found.policies, request, made, apply),
        *_dry_runs(live, request, known, apply),
        *_access(live, request, known),
        *_client_only(request),
    )
    return _in_order(results, request)


def _in_order(results: tuple[VerifyResult, ...], request: CompileRequest) -> tuple[VerifyResult, ...]:
    """Return who one is first, then each rule's own, then the rest, each in the order in which it was looked at."""
    ranks = {subject: rank for rank, subject in enumerate((*(rule.name for rule in request.policy.rules), OWN_RULE))}
    return tuple(
        sorted(results, key=lambda one: -1 if one.point == AUTHENTICATION else ranks.get(one.subject, len(ranks)))
    )


def compile_words(cluster: str, request: CompileRequest) -> str:
    """Return the command that makes the objects as they should be."""
    group = request.break_glass
    glass = "--no-break-glass" if group is None else f"--break-glass-group {shlex.quote(group)}"
    proxy = "" if request.elevated_proxy else " --no-elevated-proxy"
    return f"kubectl stepup policy compile --cluster {shlex.quote(cluster)} {glass}{proxy} --output-dir server"


def _first(live: LiveCluster, words: tuple[str, ...]) -> KubectlAnswer:
    """Return the answer of the first login that may, else the everyday one's."""
    for ask in live.reading:
        found = ask(words)
        if found.code == 0:
            return found
    return live.everyday(words)


# -- authentication -----------------------------------------------------------------------------------------------


def _everyday(live: LiveCluster) -> logins.UserInfo:
    answer = live.everyday(logins.WHO, logins.REVIEW)
    user = logins.user_of(answers.document(answer))
    if user is not None:
        return user
    if answers.unauthenticated(answer):
        raise LoginNeeded(
            f"the everyday login of cluster {live.cluster} is not accepted: {answer.said}",
            hint="sign in with it first: kubectl get pods",
        )
    raise KubectlFailed(f"cluster {live.cluster} could not be asked who is calling: {answer.said}")


def _authentication(
    live: LiveCluster, everyday: logins.UserInfo, request: CompileRequest, fix: str
) -> tuple[list[VerifyResult], LiveCluster]:
    """Check every login; return with the results the cluster without the logins that the server does not accept."""
    fix = f"{fix} --target authentication; then put the file where --authentication-config points"
    first, *elevated = live.asking
    found = [logins.evaluated(first, everyday, request.trust, everyday=None, fix=fix)]
    accepted = {first: live.everyday}
    for login in elevated:
        answer = live.asking[login](logins.WHO, logins.REVIEW)
        user = logins.user_of(answers.document(answer))
        if user is None:
            refused = f"the server does not accept this login: {answer.said}"
            found.append(_of_login(login.name, GAP, refused, fix))
            continue
        accepted[login] = live.asking[login]
        found.append(logins.evaluated(login, user, request.trust, everyday=everyday, fix=fix))
    seen = {login.level for login in live.asking}
    for level in request.policy.levels:
        if request.trust.level(level.name) is None:
            found.append(
                _of_login(level.name, NOT_CHECKED, "the provider has no evidence for it: nobody reaches it", "")
            )
        elif level.name not in seen:
            again = f"kubectl stepup policy verify --cluster {shlex.quote(live.cluster)} --level {level.name}"
            found.append(_of_login(level.name, NOT_CHECKED, "no session at this level", again))
    return found, LiveCluster(cluster=live.cluster, namespace=live.namespace, asking=accepted)


def _of_login(name: str, state: str, detail: str, fix: str) -> VerifyResult:
    return VerifyResult(subject=name, what="elevated login", point=AUTHENTICATION, state=state, detail=detail, fix=fix)


# -- admission and grants, by reading back --------------------------------------------------------------------------


def _objects(
    live: LiveCluster, policies: Objects | str, request: CompileRequest, made: Bundle, apply: str
) -> Iterator[VerifyResult]:
    if isinstance(policies, str):
        yield read_back.unread("rules", "policies and bindings as compiled", ADMISSION, policies, fix=_READER)
    else:
        yield from read_back.admission_policies(made.objects, policies, digest=made.digest, fix=apply)
        if request.break_glass is not None:
            group = request.break_glass
            way_out = f"who has a certificate of group {group} passes every admission policy, and is recorded"
            yield VerifyResult(subject="break-glass", what="a way out", point=ADMISSION, state=ENFORCED, detail=way_out)
    there = _items(_first(live, ("get", _GRANTS, "-A", *_SELECTED)))
    if isinstance(there, str):
        yield read_back.unread("grants", "bindings as compiled", RBAC, there, fix=_READER)
    else:
        yield from read_back.grants(made.objects, there, fix=apply)


def _items(answer: KubectlAnswer) -> Objects | str:
    """Return the objects of a list, or why there are none to be had."""
    found = answers.document(answer)
    return answer.said if found is None else read_back.by_key(found.get("items") or [])


# -- admission, by dry runs -----------------------------------------------------------------------------------------


def _dry_runs(live: LiveCluster, request: CompileRequest, known: tuple[str, ...], fix: str) -> Iterator[VerifyResult]:
    rules = [rule for rule in rules_on(request.policy, request.cluster) if rule.mode != "audit"]
    possible = list(probes.probes(samples(live.reading, known, rules)))
    known_answers: dict[tuple[Login, Probe], KubectlAnswer] = {}

    def ask(login: Login, probe: Probe) -> KubectlAnswer:
        if (login, probe) not in known_answers:
            known_answers[login, probe] = live.asking[login](probe.words, probe.stdin or "")
        return known_answers[login, probe]

    for rule in rules:
        gated = any(point.by == ADMISSION for point in points(request.policy, request.cluster) if point.rule == rule)
        for probe in probes.of_rule(rule, request.policy, request.cluster, possible) if gated else ():
            yield probes.evaluated(rule, probe, live.below(request.policy.rank(rule.needs)), ask, fix=fix)
    highest = request.policy.levels[-1]
    own = Rule(name=OWN_RULE, needs=highest.name)
    yield probes.evaluated(own, probes.OWN, live.below(request.policy.rank(highest.name)), ask, fix=fix)


# -- RBAC -----------------------------------------------------------------------------------------------------------


def _access(live: LiveCluster, request: CompileRequest, known: tuple[str, ...]) -> Iterator[VerifyResult]:
    topics = list(access.topics(request.policy, request.cluster, known, break_glass=request.break_glass))
    questions = tuple(dict.fromkeys(one for topic in topics for one in topic.questions))
    weaker = live.below(len(request.policy.levels) - 1)
    allowed = []
    for login in weaker:
        words = ("create", "-f", "-", "-o", "json", "--validate=false")
        answer = live.asking[login](words, access.stream(questions))
        allowed.append((login, access.allowed(answers.documents(answer.out), questions)))
    yield from (access.evaluated(topic, allowed) for topic in topics)


# -- what only the client asks for ------------------------------------------------------------------------------------


def _client_only(request: CompileRequest) -> Iterator[VerifyResult]:
    for point in points(request.policy, request.cluster):
        if point.by == CLIENT:
            what = f"{point.what}: {access.shown_verbs(point.verbs)}"
            yield VerifyResult(
                subject=point.rule.name,
                what=what,
                point=CLIENT,
                state=CLIENT_ONLY,
                detail=point.note or "no server sees it",
            )
