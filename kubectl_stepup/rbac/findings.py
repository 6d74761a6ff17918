"""Audit RBAC: find who reaches a sensitive action without stepping up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup.rbac.aggregation import EffectiveRules
from kubectl_stepup.rbac.default_bindings import is_stock
from kubectl_stepup.rbac.finding import CRITICAL, HIGH, LOW, MEDIUM, RbacFinding, lowered, rank
from kubectl_stepup.rbac.gaps import GapFinder
from kubectl_stepup.rbac.powers import ANYTHING, URLS
from kubectl_stepup.rbac.sensitivity import Sensitivity
from kubectl_stepup.rbac.subjects import Category, Who, category_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kubectl_stepup.policy.model import Policy, Target
    from kubectl_stepup.rbac.aggregation import EffectiveRule
    from kubectl_stepup.rbac.gaps import Gap
    from kubectl_stepup.rbac.model import Binding, RbacObjects, RbacRule, Role, Subject

CLUSTER_ADMIN = "cluster-admin"
EVERYTHING = "wildcard-everything"
_EVERY_OBJECT = frozenset({CLUSTER_ADMIN, EVERYTHING})


def audit(objects: RbacObjects, policy: Policy, target: Target) -> tuple[RbacFinding, ...]:
    """Return all findings in a stable order, the worst first."""
    found = _Audit(objects, policy, target).findings()
    return tuple(sorted(found, key=lambda one: (-rank(one.severity), one.code, one.identity)))


class _Audit:
    def __init__(self, objects: RbacObjects, policy: Policy, target: Target) -> None:
        self._objects = objects
        self._policy = policy
        self._rules = EffectiveRules(objects.roles)
        self._gap_finder = GapFinder(Sensitivity(policy, target, gated=objects.gated))

    def findings(self) -> Iterator[RbacFinding]:
        for binding in self._objects.bindings:
            role = self._objects.roles.get(binding.role_key)
            for subject in dict.fromkeys(binding.subjects):
                if not is_stock(binding, subject):
                    yield from self._of(binding, role, subject)

    def _of(self, binding: Binding, role: Role | None, subject: Subject) -> Iterator[RbacFinding]:
        category = category_of(subject, self._policy)
        if category.who is Who.MASTERS:
            if role is not None and role.name == CLUSTER_ADMIN:
                yield RbacFinding(code="system-masters", severity=LOW, subject=subject, binding=binding, role=role)
            return
        if role is None:
            yield RbacFinding(code="dangling-role", severity=LOW, subject=subject, binding=binding, role=None)
            return
        if category.who is Who.LEVEL:
            yield RbacFinding(
                code="level-grants", severity=HIGH, subject=subject, binding=binding, role=role, level=category.level
            )
            return
        if category.who is Who.PRETENDER:
            yield RbacFinding(code="pretended-level", severity=MEDIUM, subject=subject, binding=binding, role=role)
        gaps = self._gap_finder.of_role(role.key, self._rules.of(role), binding.namespace, category)
        yield from self._findings_of(_Bound(binding, role, subject), gaps, category)

    def _findings_of(self, bound: _Bound, gaps: Sequence[Gap], category: Category) -> Iterator[RbacFinding]:
        if category.who is Who.ACCOUNT:
            yield from self._of_account(bound, gaps)
        elif category.who is Who.ELEVATED and category.level is not None:
            reached = self._policy.rank(category.level)
            # Where RBAC cannot separate a power from everyday work, all of that work would need the stronger level.
            too_low = [gap for gap in gaps if gap.need.rank > reached and gap.reach.narrows]
            yield from bound.folded("level-too-low", too_low)
        elif category.who is Who.ANONYMOUS:
            yield from bound.folded("open-to-anonymous", gaps, severity=CRITICAL)
        elif category.who is Who.EVERYONE:
            worst = max((gap.severity for gap in gaps), key=rank, default=HIGH)
            yield from bound.folded("open-to-everyone", gaps, severity=max(worst, HIGH, key=rank))
        else:
            yield from bound.by_rule(gaps)

    def _of_account(self, bound: _Bound, gaps: Sequence[Gap]) -> Iterator[RbacFinding]:
        """Return one finding for what a service account can do: neither it nor whoever acts as it steps up."""
        accounts = self._objects.service_accounts
        subject = bound.subject
        account = None if accounts is None else accounts.get((subject.namespace, subject.name))
        worst = max((gap.severity for gap in gaps), key=rank, default=LOW)
        if accounts is not None and account is None:
            note = f"there is none of this name: whoever may create service accounts in {subject.namespace} becomes it"
            yield bound.finding("dangling-service-account", gaps, severity=worst, note=note)
            return
        is_default = subject.name == "default"
        note = ""
        if account is not None and account.automounts:
            note = "its token is mounted into every pod that runs as it and does not refuse"
        code = "powerful-default-service-account" if is_default else "powerful-service-account"
        # Few people may start pods everywhere, so it is less severe than a right of people, but never low.
        lower = max(lowered(worst), min(worst, MEDIUM, key=rank), key=rank)
        yield from bound.folded(code, gaps, severity=worst if is_default else lower, note=note)


class _Bound:
    """One subject of one binding, and the findings about it."""

    def __init__(self, binding: Binding, role: Role, subject: Subject) -> None:
        self.binding, self.role, self.subject = binding, role, subject

    def finding(self, code: str, gaps: Sequence[Gap], *, severity: str, note: str = "") -> RbacFinding:
        codes = dict.fromkeys(gap.reach.power.code for gap in gaps)
        needs = [gap.need for gap in gaps]
        return RbacFinding(
            code=code,
            severity=severity,
            subject=self.subject,
            binding=self.binding,
            role=self.role,
            rules=_unique(gap.effective for gap in gaps),
            reaches=() if list(codes) == [code] else tuple(codes),
            actions=tuple(sorted({action for gap in gaps for action in gap.reach.power.actions})),
            level=max(needs, key=lambda need: need.rank).level if needs else None,
            asked_by=tuple(dict.fromkeys(rule for need in needs for rule in need.rules)),
            note=note,
        )

    def folded(
        self, code: str, gaps: Sequence[Gap], *, severity: str | None = None, note: str = ""
    ) -> Iterator[RbacFinding]:
        """Return all gaps as one finding, with the worst of their severities unless `severity` is given."""
        if gaps:
            worst = max((gap.severity for gap in gaps), key=rank)
            yield self.finding(code, gaps, severity=severity or worst, note=note)

    def by_rule(self, gaps: Sequence[Gap]) -> Iterator[RbacFinding]:
        """Return one finding a power; what a wildcard gives is one finding about the wildcard."""
        grouped: dict[str, list[Gap]] = {}
        for gap in gaps:
            grouped.setdefault(_code(gap, self.role), []).append(gap)
        whole = _EVERY_OBJECT.intersection(grouped)
        for code, together in grouped.items():
            if not whole:
                yield from self.folded(code, together)
            elif code in whole:
                severity = CRITICAL if not self.binding.namespace else HIGH
                yield from self.folded(code, together, severity=severity)


def _code(gap: Gap, role: Role) -> str:
    rule = gap.effective.rule
    if gap.reach.power is URLS:
        return URLS.code
    if is_everything(rule):
        return CLUSTER_ADMIN if role.name == CLUSTER_ADMIN and role.kind == "ClusterRole" else EVERYTHING
    if ANYTHING in rule.verbs:
        return "wildcard-verbs"
    if ANYTHING in rule.resources:
        return "wildcard-resources"
    return "wildcard-groups" if ANYTHING in rule.api_groups else gap.reach.power.code


def is_everything(rule: RbacRule) -> bool:
    """Whether a rule allows every verb on every resource of every group."""
    return ANYTHING in rule.verbs and ANYTHING in rule.resources and ANYTHING in rule.api_groups


def _unique(rules: Iterable[EffectiveRule]) -> tuple[EffectiveRule, ...]:
    found = {(one.through[-1].key, one.index): one for one in rules}
    return tuple(found.values())
