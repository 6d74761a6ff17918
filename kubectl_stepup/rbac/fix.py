"""Make the objects that close gaps: everyday roles, roles for derived groups, and bindings without the old grant.

Existing roles are never changed, as others may be bound to them. An affected subject is bound to narrowed copies and
removed from the old binding, which stays for its other subjects. Applying the former objects takes it all back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_stepup.enforce.names import PREFIX, derived_group
from kubectl_stepup.names import OWN_GROUP
from kubectl_stepup.rbac.aggregation import EffectiveRules
from kubectl_stepup.rbac.gaps import GapFinder
from kubectl_stepup.rbac.model import RBAC
from kubectl_stepup.rbac.narrowing import Parts, parts_of
from kubectl_stepup.rbac.powers import ANYTHING
from kubectl_stepup.rbac.sensitivity import Sensitivity
from kubectl_stepup.rbac.subjects import Who, category_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from kubectl_stepup.policy.model import Policy, Target
    from kubectl_stepup.rbac.finding import RbacFinding
    from kubectl_stepup.rbac.model import Binding, RbacObjects, RbacRule, Role, Subject
    from kubectl_stepup.rbac.subjects import Category

FROM = f"{OWN_GROUP}/narrowed-from"
_NARROWED = frozenset({Who.PERSON, Who.ELEVATED})
_DROPPED = frozenset({"open-to-anonymous", "open-to-everyone", "level-grants", "pretended-level"})
_DANGLING = frozenset({"dangling-role", "dangling-service-account"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """An object to apply (None: only comments), and the comments above it, one a line."""

    comments: tuple[str, ...]
    manifest: dict[str, Any] | None = None


def fixes(findings: Iterable[RbacFinding], objects: RbacObjects, policy: Policy, target: Target) -> tuple[Piece, ...]:
    """Return what to apply, in order: new roles, new bindings, then the old bindings with their remaining subjects."""
    fixing = _Fixing(objects, policy, target)
    by_binding: dict[tuple[str, str, str], list[RbacFinding]] = {}
    for finding in findings:
        key = (finding.binding.kind, finding.binding.namespace, finding.binding.name)
        by_binding.setdefault(key, []).append(finding)
    for together in by_binding.values():
        fixing.close(together[0].binding, together)
    return (*fixing.roles.values(), *fixing.bindings.values(), *fixing.old, *fixing.words)


class _Fixing:
    def __init__(self, objects: RbacObjects, policy: Policy, target: Target) -> None:
        self._objects = objects
        self._policy = policy
        self._rules = EffectiveRules(objects.roles)
        self._gap_finder = GapFinder(Sensitivity(policy, target, gated=objects.gated))
        self._parts: dict[tuple[object, ...], Parts] = {}
        self.roles: dict[tuple[str, str, str], Piece] = {}
        self.bindings: dict[tuple[str, str, str], Piece] = {}
        self.old: list[Piece] = []
        self.words: list[Piece] = []

    def close(self, binding: Binding, findings: Sequence[RbacFinding]) -> None:
        """Close the gaps of one binding."""
        leaving: dict[Subject, str] = {}
        for subject in dict.fromkeys(finding.subject for finding in findings):
            codes = {finding.code for finding in findings if finding.subject == subject}
            if codes & (_DROPPED | _DANGLING):
                leaving[subject] = f"{subject} is left out: {', '.join(sorted(codes & (_DROPPED | _DANGLING)))}"
            elif self._is_narrowed(binding, subject):
                leaving[subject] = f"{subject} is bound to narrowed roles instead"
            elif codes != {"system-masters"}:
                why = "no role can be narrowed for it" if self._is_person(subject) else "machines do not step up"
                told = f"{binding} ({binding.namespace or 'cluster'}), {subject}: {', '.join(sorted(codes))}: {why}"
                self.words.append(Piece(comments=(told,)))
        if leaving:
            left = [subject for subject in binding.subjects if subject not in leaving]
            self.old.append(Piece(comments=tuple(leaving.values()), manifest=_rebound(binding, left)))

    def _is_person(self, subject: Subject) -> bool:
        return category_of(subject, self._policy).who in _NARROWED

    def _is_narrowed(self, binding: Binding, subject: Subject) -> bool:
        """Bind a subject to narrowed roles; return whether there was anything to narrow."""
        category = category_of(subject, self._policy)
        role = self._objects.roles.get(binding.role_key)
        if category.who not in _NARROWED or role is None:
            return False
        parts = self._parts_of(role, binding.namespace, category)
        wild = any(ANYTHING in rule.urls for rule in (one.rule for one in self._rules.of(role)))
        if not parts.by_level and not wild:
            return False
        everyday = f"at-{category.level}" if category.level else "everyday"
        self._bind(binding, role, everyday, parts.everyday, [subject], _everyday_words(role, self._rules_of(role)))
        for level, rules in parts.by_level.items():
            derived = _derived(subject, level)
            words = [f"The part of {role.kind}/{role.name} that needs {level} first."]
            if derived is None:
                words.append(
                    f"{subject} is no group, so no group can be derived from it: put it into a group, and bind"
                )
                words.append(f"the group {derived_group(level, 'GROUP')} to this role.")
            self._bind(binding, role, f"stepup-{level}", rules, [derived] if derived else [], words)
        return True

    def _rules_of(self, role: Role) -> list[RbacRule]:
        return [one.rule for one in self._rules.of(role)]

    def _parts_of(self, role: Role, namespace: str, category: Category) -> Parts:
        key = (role.key, namespace, category)
        if key not in self._parts:
            reached = self._policy.rank(category.level) if category.level else -1
            rules = self._rules_of(role)
            self._parts[key] = parts_of(rules, namespace, category, gap_finder=self._gap_finder, reached=reached)
        return self._parts[key]

    def _bind(
        self,
        binding: Binding,
        role: Role,
        suffix: str,
        rules: Sequence[RbacRule],
        subjects: Sequence[dict[str, str] | Subject],
        words: Iterable[str],
    ) -> None:
        """Add a narrowed role, once, and a binding to it."""
        if not rules:
            return
        kind = "Role" if binding.namespace else "ClusterRole"
        key = (kind, binding.namespace, self._free_name(kind, binding.namespace, f"{role.name}-{suffix}"))
        source = {FROM: f"{role.kind}/{role.name}"}
        if key not in self.roles:
            made = {**_head(*key, annotations=source), "rules": [_rule(rule) for rule in rules]}
            self.roles[key] = Piece(comments=tuple(words), manifest=made)
        if subjects:
            head = _head(binding.kind, binding.namespace, f"{binding.name}-{suffix}", annotations=source)
            self._add_binding(head, key, [_subject(one) for one in subjects])

    def _free_name(self, kind: str, namespace: str, wanted: str) -> str:
        name, number = wanted, 1
        while (kind, namespace, name) in self._objects.roles:
            number += 1
            name = f"{wanted}-{number}"
        return name

    def _add_binding(self, head: dict[str, Any], role: tuple[str, str, str], subjects: list[dict[str, str]]) -> None:
        key = (head["kind"], head["metadata"].get("namespace", ""), head["metadata"]["name"])
        if key not in self.bindings:
            made = {**head, "roleRef": {"apiGroup": RBAC, "kind": role[0], "name": role[2]}, "subjects": []}
            self.bindings[key] = Piece(comments=(), manifest=made)
        found = (self.bindings[key].manifest or {})["subjects"]
        found += [one for one in subjects if one not in found]


def _everyday_words(role: Role, rules: Iterable[RbacRule]) -> Iterator[str]:
    yield f"{role.kind}/{role.name} without what the policy requires a step-up for."
    if any(ANYTHING in (*rule.resources, *rule.api_groups) for rule in rules):
        yield "The wildcards of that role included custom resources: add those that are used by name."


def _derived(subject: Subject, level: str) -> dict[str, str] | None:
    if subject.kind != "Group":
        return None
    group = subject.name
    if group.startswith(PREFIX):
        group = group.removeprefix(PREFIX).partition(":")[2]
    return {"apiGroup": RBAC, "kind": "Group", "name": derived_group(level, group)}


def _rebound(binding: Binding, subjects: Iterable[Subject]) -> dict[str, Any]:
    head = _head(binding.kind, binding.namespace, binding.name, labels=dict(binding.labels))
    role = {"apiGroup": RBAC, "kind": binding.role_kind, "name": binding.role_name}
    return {**head, "roleRef": role, "subjects": [_subject(one) for one in subjects]}


def _head(kind: str, namespace: str, name: str, **more: dict[str, str]) -> dict[str, Any]:
    place = {"namespace": namespace} if namespace else {}
    metadata = {"name": name, **place, **{key: value for key, value in more.items() if value}}
    return {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": metadata}


def _subject(subject: Subject | dict[str, str]) -> dict[str, str]:
    if isinstance(subject, dict):
        return subject
    if subject.kind == "ServiceAccount":
        return {"kind": subject.kind, "name": subject.name, "namespace": subject.namespace}
    return {"apiGroup": RBAC, "kind": subject.kind, "name": subject.name}


def _rule(rule: RbacRule) -> dict[str, list[str]]:
    found = {
        "apiGroups": rule.api_groups,
        "resources": rule.resources,
        "resourceNames": rule.resource_names,
        "nonResourceURLs": rule.urls,
        "verbs": rule.verbs,
    }
    return {key: list(value) for key, value in found.items() if value}
