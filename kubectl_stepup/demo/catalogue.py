"""The kinds that the cluster stand-in knows."""

from __future__ import annotations

from dataclasses import dataclass

_WRITE = ("create", "delete", "deletecollection", "patch", "update")
_READ = ("get", "list", "watch")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceKind:
    """One kind; `subresources` are names, each with its kind and verbs."""

    name: str
    resource: str
    group: str = ""
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[tuple[str, str, tuple[str, ...]], ...] = ()

    @property
    def singular(self) -> str:
        """Return the singular name."""
        return self.name.lower()

    @property
    def api_version(self) -> str:
        """Return `v1` or `apps/v1`."""
        return f"{self.group}/v1" if self.group else "v1"

    @property
    def verbs(self) -> tuple[str, ...]:
        """Return the verbs of the resource itself."""
        return tuple(sorted(_READ + _WRITE))

    def has_subresource(self, name: str) -> bool:
        """Whether there is such a subresource."""
        return any(known == name for known, _, _ in self.subresources)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewKind:
    """A resource that can only be created and is not kept."""

    name: str
    resource: str
    group: str


_STATUS = ("get", "patch", "update")

KINDS = (
    ResourceKind(name="Namespace", resource="namespaces", namespaced=False, short_names=("ns",)),
    ResourceKind(name="Node", resource="nodes", namespaced=False, short_names=("no",)),
    ResourceKind(
        name="Pod",
        resource="pods",
        short_names=("po",),
        categories=("all",),
        subresources=(
            ("attach", "PodAttachOptions", ("create", "get")),
            ("eviction", "Eviction", ("create",)),
            ("exec", "PodExecOptions", ("create", "get")),
            ("log", "Pod", ("get",)),
            ("portforward", "PodPortForwardOptions", ("create", "get")),
        ),
    ),
    ResourceKind(name="ConfigMap", resource="configmaps", short_names=("cm",)),
    ResourceKind(name="Secret", resource="secrets"),
    ResourceKind(name="Service", resource="services", short_names=("svc",), categories=("all",)),
    ResourceKind(name="ServiceAccount", resource="serviceaccounts", short_names=("sa",)),
    ResourceKind(name="Event", resource="events", short_names=("ev",)),
    ResourceKind(
        name="Deployment",
        resource="deployments",
        group="apps",
        short_names=("deploy",),
        categories=("all",),
        subresources=(("scale", "Scale", _STATUS),),
    ),
    ResourceKind(name="ReplicaSet", resource="replicasets", group="apps", short_names=("rs",), categories=("all",)),
)

REVIEWS = (
    ReviewKind(name="SelfSubjectReview", resource="selfsubjectreviews", group="authentication.k8s.io"),
    ReviewKind(name="SelfSubjectAccessReview", resource="selfsubjectaccessreviews", group="authorization.k8s.io"),
    ReviewKind(name="SelfSubjectRulesReview", resource="selfsubjectrulesreviews", group="authorization.k8s.io"),
)

GROUPS = ("", "apps", "authentication.k8s.io", "authorization.k8s.io")


def find_kind(group: str, resource: str) -> ResourceKind | None:
    """Return the kind of a resource."""
    return next((kind for kind in KINDS if (kind.group, kind.resource) == (group, resource)), None)


def find_review(group: str, resource: str) -> ReviewKind | None:
    """Return the review of a resource."""
    return next((review for review in REVIEWS if (review.group, review.resource) == (group, resource)), None)
