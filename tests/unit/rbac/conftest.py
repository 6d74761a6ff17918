"""Audit RBAC written as YAML, under the built-in policy or another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kubectl_stepup.policy.load import load as load_policy
from kubectl_stepup.policy.model import Policy, Target
from kubectl_stepup.rbac.finding import RbacFinding
from kubectl_stepup.rbac.findings import audit
from kubectl_stepup.rbac.load import manifests
from kubectl_stepup.rbac.model import RbacObjects
from kubectl_stepup.rbac.reading import objects_of

Audited = Callable[..., tuple[RbacFinding, ...]]


def read(*files: Path) -> RbacObjects:
    """Read files."""
    return objects_of(one for file in files for one in manifests(file.read_bytes(), str(file)))


def read_text(text: str) -> RbacObjects:
    """Read YAML."""
    return objects_of(manifests(text.encode(), "rbac.yaml"))


def policy_of(text: str) -> Policy:
    """Load a policy with the two usual levels and these rules."""
    head = """
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Policy
levels:
  - {name: mfa, signedInWithin: 15m, askAgainAfter: 10m}
  - {name: critical, signedInWithin: 5m, askAgainAfter: 0s}
rules:
"""
    return load_policy(None, ("policy.yaml", (head + text).encode()))


@pytest.fixture
def default() -> Policy:
    """The built-in policy."""
    return load_policy(None, None)


@pytest.fixture
def audited(default: Policy) -> Audited:
    """Audit YAML: `audited(text, rules=..., cluster=...)`."""

    def call(text: str, *, rules: str | None = None, **target: object) -> tuple[RbacFinding, ...]:
        policy = default if rules is None else policy_of(rules)
        return audit(read_text(text), policy, Target(**target))  # type: ignore[arg-type]

    return call


def bound(rule: str, *, subject: str = "{kind: Group, name: dev}", namespace: str | None = None) -> str:
    """Return a role with one rule and a binding, both called `one`."""
    kind, metadata = ("ClusterRole", "{name: one}")
    if namespace:
        kind, metadata = "Role", f"{{name: one, namespace: {namespace}}}"
    return f"""
apiVersion: rbac.authorization.k8s.io/v1
kind: {kind}
metadata: {metadata}
rules: [{rule}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {kind}Binding
metadata: {metadata}
roleRef: {{kind: {kind}, name: one}}
subjects: [{subject}]
"""


def allow(verbs: str, resources: str, group: str = "", names: str = "") -> str:
    """Return a rule in YAML's flow style; the arguments are lists without their brackets."""
    named = f", resourceNames: [{names}]" if names else ""
    return f'{{verbs: [{verbs}], apiGroups: ["{group}"], resources: [{resources}]{named}}}'
