"""RBAC grants for the time of an elevation: roles for members of a group who have stepped up.

A role bound to a level's group alone would give its rights to everybody with a second factor, since RBAC only adds up.
So roles are bound to the derived group: `stepup:mfa:dev` are those members of `dev` who reached `mfa`.

Spec: rbac.authorization.k8s.io/v1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_stepup.enforce import names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kubectl_stepup.policy.model import Grant, Policy

GROUP = "rbac.authorization.k8s.io"


def grants(policy: Policy, annotations: Mapping[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the bindings of the policy's `grants`, each with a comment."""
    for number, grant in enumerate(policy.grants):
        group = names.derived_group(grant.level, grant.group)
        comment = f"Members of {grant.group} have {grant.role} while they are elevated to {grant.level}."
        for namespace in grant.namespaces or (None,):
            yield (
                comment,
                _binding(grant, f"{names.OBJECT_PREFIX}grant-{number}-{grant.level}", group, namespace, annotations),
            )


def _binding(
    grant: Grant, name: str, group: str, namespace: str | None, annotations: Mapping[str, str]
) -> dict[str, Any]:
    where = {} if namespace is None else {"namespace": namespace}
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "ClusterRoleBinding" if namespace is None else "RoleBinding",
        "metadata": {"name": name, **where, "labels": dict(names.MANAGED_BY), "annotations": dict(annotations)},
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": grant.role},
        "subjects": [{"apiGroup": GROUP, "kind": "Group", "name": group}],
    }
