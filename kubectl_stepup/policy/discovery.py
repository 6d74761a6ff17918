"""Resources that are not built into Kubernetes, as the cluster itself describes them."""

from __future__ import annotations

from kubectl_stepup.policy.record import Record
from kubectl_stepup.policy.resource_table import CATEGORIES
from kubectl_stepup.policy.resources import ANY, Resource, resource_in_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kubectl_stepup.policy.command import KubectlCommand
    from kubectl_stepup.policy.request import ResourceAttributes


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


def has_unknown(command: KubectlCommand) -> bool:
    """Tell whether the command names resources that only the cluster can explain."""
    return any(_is_unknown(entry.resource) for entry in command.requests)


def with_discovered(command: KubectlCommand, found: Iterable[APIResource]) -> KubectlCommand:
    """Give the command with the resources that the cluster knows by the words that were typed.

    A word that means several resources is all of them; one that the cluster does not know stays unknown.
    """
    own = [one for one in found if not resource_in_path(one.group, one.name).built_in]
    return command.replace(requests=tuple(known for entry in command.requests for known in _known(entry, own)))


def _is_unknown(resource: Resource) -> bool:
    return not resource.built_in and not resource.described and resource.name != ANY


def _known(entry: ResourceAttributes, found: Sequence[APIResource]) -> Iterator[ResourceAttributes]:
    if not _is_unknown(entry.resource):
        yield entry
        return
    means = [one for one in found if _is_meant(entry.resource, one)]
    for one in means:
        resource = Resource(group=one.group, name=one.name, kind=one.kind, namespaced=one.namespaced, described=True)
        if one.namespaced:
            yield entry.replace(resource=resource)
        else:
            yield entry.replace(resource=resource, namespace=None, everywhere=True)
    # A category that we know has nothing more in it where the cluster names nothing more.
    if not means and entry.resource.name not in CATEGORIES:
        yield entry


def _is_meant(resource: Resource, one: APIResource) -> bool:
    """Tell whether a word with what may follow it, or a manifest's kind, means a resource of the cluster.

    Spec: cli-runtime's shortcut and category expanders and apimachinery's `meta.PriorityRESTMapper`.
    """
    if resource.kind:
        return (resource.group, resource.kind) == (one.group, one.kind)
    names = (one.name, one.singular, one.kind.lower(), *one.short_names, *one.categories)
    return resource.name in names and (resource.group == ANY or one.group.startswith(resource.group))
