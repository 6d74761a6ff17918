"""The work grows with what there is to evaluate, not with how often it is bound."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from kubectl_stepup.policy.model import Policy, Target
from kubectl_stepup.rbac import gaps, sensitivity
from kubectl_stepup.rbac.findings import audit
from kubectl_stepup.rbac.model import Binding, RbacObjects, RbacRule, Role, Subject

ROLES, BINDINGS, NAMESPACES = 40, 2000, 50


def cluster(bindings: int) -> RbacObjects:
    """Return roles of two rules each, all different, bound again and again in many namespaces."""
    rules = (RbacRule(verbs=("get", "delete"), api_groups=("",), resources=("secrets", "pods/exec")),)
    roles = [
        Role(
            kind="ClusterRole",
            name=f"r{at}",
            rules=(*rules, RbacRule(verbs=("update",), api_groups=("apps",), resources=(f"kind{at}",))),
        )
        for at in range(ROLES)
    ]
    return RbacObjects(
        roles={role.key: role for role in roles},
        bindings=tuple(
            Binding(
                kind="RoleBinding",
                name=f"b{at}",
                namespace=f"ns{at % NAMESPACES}",
                role_kind="ClusterRole",
                role_name=f"r{at % ROLES}",
                subjects=(Subject(kind="Group", name=f"g{at}"),),
            )
            for at in range(bindings)
        ),
    )


def test_a_role_is_evaluated_once_however_often_it_is_bound(default: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: Counter[str] = Counter()

    def counted(module: Any, name: str) -> None:
        real = getattr(module, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            calls[name] += 1
            return real(*args, **kwargs)

        monkeypatch.setattr(module, name, call)

    counted(gaps, "reaches_of")
    counted(sensitivity, "request_matches")
    few = len(audit(cluster(ROLES), default, Target()))
    once = Counter(calls)
    calls.clear()
    assert len(audit(cluster(BINDINGS), default, Target())) == few * BINDINGS // ROLES
    assert calls == once
    assert once["reaches_of"] == ROLES + 1
