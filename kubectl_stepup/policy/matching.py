"""Match one rule with one request. What is not known matches every include and no exclude."""

from __future__ import annotations

from kubectl_stepup.globs import matches, matches_any, may_begin
from kubectl_stepup.kubectl.request import PROXIES
from kubectl_stepup.kubectl.resources import ANY, is_built_in, plural

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_stepup.kubectl.command import KubectlCommand
    from kubectl_stepup.kubectl.request import ResourceAttributes
    from kubectl_stepup.kubectl.resources import Resource
    from kubectl_stepup.policy.evaluate import RequestFacts
    from kubectl_stepup.policy.model import Rule, Selector, Target, Where

SAME_VERB = {"patch": "update", "deletecollection": "delete"}
"""Admission control sees one operation for each of these pairs, so a rule that names one means both."""


def resolved(command: KubectlCommand, target: Target) -> tuple[ResourceAttributes, ...]:
    """Return the command's requests with the target's namespace where they say none."""
    if target.namespace is None or command.all_namespaces:
        return command.requests
    return tuple(
        entry.replace(namespace=target.namespace) if _is_in_default_namespace(entry) else entry
        for entry in command.requests
    )


def _is_in_default_namespace(entry: ResourceAttributes) -> bool:
    """Whether the context's namespace counts; an unread manifest may name its own."""
    return entry.namespace is None and not entry.everywhere and entry.resource.name != ANY


def facts_match(where: Where, facts: RequestFacts) -> bool:
    """Whether the facts are what a rule's `where` asks for."""
    if where.all is not None and where.all != facts.all:
        return False
    if where.force is not None and where.force != facts.force:
        return False
    if where.dry_run and facts.dry_run not in where.dry_run:
        return False
    return where.objects is None or facts.object_count is None or facts.object_count >= where.objects


def request_matches(rule: Rule, entry: ResourceAttributes, actions: frozenset[str], target: Target) -> bool:
    """Whether a rule is about a request, which is these `actions`."""
    if rule.published is not None and target.unenrolled:
        return False
    named = rule.actions & actions if rule.actions else _is_named(rule, entry)
    if not named or not _selects(rule.selector, entry, target, unknown=True):
        return False
    # NOTE: no generator where there is nothing to go through: a policy may have ten thousand rules that get here.
    return not rule.excluded or not any(_selects(one, entry, target, unknown=False) for one in rule.excluded)


def _is_named(rule: Rule, entry: ResourceAttributes) -> bool:
    """Whether the rule's verbs, groups and resources name the request, as those of a Kubernetes rule would.

    Spec: admissionregistration.k8s.io/v1 RuleWithOperations: `*` is all resources, without their subresources.
    """
    verb = SAME_VERB.get(entry.verb, entry.verb)
    verbs = {SAME_VERB.get(name, name) for name in rule.verbs}
    if verb not in verbs and ANY not in verbs and PROXIES not in entry.marks:
        return False
    group = entry.resource.group
    if group != ANY and rule.api_groups and not _may_be_in(entry.resource, rule.api_groups):
        return False
    return not rule.resources or any(_is_resource(entry, pattern) for pattern in rule.resources)


def _may_be_in(resource: Resource, groups: Iterable[str]) -> bool:
    """Whether a resource may be in one of the groups: kubectl takes the beginning of a group for all of it.

    The table has the whole group of a built-in resource; of a custom one there is what was typed.
    """
    if matches_any(resource.group, groups):
        return True
    return not resource.built_in and any(may_begin(resource.group, pattern) for pattern in groups)


def _is_resource(entry: ResourceAttributes, pattern: str) -> bool:
    if entry.resource.name == ANY:
        return True
    name, slash, subresource = pattern.partition("/")
    if bool(slash) != bool(entry.subresource) or (slash and not matches(entry.subresource, subresource)):
        return False
    if entry.resource.built_in or entry.resource.described:
        return matches(entry.resource.name, name)
    return _may_be(entry.resource, name)


def _may_be(resource: Resource, pattern: str) -> bool:
    """Whether a custom resource, as it was typed, may be the rule's.

    Typed with its group, the word is a singular, a plural or a short name of one of the group's few resources, and so
    it is without the group: only a rule about built-in resources is certain not to mean it.
    """
    if matches(resource.name, pattern) or matches(plural(resource.name), pattern):
        return True
    return not is_built_in(pattern)


def _selects(selector: Selector, entry: ResourceAttributes, target: Target, *, unknown: bool) -> bool:
    """Whether all fields of a selector match; `unknown` is the answer where something is not known."""
    return (
        (not selector.clusters or _known_or(target.cluster, selector.clusters, unknown))
        and (not selector.labels or _labels_match(selector, target, unknown))
        and (not selector.namespaces or _known_or(namespace_of(entry), selector.namespaces, unknown))
        and (not selector.names or _known_or(entry.name, selector.names, unknown))
    )


def _known_or(value: str | None, patterns: Iterable[str], unknown: bool) -> bool:
    return unknown if value is None else matches_any(value, patterns)


def _labels_match(selector: Selector, target: Target, unknown: bool) -> bool:
    if target.labels is None:
        return unknown
    labels = target.labels
    return all(key in labels and matches_any(labels[key], patterns) for key, patterns in selector.labels)


def namespace_of(entry: ResourceAttributes) -> str | None:
    """Return the namespace that selectors see.

    A Namespace object's is its name; a cluster-scoped object has none, and `-n` does not give it one: nor a custom
    resource, of which nobody here knows whether it is cluster-scoped.
    """
    if (entry.resource.group, entry.resource.name) == ("", "namespaces"):
        return entry.name
    return entry.namespace if entry.resource.namespaced else None
