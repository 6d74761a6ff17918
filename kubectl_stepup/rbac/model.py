"""The RBAC of a cluster as values.

Spec: rbac.authorization.k8s.io/v1 Role, ClusterRole, RoleBinding, ClusterRoleBinding; v1 ServiceAccount.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

RBAC = "rbac.authorization.k8s.io"
STOCK_LABEL = "kubernetes.io/bootstrapping"
STOCK_VALUE = "rbac-defaults"

RoleKey = tuple[str, str, str]
"""Kind, namespace (empty for a ClusterRole) and name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLocation:
    """Where an object or a rule is in a file; `line` counts from 1, None: unknown."""

    file: str
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RbacRule:
    """A PolicyRule: `verbs` on `resources` (`name`, `name/subresource`) of `api_groups`, or on `urls`."""

    verbs: tuple[str, ...]
    api_groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    location: FileLocation | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSelector:
    """One of a ClusterRole's `clusterRoleSelectors`; every requirement must be met.

    `requirements` are (key, operator, values); matchLabels are `In` with one value.
    """

    requirements: tuple[tuple[str, str, tuple[str, ...]], ...]

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels meet every requirement (apimachinery LabelSelector)."""
        return all(_meets(labels, *one) for one in self.requirements)


def _meets(labels: Mapping[str, str], key: str, operator: str, values: tuple[str, ...]) -> bool:
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    is_one = key in labels and labels[key] in values
    return not is_one if operator == "NotIn" else is_one


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A Role, or a ClusterRole (`namespace` empty); `selectors` is None where it is not aggregated."""

    kind: str
    name: str
    namespace: str = ""
    rules: tuple[RbacRule, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    selectors: tuple[LabelSelector, ...] | None = None
    location: FileLocation | None = field(default=None, compare=False)

    @property
    def key(self) -> RoleKey:
        """Return the key by which bindings name it."""
        return (self.kind, self.namespace, self.name)

    @property
    def is_stock(self) -> bool:
        """Whether the API server creates, and repairs, this role by itself."""
        return self.labels.get(STOCK_LABEL) == STOCK_VALUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who is bound; only a ServiceAccount has a `namespace`."""

    kind: str
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A RoleBinding, or a ClusterRoleBinding (`namespace` empty)."""

    kind: str
    name: str
    namespace: str = ""
    role_kind: str
    role_name: str
    subjects: tuple[Subject, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    location: FileLocation | None = field(default=None, compare=False)

    @property
    def role_key(self) -> RoleKey:
        """Return the key of the role that it names."""
        return (self.role_kind, self.namespace if self.role_kind == "Role" else "", self.role_name)

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAccount:
    """A service account; `automounts` unless it says that its token is not mounted into pods."""

    namespace: str
    name: str
    automounts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RbacObjects:
    """Everything that was read; `service_accounts` is None where they were not.

    `gated` are the policy's rules that an admission policy of ours enforces.
    """

    roles: Mapping[RoleKey, Role] = field(default_factory=dict)
    bindings: tuple[Binding, ...] = ()
    service_accounts: Mapping[tuple[str, str], ServiceAccount] | None = None
    gated: frozenset[str] = frozenset()
