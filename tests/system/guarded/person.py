"""A person at a guarded cluster: a home with the everyday login and the enrolment, and sessions of step-ups."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kubectl_stepup.kubeconfig.cluster_pin import ClusterPin, ca_digest
from kubectl_stepup.oidc.requirement import Evidence
from kubectl_stepup.secret import Secret
from kubectl_stepup.sessions.scope import USER_SCOPE, key, moment
from kubectl_stepup.sessions.session import ElevationSession
from kubectl_stepup.sessions.stores.choose import FILES
from kubectl_stepup.sessions.stores.file import FileStore
from tests.support.home import kubeconfig
from tests.system.guarded.cluster import ACR, CLUSTER, ELEVATED, PROGRAM, TOKEN_LIFE_S, Guarded
from tests.system.parts import kubectls
from tests.system.parts.cache import MACHINE

POD = "/api/v1/namespaces/shop/pods/web-0?dryRun=All"
POLICY = """\
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Policy
who: people
levels:
  - {name: mfa, signedInWithin: 15m, askAgainAfter: 10m}
  - {name: critical, signedInWithin: 5m, askAgainAfter: 5m}
rules:
  - {name: deletes, do: [delete, stop], except: {namespaces: [sandbox]}, needs: mfa}
  - {name: shells, do: [shell], needs: mfa}
  - {name: secrets, do: [read-secrets], except: {namespaces: [sandbox]}, needs: mfa}
  - {name: power, do: [grant, protect, mint, node], needs: critical}
  - {name: run-as, do: [run-as], needs: critical}
  - {name: mass, do: [delete], where: {all: true}, needs: critical}
"""
"""Every kind of rule, for the everyday role below."""

RBAC = "/apis/rbac.authorization.k8s.io/v1"
GUARDS = "admissionregistration.k8s.io"
READ, WRITE = ["get", "list", "watch"], ["create", "update", "patch", "delete", "deletecollection"]
BUILT_IN = ["namespaces", "nodes", "pods", "configmaps", "serviceaccounts", "services"]
PARTS = ["pods/exec", "pods/eviction", "serviceaccounts/token"]
EVERYDAY_RULES = [
    {"apiGroups": [""], "resources": BUILT_IN, "verbs": [*READ, *WRITE]},
    {
        "apiGroups": [""],
        "resources": PARTS,
        "verbs": ["get", "create"],
    },
    {"apiGroups": ["apps"], "resources": ["deployments", "deployments/scale"], "verbs": [*READ, *WRITE]},
    {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["*"], "verbs": [*READ, *WRITE]},
    {"apiGroups": ["apiextensions.k8s.io"], "resources": ["customresourcedefinitions"], "verbs": [*READ, *WRITE]},
    {"apiGroups": [GUARDS], "resources": ["*"], "verbs": ["get", "list"]},
]
"""An everyday role as the rollout leaves it: many writes, which admission gates; no secrets, and no guards."""

ROLES = {
    "dev": EVERYDAY_RULES,
    "stepup:mfa:dev": [{"apiGroups": [""], "resources": ["secrets"], "verbs": READ}],
    "stepup:critical:dev": [{"apiGroups": [GUARDS], "resources": ["*"], "verbs": WRITE}],
}


def grant(guarded: Guarded, name: str, group: str, rules: list[dict[str, Any]]) -> None:
    """Let the members of a group do something, cluster-wide."""
    admin = guarded.api.admin
    admin.create(f"{RBAC}/clusterroles", {"metadata": {"name": name}, "rules": rules})
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}]
    admin.create(f"{RBAC}/clusterrolebindings", {"metadata": {"name": name}, "roleRef": role, "subjects": subjects})


@dataclass(frozen=True, kw_only=True)
class Person:
    """Alice at her terminal."""

    guarded: Guarded
    home: Path

    @property
    def environ(self) -> dict[str, str]:
        """The whole environment of her commands."""
        return {
            "HOME": str(self.home),
            "PATH": MACHINE.get("PATH", os.defpath),
            "KUBECTL_PATH": str(kubectls.kubectl(kubectls.NEWEST)),
            "XDG_RUNTIME_DIR": str(self.home / "run"),
            "XDG_STATE_HOME": str(self.home / "state"),
            "KUBECONFIG": str(self.home / "kubeconfig"),
            "LANG": "C.UTF-8",
        }

    def sign_in(self, *levels: str, everyday: dict[str, Any] | None = None, **user: Any) -> None:
        """Sign in for the day (`user` in place of the token's), and step up to levels."""
        api = self.guarded.api
        claims: dict[str, Any] = {"aud": "kubectl", "acr": "silver", **(everyday or {})}
        kubeconfig = self.home / "kubeconfig"
        kubeconfig.touch(mode=0o600)
        kubeconfig.write_text(yaml.safe_dump(self._kubeconfig(user or {"token": self.guarded.token(**claims)})))
        store = FileStore(self.home / "state" / "kubectl-stepup" / FILES)
        kept = store.keys()
        for name in kept:
            store.delete(name)
        now = moment()
        for level in levels:
            session = ElevationSession(
                issuer=self.guarded.issuer,
                client=ELEVATED,
                account="alice",
                cluster=CLUSTER,
                level=level,
                token=Secret(self.guarded.token(acr=ACR[level])),
                token_expires_at=now.wall + TOKEN_LIFE_S,
                auth_time=now.wall - 2,
                approved=now,
                reuse_until=now.wall + TOKEN_LIFE_S,
                acr=ACR[level],
                amr=(),
                command="",
                pin=ClusterPin(server=api.url, ca_sha256=ca_digest(api.ca_file.read_bytes())),
                evidence=Evidence(acr=(ACR[level],)).fingerprint,
            )
            store.put(key(session.id, USER_SCOPE), session.to_record(), now.wall + TOKEN_LIFE_S)

    def _kubeconfig(self, user: dict[str, Any]) -> dict[str, Any]:
        api = self.guarded.api
        return kubeconfig(api.url, api.ca_file.read_text(), user, context=CLUSTER, namespace="shop")

    def stepup(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one of our commands."""
        files = ("--config", str(self.home / "config.yaml"), "--policy", str(self.guarded.directory / "policy.yaml"))
        return subprocess.run(
            [*PROGRAM, *words, *files],
            cwd=self.home,
            env={
                **self.environ,
                "KUBECONFIG": str(self.home / "kubeconfig"),
                "XDG_STATE_HOME": str(self.home / "state"),
            },
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def verify(self, *flags: str) -> tuple[int, list[dict[str, str]]]:
        """Run `policy verify` and give its exit code and what it found."""
        done = self.stepup("policy", "verify", "--cluster", CLUSTER, "-o", "json", *flags)
        assert done.stdout, done.stderr
        found: list[dict[str, str]] = json.loads(done.stdout)["findings"]
        return done.returncode, found


def settle(guarded: Guarded) -> Person:
    """Furnish a home whose context is enrolled, and bind the roles of an ordinary rollout."""
    home = guarded.directory / "person"
    for path in (home, home / "run"):
        path.mkdir(mode=0o700, exist_ok=True)
    document = yaml.safe_load((guarded.directory / "config.yaml").read_text())
    document["store"] = "file"
    enrolled = document["clusters"][0]
    enrolled["server"] = guarded.api.url
    enrolled["caSHA256"] = ca_digest(guarded.api.ca_file.read_bytes())
    (home / "config.yaml").touch(mode=0o600)
    (home / "config.yaml").write_text(yaml.safe_dump(document))
    for number, (group, rules) in enumerate(ROLES.items()):
        grant(guarded, f"ordinary-{number}", group, rules)
    return Person(guarded=guarded, home=home)
