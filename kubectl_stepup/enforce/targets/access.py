"""Questions for RBAC: what it must not allow a login below the required level.

Only RBAC can enforce what admission control does not see: reads, its own objects, impersonation. A
SelfSubjectAccessReview (authorization.k8s.io/v1) returns whether RBAC allows a request, and changes nothing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kubectl_stepup.enforce import names
from kubectl_stepup.enforce.plan import exceptions_on, points_of, rules_on
from kubectl_stepup.enforce.targets.requests_cel import EXEMPT, EXEMPT_KINDS
from kubectl_stepup.enforce.verify.results import ENFORCED, GAP, NOT_CHECKED, VerifyResult
from kubectl_stepup.globs import matches_any
from kubectl_stepup.policy.expansion import RBAC
from kubectl_stepup.values import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from kubectl_stepup.enforce.plan import Point, TargetCluster
    from kubectl_stepup.enforce.verify.results import Login
    from kubectl_stepup.policy.model import Policy, Rule

MOST_NAMESPACES = 10
"""The number of namespaces in which a rule about reads is checked: each costs a few questions for each login."""

BYPASS = "bypass"
"""The subject of rights that bypass every rule."""

_WRITES = ("create", "update", "patch", "delete", "deletecollection")
_CLUSTER_GROUPS = frozenset({EXEMPT, "certificates.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io"})
_CLUSTER_KINDS = frozenset(
    {*("users", "groups", "nodes", "namespaces", "persistentvolumes"), *("clusterroles", "clusterrolebindings")}
)
_MOST = 3
_CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client"
_FIX = "who has it, and roles without it: kubectl stepup rbac audit --fix"


class Question(Record):
    """One access review: `resource` is without its group; `namespace` "" is all of them, or none."""

    verb: str
    group: str
    resource: str
    subresource: str = ""
    namespace: str = ""
    name: str = ""

    def as_review(self) -> dict[str, Any]:
        """Return it as kubectl sends it."""
        fields = {
            "verb": self.verb,
            "group": self.group,
            "resource": self.resource,
            "subresource": self.subresource,
            "namespace": self.namespace,
            "name": self.name,
        }
        attributes = {key: value for key, value in fields.items() if value}
        return {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }

    @property
    def shown(self) -> str:
        """Return its resource in words."""
        kind = ".".join(filter(None, (self.resource, self.group)))
        part = "/".join(filter(None, (kind, self.subresource)))
        return " ".join(filter(None, (part, self.name)))


class Topic(Record):
    """Questions that become one result: no login weaker than `needs` may be allowed any of them.

    `note` says why they are not complete, `extent` which namespaces they cover.
    """

    subject: str
    what: str
    needs: int
    questions: tuple[Question, ...]
    note: str = ""
    extent: str = ""


def topics(
    policy: Policy, cluster: TargetCluster, namespaces: Sequence[str], *, break_glass: str | None
) -> Iterator[Topic]:
    """Return all topics; `namespaces` are the known ones."""
    for rule in rules_on(policy, cluster):
        about = _namespaces(rule, cluster, namespaces)
        for point in points_of(rule):
            if point.by == RBAC:
                yield _of_point(point, about, policy.rank(rule.needs), rule)
    yield from _bypasses(policy, cluster, namespaces[:MOST_NAMESPACES], break_glass)


def _namespaces(rule: Rule, cluster: TargetCluster, known: Sequence[str]) -> tuple[str, ...]:
    """Return the namespaces of a rule, with "" first if the rule covers all of them alike."""
    chosen = rule.selector.namespaces
    spared = [one for one in exceptions_on(rule, cluster) if one.namespaces and not one.names]
    about = [
        name
        for name in known
        if (not chosen or matches_any(name, chosen)) and not any(matches_any(name, one.namespaces) for one in spared)
    ]
    everywhere = ("",) if not chosen and not spared else ()
    return (*everywhere, *about)


def _of_point(point: Point, namespaces: Sequence[str], needs: int, rule: Rule) -> Topic:
    patterns = [one for one in point.resources if _is_pattern(one)]
    everywhere = [name for name in namespaces if not name]
    looked_at = [*everywhere, *[name for name in namespaces if name][:MOST_NAMESPACES]]
    literal = tuple(name for name in rule.selector.names if not _is_pattern(name))
    questions = dict.fromkeys(
        Question(verb=verb, group=group, resource=kind, subresource=part, namespace=namespace, name=name)
        for kind, group, part in map(parsed, (one for one in point.resources if not _is_pattern(one)))
        for namespace in ([""] if group in _CLUSTER_GROUPS or kind in _CLUSTER_KINDS else looked_at)
        for verb in point.verbs
        for name in literal or ("",)
    )
    return Topic(
        subject=rule.name,
        what=f"{point.what}: {shown_verbs(point.verbs)}",
        needs=needs,
        questions=tuple(questions),
        note=f"patterns cannot be checked: {', '.join(patterns)}" if patterns else "",
        extent=_extent(looked_at, namespaces) if any(one.namespace for one in questions) else "",
    )


def _extent(looked_at: Sequence[str], namespaces: Sequence[str]) -> str:
    """Say in how many namespaces a part was checked; empty for all of them."""
    some, every = (sum(map(bool, several)) for several in (looked_at, namespaces))
    return f", in {some} of {every} namespaces" if some < every else ""


def shown_verbs(verbs: Sequence[str]) -> str:
    """Return verbs in few words."""
    return "every write" if verbs == _WRITES else ", ".join(verbs) or "all"


def _is_pattern(name: str) -> bool:
    return name not in ("*", "*/*") and bool(set(name) & set("*?["))


def parsed(resource: str) -> tuple[str, str, str]:
    """Return kind, group and subresource of `pods/exec`, `deployments.apps/scale`, `widgets/status.example.com`."""
    kind, _, part = resource.partition("/")
    name, _, group = kind.partition(".")
    if not group:
        part, _, group = part.partition(".")
    return name, group, part


def _bypasses(
    policy: Policy, cluster: TargetCluster, namespaces: Sequence[str], break_glass: str | None
) -> Iterator[Topic]:
    highest = len(policy.levels) - 1

    def topic(what: str, questions: Iterable[Question]) -> Topic:
        return Topic(subject=BYPASS, what=what, needs=highest, questions=tuple(questions))

    writes = ((verb, kind) for kind in EXEMPT_KINDS for verb in _WRITES)
    yield topic(
        "write admission's objects", (Question(verb=verb, group=EXEMPT, resource=kind) for verb, kind in writes)
    )
    groups = ["", *(names.level_group(level.name) for level in policy.levels), *([break_glass] if break_glass else [])]
    yield topic(
        "impersonate",
        (
            Question(verb="impersonate", group="", resource="users"),
            *(
                Question(verb="impersonate", group="", resource="serviceaccounts", namespace=namespace)
                for namespace in ("", *namespaces)
            ),
            *(Question(verb="impersonate", group="", resource="groups", name=name) for name in groups),
        ),
    )
    roles = ((verb, kind) for verb in ("bind", "escalate") for kind in ("clusterroles", "roles"))
    rbac = "rbac.authorization.k8s.io"
    yield topic("bind and escalate", (Question(verb=verb, group=rbac, resource=kind) for verb, kind in roles))
    if not _mint_is_gated(policy, cluster, highest):
        yield topic("approve and sign certificates", _certificates())


def _certificates() -> Iterator[Question]:
    group = "certificates.k8s.io"
    for verb, part in (("approve", "approval"), ("sign", "status")):
        yield Question(verb=verb, group=group, resource="signers", name=_CLIENT_SIGNER)
        yield Question(verb="update", group=group, resource="certificatesigningrequests", subresource=part)


def _mint_is_gated(policy: Policy, cluster: TargetCluster, highest: int) -> bool:
    """Whether admission denies approvals below the highest level, so RBAC need not."""
    return any(
        "mint" in rule.actions and rule.mode == "enforce" and policy.rank(rule.needs) == highest
        for rule in rules_on(policy, cluster)
        if not rule.selector.names and not exceptions_on(rule, cluster)
    )


def stream(questions: Iterable[Question]) -> str:
    """Write questions as one List for kubectl, which answers them in their order."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": [one.as_review() for one in questions]})


def allowed(reviews: Iterable[Mapping[str, Any]], questions: Sequence[Question]) -> dict[Question, bool] | None:
    """Return the answers; None unless every question has one."""
    found = [one for one in reviews if one.get("kind") == "SelfSubjectAccessReview"]
    if len(found) != len(questions):
        return None
    return {
        question: bool((review.get("status") or {}).get("allowed"))
        for question, review in zip(questions, found, strict=True)
    }


def evaluated(topic: Topic, answers: Sequence[tuple[Login, Mapping[Question, bool] | None]]) -> VerifyResult:
    """Return the result for one topic from the answers for each login."""
    weaker = [(login, answers_of) for login, answers_of in answers if login.rank < topic.needs]
    unanswered = [login.name for login, answers_of in weaker if answers_of is None]
    for login, answers_of in weaker:
        found = [one for one in topic.questions if answers_of is not None and answers_of[one]]
        if found:
            return _row(topic, GAP, f"{login.name} may {_listed(found)}", _FIX)
    if unanswered:
        return _row(topic, NOT_CHECKED, f"the server did not answer {', '.join(unanswered)}")
    if topic.note:
        return _row(topic, NOT_CHECKED, topic.note)
    if not topic.questions:
        return _row(topic, NOT_CHECKED, "no namespace that the rule is about is known")
    return _row(topic, ENFORCED, f"refused: {', '.join(login.name for login, _ in weaker)}{topic.extent}")


def _row(topic: Topic, state: str, detail: str, fix: str = "") -> VerifyResult:
    return VerifyResult(subject=topic.subject, what=topic.what, point=RBAC, state=state, detail=detail, fix=fix)


def _listed(found: Sequence[Question]) -> str:
    verbs: dict[tuple[str, str], list[str]] = {}
    for one in found:
        verbs.setdefault((one.shown, one.namespace), []).append(one.verb)
    places: dict[str, list[str]] = {}
    for (what, namespace), several in verbs.items():
        places.setdefault(f"{', '.join(several)} {what}", []).append(namespace or "every namespace")
    shown = [f"{what} in {_few(where)}" if where != ["every namespace"] else what for what, where in places.items()]
    return _few(shown, "; ")


def _few(texts: Sequence[str], between: str = ", ") -> str:
    more = f" and {len(texts) - _MOST} more" if len(texts) > _MOST else ""
    return between.join(texts[:_MOST]) + more
