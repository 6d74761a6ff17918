"""Resources that are not built into Kubernetes, as the cluster itself describes them."""

from __future__ import annotations

from kubectl_stepup.kubectl.patches import possible_marks
from kubectl_stepup.kubectl.request import ASKS, RAW
from kubectl_stepup.kubectl.resource_table import CATEGORIES
from kubectl_stepup.kubectl.resources import ANY, UNKNOWN, Resource, names_of, resource_in_path
from kubectl_stepup.values import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kubectl_stepup.kubectl.command import KubectlCommand
    from kubectl_stepup.kubectl.request import ResourceAttributes


_WITH_A_BODY = ("create", "update", "patch")


class APIResource(Record):
    """What a cluster says about a resource.

    Spec: meta/v1 APIResource.
    """

    group: str
    name: str
    kind: str
    namespaced: bool
    singular: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


class NamedTable(Record):
    """What a directory says that the command line or the environment names (`--cache-dir`, `$KUBECACHEDIR`).

    Not `complete`: it may say more than what could be read of it.
    """

    resources: tuple[APIResource, ...]
    complete: bool


def has_unknown(command: KubectlCommand) -> bool:
    """Whether the command names resources that only the cluster can explain."""
    return any(_is_unknown(entry.resource) for entry in command.requests)


def with_discovered(command: KubectlCommand, found: Iterable[APIResource]) -> KubectlCommand:
    """Return the command with the resources that the cluster knows by the words that were typed.

    A word that means several resources is all of them; one that the cluster does not know stays unknown.
    """
    rows = tuple(found)
    return command.replace(requests=tuple(known for entry in command.requests for known in _known(entry, rows)))


def with_named(command: KubectlCommand, typed: KubectlCommand, table: NamedTable) -> KubectlCommand:
    """Return the command with all that its words, as they were `typed`, could mean by a table that the caller named.

    What they mean without it stays: such a table makes no request harmless. By one that may say more, and for a row
    that is no resource's, a word means anything.
    """
    also = [more for entry in typed.requests for more in _also(entry, table)]
    return command.replace(requests=tuple(dict.fromkeys((*command.requests, *also))))


def _also(entry: ResourceAttributes, table: NamedTable) -> Iterator[ResourceAttributes]:
    # A path, an identity and a question to the server are sent as they are, by no table.
    if entry.marks & {RAW, ASKS} or entry.verb == "impersonate" or entry.resource.name == ANY:
        return
    if not table.complete:
        yield entry.replace(resource=UNKNOWN, namespace=None, everywhere=True)
    words = set(names_of(entry.resource))
    for one in table.resources:
        if words.intersection(_words(one)):
            yield _request_for(entry, one)


def _is_unknown(resource: Resource) -> bool:
    return not resource.built_in and not resource.described and resource.name != ANY


def _known(entry: ResourceAttributes, found: Sequence[APIResource]) -> Iterator[ResourceAttributes]:
    if not _is_unknown(entry.resource):
        yield entry
        return
    means = [one for one in found if _is_meant(entry.resource, one)]
    # What of a category is built in is among the requests already.
    added = means if entry.resource.name not in CATEGORIES else [one for one in means if not _built_in(one).built_in]
    for one in added:
        yield _request_for(entry, one)
    # A category that we know has nothing more in it where the cluster names nothing more.
    if not means and entry.resource.name not in CATEGORIES:
        yield entry


def _request_for(entry: ResourceAttributes, one: APIResource) -> ResourceAttributes:
    """Return the request for a resource as a table describes it: anything where the name is none of a resource."""
    if not one.name.isascii() or not one.name.replace("-", "").replace(".", "").isalnum() or one.name.startswith("."):
        return entry.replace(resource=UNKNOWN, namespace=None, everywhere=True)
    known = _built_in(one)
    if known.built_in:
        if entry.verb in _WITH_A_BODY and (known.group, known.name) != (entry.resource.group, entry.resource.name):
            entry = entry.replace(marks=entry.marks | possible_marks(known))  # the body was read as that of another
        resource = known.replace(namespaced=one.namespaced)
    else:
        resource = Resource(group=one.group, name=one.name, kind=one.kind, namespaced=one.namespaced, described=True)
    if one.namespaced:
        return entry.replace(resource=resource)
    return entry.replace(resource=resource, namespace=None, everywhere=True)


def _built_in(one: APIResource) -> Resource:
    """Return the built-in resource that a row is about: the path of a request is in lower case."""
    return resource_in_path(one.group, one.name.lower())


def _words(one: APIResource) -> tuple[str, ...]:
    """Return the words that mean a resource, or all of its category."""
    return tuple(word.lower() for word in (one.name, one.singular, one.kind, *one.short_names, *one.categories))


def _is_meant(resource: Resource, one: APIResource) -> bool:
    """Whether a word with what may follow it, or a manifest's kind, means a resource of the cluster.

    Spec: cli-runtime's shortcut and category expanders and apimachinery's `meta.PriorityRESTMapper`.
    """
    if resource.kind:
        return (resource.group, resource.kind) == (one.group, one.kind)
    return resource.name in _words(one) and (resource.group == ANY or one.group.startswith(resource.group))
