"""Role-based access control. Spec: rbac.authorization.k8s.io/v1."""

from __future__ import annotations

from dataclasses import dataclass

from kubectl_stepup.demo.api_request import APIRequest
from kubectl_stepup.demo.authentication import User
from kubectl_stepup.demo.statuses import StatusError, forbidden, forbidden_path

READ = ("get", "list", "watch")
WRITE = ("create", "update", "patch", "delete", "deletecollection")
_PUBLIC_PATHS = ("/version", "/healthz", "/livez", "/readyz")
_DISCOVERY = ("/api", "/apis", "/openapi")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGrant:
    """A role bound to a group; `namespaces` None means everywhere."""

    group: str
    verbs: tuple[str, ...]
    resources: tuple[str, ...]
    api_groups: tuple[str, ...] = ("",)
    namespaces: tuple[str, ...] | None = None

    def allows(self, request: APIRequest) -> bool:
        """Whether the role covers a request."""
        return (
            request.verb in self.verbs
            and request.group in self.api_groups
            and request.full_resource in self.resources
            and (self.namespaces is None or request.namespace in self.namespaces)
        )

    def rule(self) -> dict[str, object]:
        """Return the role as a SelfSubjectRulesReview shows it."""
        return {"verbs": list(self.verbs), "apiGroups": list(self.api_groups), "resources": list(self.resources)}


_SELF_REVIEWS = (
    RoleGrant(
        group="system:authenticated",
        verbs=("create",),
        resources=("selfsubjectreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews"),
        api_groups=("authentication.k8s.io", "authorization.k8s.io"),
    ),
)


def team_grants(group: str) -> tuple[RoleGrant, ...]:
    """Return the grants of a team: all ordinary work; a derived group reads secrets at level `mfa`."""
    readable = ("namespaces", "nodes", "pods", "pods/log", "configmaps", "services", "serviceaccounts", "events")
    writable = ("namespaces", "pods", "configmaps", "services", "serviceaccounts")
    apps = ("deployments", "deployments/scale", "replicasets")
    connect = ("pods/exec", "pods/attach", "pods/portforward", "pods/eviction")
    return (
        RoleGrant(group=group, verbs=READ, resources=readable),
        RoleGrant(group=group, verbs=WRITE, resources=writable),
        RoleGrant(group=group, verbs=READ + WRITE, resources=apps, api_groups=("apps",)),
        RoleGrant(group=group, verbs=("get", "create"), resources=connect),
        # An update or a patch returns the whole object, so whoever may change a secret may read it.
        RoleGrant(group=group, verbs=("create", "delete"), resources=("secrets",)),
        RoleGrant(group=f"stepup:mfa:{group}", verbs=(*READ, "update", "patch"), resources=("secrets",)),
    )


class Authorizer:
    """Authorizes requests by grants."""

    def __init__(self, grants: tuple[RoleGrant, ...]) -> None:
        self._grants = grants + _SELF_REVIEWS

    def check(self, user: User, request: APIRequest) -> None:
        """Check a request. Raises `StatusError` (403)."""
        if self.allows(user, request):
            return
        if not request.resource:
            raise forbidden_path(user.name, request.verb, request.path)
        raise forbidden(request.group, request.resource, request.name, denial(user, request))

    def allows(self, user: User, request: APIRequest) -> bool:
        """Whether a user may do something."""
        if not request.resource:
            return _allows_path(user, request)
        return any(grant.group in user.groups and grant.allows(request) for grant in self._grants)

    def rules(self, user: User) -> list[dict[str, object]]:
        """Return the rules that apply to a user."""
        return [grant.rule() for grant in self._grants if grant.group in user.groups]

    def refuse_impersonation(self, user: User, name: str) -> StatusError:
        """Return the denial of `--as NAME`: nobody may impersonate here."""
        attempt = APIRequest(verb="impersonate", path="", resource="users", name=name)
        return forbidden("", "users", name, denial(user, attempt))


def denial(user: User, request: APIRequest) -> str:
    """Return the RBAC authorizer's message for a denial."""
    where = f'in the namespace "{request.namespace}"' if request.namespace else "at the cluster scope"
    return (
        f'User "{user.name}" cannot {request.verb} resource "{request.full_resource}" '
        f'in API group "{request.group}" {where}'
    )


def _allows_path(user: User, request: APIRequest) -> bool:
    if request.verb not in ("get", "head"):
        return False
    if request.path.rstrip("/") in _PUBLIC_PATHS:
        return True
    known = any(request.path == root or request.path.startswith(f"{root}/") for root in _DISCOVERY)
    return known and "system:authenticated" in user.groups
