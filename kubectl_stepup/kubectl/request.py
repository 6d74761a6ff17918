"""One request that a command would send, and the objects that a command names."""

from __future__ import annotations

from kubectl_stepup.kubectl.resources import UNKNOWN, Resource, resource_in_path, resources_named
from kubectl_stepup.values import Record

READS = frozenset({"get", "list", "watch"})

# What is known of a request beyond its attributes; the action table asks for these.
SCALES_TO_ZERO = "scales-to-zero"
ROLLS_BACK = "rolls-back"
PAUSES = "pauses"
CORDONS = "cordons"
UNCORDONS = "uncordons"
DEBUGS_NODE = "debugs-node"
MINTS = "mints"
RUNS_AS = "runs-as"
RAW = "raw"
BULK_READ = "bulk-read"
PROXIES = "proxies"
MAY_PROXY = "may-proxy"
UNREAD = "unread"
ASKS = "asks"
SHOWS_CREDENTIALS = "shows-credentials"


NAMESPACE_PARTS = ("status", "finalize")
"""The subresources of a namespace: what else follows its name in a path is a resource in it."""

_NAMESPACE = resources_named("namespaces")[0]


class ObjectRef(Record):
    """An object, or all objects of a resource (`name` None), that a command names.

    `namespace` is None where the command does not say. `marks` are facts that a manifest's content shows.
    """

    resource: Resource
    name: str | None = None
    namespace: str | None = None
    marks: frozenset[str] = frozenset()


class ResourceAttributes(Record):
    """What the API server would be asked for.

    `resource.group` and `resource.name` are `*` where they are not known; `name` is None for a whole collection, and
    where it is not known; `namespace` is None where the command does not say. `everywhere`: in no one namespace.

    Spec: authorization.k8s.io/v1 SubjectAccessReview `resourceAttributes`.
    """

    verb: str
    resource: Resource = UNKNOWN
    subresource: str = ""
    namespace: str | None = None
    everywhere: bool = False
    name: str | None = None
    marks: frozenset[str] = frozenset()

    def to_json(self) -> dict[str, str | None]:
        """Return the object of `policy check -o json`."""
        return {
            "verb": self.verb,
            "apiGroup": self.resource.group,
            "resource": self.resource.name,
            "subresource": self.subresource,
            "namespace": self.namespace,
            "name": self.name,
        }

    def describe(self) -> str:
        """Say it in a few words: `delete pods/web-0 in namespace prod`."""
        name = f"/{self.name}" if self.name else ""
        kind = "any resource" if self.resource.name == UNKNOWN.name else self.resource.name
        subresource = f" ({self.subresource})" if self.subresource else ""
        where = f" in namespace {self.namespace}" if self.namespace else ""
        return f"{self.verb} {kind}{name}{subresource}{where}"


def request(
    verb: str, target: ObjectRef, *, subresource: str = "", marks: frozenset[str] = frozenset()
) -> ResourceAttributes:
    """Return the request that does `verb` to an object."""
    resource = target.resource
    if subresource and subresource not in NAMESPACE_PARTS and resource == _NAMESPACE:
        return _in_namespace(verb, target, subresource, marks)
    everywhere = resource.namespaced is False
    namespace = None if everywhere else target.namespace
    # In the order of the fields: a command can name thousands of objects.
    return ResourceAttributes.of_values(
        (verb, resource, subresource, namespace, everywhere, target.name, marks | target.marks)
    )


def _in_namespace(verb: str, namespace: ObjectRef, resource: str, marks: frozenset[str]) -> ResourceAttributes:
    """Return what `get namespace NAME --subresource=secrets` asks for: the secrets of that namespace.

    Spec: k8s.io/apiserver `request.RequestInfoFactory`.
    """
    return ResourceAttributes(
        verb="list" if verb == "get" else verb,
        resource=resource_in_path("", resource),
        namespace=namespace.name,
        everywhere=namespace.name is None,
        marks=marks | namespace.marks,
    )
