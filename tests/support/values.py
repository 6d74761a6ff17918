"""One provider, one cluster and one policy, and sessions and wishes that fit them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from kubectl_stepup.config.model import Cluster, Config, Provider
from kubectl_stepup.kubeconfig.cluster_pin import ClusterPin
from kubectl_stepup.kubeconfig.context import ResolvedContext
from kubectl_stepup.oidc.presets import PRESETS
from kubectl_stepup.oidc.requirement import Evidence
from kubectl_stepup.policy.document import policy_from
from kubectl_stepup.policy.model import Policy
from kubectl_stepup.secret import Secret
from kubectl_stepup.sessions.session import ElevationSession
from kubectl_stepup.sessions.stored_session import Moment
from kubectl_stepup.stepup.options import StepUpOptions
from kubectl_stepup.stepup.request import StepUpRequest
from kubectl_stepup.yaml_edit import yaml_file

NOW = 1_800_000_000.0
BOOT_ID = "0b6f1b1c-2f5d-4f25-9b39-0d6f5d8f3d10"
TERMINAL_SCOPE = "tty-34816-4242-99"

LEVELS = """
levels:
  - {name: mfa, signedInWithin: 15m, askAgainAfter: 10m}
  - {name: strong, signedInWithin: 10m, askAgainAfter: 5m}
  - {name: critical, signedInWithin: 5m, askAgainAfter: 0s, reason: required, maxDuration: 1h}
"""
RULES = """
rules:
  - {name: deletes, do: [delete], clusters: ["prod-*"], needs: mfa}
  - {name: shells, do: [shell], clusters: ["prod-*"], needs: strong}
  - {name: power, do: [grant], needs: critical}
"""


def policy_of(rules: str = RULES, levels: str = LEVELS) -> Policy:
    """Read a policy from its levels and rules as YAML."""
    text = f"apiVersion: kubectl-stepup.github.io/v1alpha1\nkind: Policy\n{levels}{rules}"
    return policy_from(yaml_file.parse(text.encode(), "policy.yaml"))


POLICY = policy_of()
PROVIDER = Provider(
    name="corp",
    issuer="https://login.example.com",
    client_id="kubectl",
    elevated_client_id="kubectl-elevated",
    preset=PRESETS["generic"],
    evidence={
        "mfa": Evidence(acr=("mfa", "gold")),
        "strong": Evidence(acr=("phr",)),
        "critical": Evidence(acr=("phr",)),
    },
)
CLUSTER = Cluster(
    name="prod-eu",
    labels={"env": "prod"},
    context="prod",
    pin=ClusterPin(server="https://api.prod.example.com", ca_sha256="9f" * 32),
    provider="corp",
    account="alice",
)
CONFIG = Config(providers=(PROVIDER,), clusters=(CLUSTER,), store="memory")
RESOLVED = ResolvedContext(
    context="prod",
    cluster="prod-cluster",
    user="alice-everyday",
    namespace="shop",
    pin=CLUSTER.pin,
    file="/home/alice/.kube/config",
    cluster_file="/home/alice/.kube/config",
    user_file="/home/alice/.kube/config",
    context_raw={"cluster": "prod-cluster", "user": "alice-everyday", "namespace": "shop"},
)


def provider_with(**changes: Any) -> Provider:
    """Return the provider with changes; those of its preset under `preset`."""
    preset = replace(PROVIDER.preset, **changes.pop("preset", {}))
    return replace(PROVIDER, preset=preset, **changes)


_Pinned = TypeVar("_Pinned", Cluster, ResolvedContext, ElevationSession)


def repinned(value: _Pinned, **changes: Any) -> _Pinned:
    """Return `value` with changes, those of its cluster pin by their own names among them."""
    pin = {name: changes.pop(name) for name in ClusterPin.__slots__ if name in changes}
    whole = changes.pop("pin", value.pin)
    return replace(value, pin=whole.replaced(**pin), **changes)


def cluster(**changes: Any) -> Cluster:
    """Return the cluster with changes."""
    return repinned(CLUSTER, **changes)


def asked(
    *command: str, level: str = "mfa", policy: Policy = POLICY, scope: str = TERMINAL_SCOPE, **changes: Any
) -> StepUpRequest:
    """Return a options to run `command` elevated (no words: a plain login)."""
    words = {
        "cluster": CLUSTER,
        "provider": PROVIDER,
        "level": policy.level(level),
        "stronger": policy.stronger(level),
        "context": "prod",
        "scope": scope,
        "command": command,
        "rules": ("deletes",) if command else (),
        "summary": "delete pods in shop" if command else "",
    }
    options = {name: changes.pop(name) for name in ("fresh", "once", "reason", "browser") if name in changes}
    return StepUpRequest(**{**words, "options": StepUpOptions(**options), **changes})


def with_options(request: StepUpRequest, **changes: Any) -> StepUpRequest:
    """Return the request with other options."""
    return replace(request, options=replace(request.options, **changes))


def session(
    *, level: str = "mfa", age_s: float = 0.0, policy: Policy = POLICY, lives_s: float = 900.0, **changes: Any
) -> ElevationSession:
    """Return a session at `level` that was approved `age_s` before NOW, with a token good for `lives_s` from then."""
    approved = Moment(wall=NOW - age_s, boottime=1000.0 - age_s, boot_id=BOOT_ID)
    words: dict[str, Any] = {
        "issuer": PROVIDER.issuer,
        "client": PROVIDER.elevated_client_id,
        "account": CLUSTER.account,
        "cluster": CLUSTER.name,
        "level": level,
        "token": Secret(f"id-token-{level}"),
        "token_expires_at": approved.wall + lives_s,
        "auth_time": approved.wall - 4,
        "approved": approved,
        "reuse_until": approved.wall + policy.level(level).ask_again_after_s,
        "acr": "mfa" if level == "mfa" else "phr",
        "amr": ("pwd", "otp"),
        "command": "kubectl delete pod web-0",
        "pin": CLUSTER.pin,
        "jti_sha256": "ab" * 32,
        "signed_in_within_s": policy.level(level).signed_in_within_s,
        "evidence": None if (asks := PROVIDER.evidence_of(level)) is None else asks.fingerprint,
    }
    return repinned(ElevationSession(**words), **changes)


def exec_info(changes: Mapping[str, object] | None = None, *, version: str = "v1") -> str:
    """Return KUBERNETES_EXEC_INFO as client-go writes it; `changes` are of `spec.cluster`, `...` leaves a field out."""
    fields = {"server": CLUSTER.server, "config": None, **(changes or {})}
    spec = {"interactive": True, "cluster": {name: value for name, value in fields.items() if value is not ...}}
    return json.dumps({"kind": "ExecCredential", "apiVersion": f"client.authentication.k8s.io/{version}", "spec": spec})
