"""The policies that fuzzed commands are evaluated by, and where the commands go."""

from __future__ import annotations

from pathlib import Path

from kubectl_stepup.policy.load import load, starting_policy
from kubectl_stepup.policy.model import Target

STRICT_TEXT = (Path(__file__).resolve().parents[1] / "data" / "corpus" / "strict-policy.yaml").read_bytes()
FULL_TEXT = b"""\
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Policy
who: people
minClientVersion: "0.0"
levels:
  - {name: mfa, signedInWithin: 15m, askAgainAfter: 10m, help: "ask #sec", runbook: "https://wiki.example.com/mfa"}
  - {name: critical, signedInWithin: 5m, askAgainAfter: 0s, reason: required, serverWindow: 20m, maxDuration: 1h}
rules:
  - {name: prod, do: [delete, stop], clusters: ["prod-*"], except: {namespaces: ["sandbox-*"]}, needs: mfa}
  - {name: labelled, do: [shell], labels: {env: [prod, "st?ging"]}, needs: mfa, ticket: "OPS-*", message: "look out"}
  - {name: secrets, do: [read-secrets], namespaces: ["kube-*", "[a-d]*"], names: ["*-tls", "?x"], needs: mfa}
  - {name: power, do: [grant, protect, mint, node], needs: critical, reason: required}
  - {name: mass, do: [delete], where: {all: true}, needs: critical}
  - {name: many, do: [change], where: {objects: 10, dryRun: none}, needs: mfa}
  - {name: forced, do: [change], where: {force: true}, needs: mfa, mode: warn}
  - {name: run-as, do: [run-as], needs: mfa, mode: audit, ticket: required}
  - {name: widgets, verbs: ["*"], apiGroups: [example.com, ""], resources: ["widgets/*", "w*"], needs: mfa}
  - {name: reads, verbs: [get, watch], resources: ["pods/log", "configmaps"], except: [{names: [a]}], needs: mfa}
  - {name: dry, do: [change], where: {dryRun: [client, server]}, needs: mfa, mode: audit}
commands: {stern: allow, foo: mfa, bar: critical, kustomize: allow}
grants:
  - {level: mfa, group: stepup-edit, role: edit, namespaces: [a, b]}
"""
TEXTS = (STRICT_TEXT, FULL_TEXT, starting_policy("read-only").encode())

DEFAULT = load(None, None)
STRICT = load(None, ("strict-policy.yaml", STRICT_TEXT))
FULL = load(("system.yaml", FULL_TEXT), None)
POLICIES = (DEFAULT, STRICT, FULL)

TARGETS = (
    Target(),
    Target(cluster="prod-eu", labels={"env": "prod"}, namespace="sandbox-a"),
    Target(cluster="", labels={}, namespace="kube-system"),
)
