"""Find the resource that a word on kubectl's command line, or a manifest's kind, means."""

from __future__ import annotations

from kubectl_stepup.kubectl.resource_table import BUILT_IN, CATEGORIES
from kubectl_stepup.values import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

ANY = "*"
"""A group or resource that is not known; it stands for all of them."""


class Resource(Record):
    """A resource of the API.

    A custom one is spelled as the command line spells it (`name` may be its singular, or short, name, or a category)
    and its `group` is `*` where the word does not say, unless the cluster has `described` it. `namespaced` is None
    where it is not known.
    """

    group: str
    name: str
    kind: str = ""
    namespaced: bool | None = None
    built_in: bool = False
    described: bool = False


UNKNOWN = Resource(group=ANY, name=ANY)
"""Any resource at all: a manifest that nobody has read."""


def resources_named(word: str) -> tuple[Resource, ...]:
    """Return what a TYPE argument means: a category is several.

    kubectl reads plural, singular and short names and kinds in any case, with `.group`, the beginning of a group, or
    `.version.group` after it; an empty group (`roles.`, `roles.v1.`) is any, the core one first. A word that is no
    built-in name is a custom resource: of a type nobody knows, so that it matches whatever rules say about custom
    resources, and nothing that they say about built-in ones. A category may have custom resources in it too.
    """
    lower = word.lower()
    if lower in CATEGORIES:
        own = (Resource(group=ANY, name=lower),)
        return (*(found for name in CATEGORIES[lower].split() for found in resources_named(name)), *own)
    head, dot, rest = lower.partition(".")
    group = (_group(rest) if dot else "") or ANY
    for candidate in _by_name().get(head, ()):
        if group == ANY or candidate.group.startswith(group):
            return (candidate,)
    return (Resource(group=group, name=head),)


def resource_of_kind(group: str, kind: str) -> Resource:
    """Return the resource of a manifest's `apiVersion` group and `kind`; a custom one gets the usual plural."""
    for candidate in _by_name().get(kind.lower(), ()):
        if candidate.group == group and candidate.kind == kind:
            return candidate
    return Resource(group=group, name=plural(kind.lower()), kind=kind)


def resource_in_path(group: str, name: str) -> Resource:
    """Return the resource of a URL's group and plural name."""
    for candidate in _by_name().get(name.lower(), ()):
        if candidate.group == group and candidate.name == name.lower():
            return candidate
    return Resource(group=group, name=name)


def names_of(resource: Resource) -> tuple[str, ...]:
    """Return the words that mean a resource: of a built-in one all that there are, else what was typed, or its kind."""
    if resource.built_in:
        return tuple(name for name, found in _by_name().items() if resource in found)
    return (resource.name, *((resource.kind.lower(),) if resource.kind else ()))


def is_built_in(plural_name: str) -> bool:
    """Whether a built-in resource has this plural name, in any group."""
    return any(candidate.name == plural_name for candidate in _by_name().get(plural_name, ()))


def plural(singular: str) -> str:
    """Return the usual plural, as Kubernetes' own generator does.

    Spec: apimachinery's `meta.UnsafeGuessKindToResource`.
    """
    if singular.endswith("s"):
        return singular + "es"
    return singular[:-1] + "ies" if singular.endswith("y") else singular + "s"


def _group(rest: str) -> str:
    """Return the group in the text after a TYPE's first dot: `apps`, `v1.apps`; it may be empty."""
    first, _, after = rest.partition(".")
    return after if _is_version(first) else rest


def _is_version(text: str) -> bool:
    """Whether a word is an API version, such as v1 or v2beta3, and not the first word of a group."""
    number = text.replace("alpha", "").replace("beta", "")
    return number[:1] == "v" and number[1:].isdecimal()


_INDEX: dict[str, tuple[Resource, ...]] = {}


def _by_name() -> dict[str, tuple[Resource, ...]]:
    """Return all built-in resources by each of their names; made once."""
    if not _INDEX:
        for name, resource in _entries():
            if resource not in _INDEX.get(name, ()):
                _INDEX[name] = (*_INDEX.get(name, ()), resource)
    return _INDEX


def _entries() -> Iterator[tuple[str, Resource]]:
    for group, text in BUILT_IN.items():
        for entry in text.split():
            names, kind, *short = entry.split("/")
            plural_name = names.removesuffix("!")
            resource = Resource(
                group=group, name=plural_name, kind=kind, namespaced=not names.endswith("!"), built_in=True
            )
            for name in (plural_name, kind.lower(), *(short[0].split(",") if short else ())):
                yield name, resource
