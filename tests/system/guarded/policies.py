"""The policies that the tests compile, beside those that the product brings."""

from __future__ import annotations

from pathlib import Path

from kubectl_stepup.policy.actions import NAMES
from kubectl_stepup.policy.load import DEFAULT_POLICY, starting_policy

STRICT = (Path(__file__).parents[2] / "data" / "corpus" / "strict-policy.yaml").read_text()

DEFAULT = DEFAULT_POLICY.read_text(encoding="utf-8")
READ_ONLY = starting_policy("read-only")

_HEAD = """
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Policy
who: people
levels:
  - {name: mfa, signedInWithin: 15m, askAgainAfter: 10m}
  - {name: critical, signedInWithin: 5m, askAgainAfter: 0s, help: "call #sre", runbook: "https://wiki.example/power"}
rules:
"""

LADDER = f"""{_HEAD}
  - {{name: power, do: [grant, protect, mint, node, run-as], needs: critical}}
  - {{name: nodes-proxy, verbs: [get, create, update, patch, delete], resources: [nodes/proxy], needs: critical}}
  - {{name: hurts, do: [delete, stop, shell, read-secrets], needs: mfa}}
grants:
  - {{level: mfa, group: team-shop, role: secret-reader, namespaces: [shop]}}
  - {{level: mfa, group: team-prod, role: secret-reader, namespaces: [prod]}}
"""
"""What hurts needs a second factor; what grants power permanently needs the highest level."""

RULES = f"""{_HEAD}
  - {{name: keep, do: [delete], namespaces: ['prod*'], except: {{names: ['tmp-*']}}, needs: mfa}}
  - {{name: team, do: [delete], namespaces: [shop], names: ['web-?', 'db-[ab]', 'api-[!0-9]*'], needs: mfa}}
  - {{name: stops, do: [stop], needs: mfa}}
  - {{name: shells, do: [shell], except: {{namespaces: ['sand*']}}, needs: mfa}}
  - {{name: nodes, do: [node], names: ['worker-*'], needs: critical}}
  - {{name: run-as, do: [run-as], namespaces: [shop], needs: mfa}}
  - {{name: named, verbs: [update, delete], apiGroups: ['*.com'], resources: ['widg*', 'widgets/status'], needs: mfa}}
  - {{name: settings, verbs: [create, patch], apiGroups: [''], resources: [configmaps], names: ['settings*'],
     needs: mfa}}
  - {{name: bound, verbs: ['*'], apiGroups: [rbac.authorization.k8s.io], except: {{namespaces: [shop]}}, needs: mfa}}
"""
"""Selectors, exceptions, globs and rules by name."""

MODES = f"""{_HEAD}
  - {{name: deletes, do: [delete], namespaces: [shop], needs: mfa, message: "ask  the\\n platform team's 'on call'"}}
  - {{name: warned, do: [delete], namespaces: [prod], mode: warn, needs: critical}}
  - {{name: recorded, do: [delete], namespaces: [sandbox], mode: audit, needs: mfa}}
  - {{name: power, do: [grant], needs: critical}}
"""
"""A rule in each mode, each in a namespace of its own."""

EACH = _HEAD + "".join(
    f"  - {{name: {action}, do: [{action}], needs: mfa}}\n" for action in NAMES if action != "read-secrets"
)
"""A rule for each action that admission control sees, named like it: what the server takes a request for."""
