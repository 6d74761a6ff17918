"""Policies and places for the tests of what they are compiled to."""

from __future__ import annotations

from kubectl_stepup.enforce.plan import TargetCluster
from kubectl_stepup.policy.load import load
from kubectl_stepup.policy.model import Policy

PROD = TargetCluster(name="prod-eu", labels={"env": "prod"})

_HEAD = """\
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Policy
levels:
  - {name: mfa, signedInWithin: 15m, askAgainAfter: 10m, help: ask the platform team}
  - {name: critical, signedInWithin: 5m, askAgainAfter: 0s}
rules:
"""


def policy(*rules: str, more: str = "") -> Policy:
    """Return a policy with two levels; a rule is the inside of a mapping in flow style."""
    text = _HEAD + "".join(f"  - {{{rule}}}\n" for rule in rules) + more
    return load(None, ("policy.yaml", text.encode()))
