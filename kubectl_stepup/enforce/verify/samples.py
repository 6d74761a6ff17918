"""Find what exists on a cluster, as far as the logins may see it: namespaces, and objects to try something on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup.enforce.verify.probes import KINDS, Sample
from kubectl_stepup.globs import matches_any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kubectl_stepup.enforce.verify.kubectl_as import KubectlAs
    from kubectl_stepup.policy.model import Rule

MOST_SAMPLED = 5
"""In how many namespaces objects are looked for; each costs one kubectl under one login."""

MOST_OF_A_KIND = 3


def namespaces(asking: Iterable[KubectlAs], rules: Sequence[Rule], *, own: str) -> tuple[str, ...]:
    """Return the namespaces that are known, those that rules speak of first, then the context's `own`."""
    listed = _names(asking, ("get", "namespaces", "-o", "name"))
    known = [one.partition("/")[2] for one in listed]
    literal = [name for rule in rules for name in rule.selector.namespaces if not set(name) & set("*?[")]
    # Where namespaces cannot be listed, a rule's own names may still exist.
    first = [name for name in literal if name in known or not known]
    spoken = [name for name in known if any(matches_any(name, rule.selector.namespaces) for rule in rules)]
    ordinary = [name for name in known if not name.startswith("kube-")]
    return tuple(dict.fromkeys([*first, own, *spoken, *ordinary, *known]))


def samples(asking: Sequence[KubectlAs], known: Sequence[str], rules: Sequence[Rule]) -> Iterator[Sample]:
    """Return objects to try something on, a few of each kind."""
    named = tuple(dict.fromkeys(kind for rule in rules for kind in _kinds_of(rule)))
    for namespace in known[:MOST_SAMPLED]:
        yield Sample(namespace=namespace, objects=_few(_in_namespace(asking, namespace, named)))
    everywhere = _names(asking, ("get", "nodes,customresourcedefinitions", "-o", "name"))
    yield Sample(namespace=None, objects=_few(everywhere))


def _in_namespace(asking: Sequence[KubectlAs], namespace: str, named: tuple[str, ...]) -> list[str]:
    where = ("-n", namespace, "-o", "name")
    found = _names(asking, ("get", ",".join((*KINDS, *named)), *where))
    # One kind that the server does not know, and kubectl gives none.
    return found or (_names(asking, ("get", ",".join(KINDS), *where)) if named else [])


def _kinds_of(rule: Rule) -> Iterator[str]:
    """Return the kinds that a rule names itself: there is nothing else to try those on."""
    for resource in rule.resources:
        kind = resource.partition("/")[0]
        if not set(kind) & set("*?["):
            yield from (f"{kind}.{group}" if group and "*" not in group else kind for group in rule.api_groups or ("",))


def _few(objects: Sequence[str]) -> tuple[str, ...]:
    by_kind: dict[str, list[str]] = {}
    for one in dict.fromkeys(objects):
        by_kind.setdefault(one.partition("/")[0], []).append(one)
    return tuple(one for several in by_kind.values() for one in several[:MOST_OF_A_KIND])


def _names(asking: Iterable[KubectlAs], words: tuple[str, ...]) -> list[str]:
    """Return the names that the first login sees which sees any; kubectl prints what it may, whatever else fails."""
    for ask in asking:
        lines = [line for line in ask(words).out.splitlines() if "/" in line]
        if lines:
            return lines
    return []
