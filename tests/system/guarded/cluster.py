"""A control plane that believes an issuer whose key we have, with everything applied that a policy was compiled to."""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.provider.keys import rsa_key
from tests.support.provider.server import Provider
from tests.support.provider.tokens import signed
from tests.system.parts import control_plane, kubectls
from tests.system.parts.cache import MACHINE
from tests.system.parts.etcd import etcd
from tests.system.parts.kube_api import KubeAPI
from tests.system.parts.kube_apiserver import KubeAPIServer, kube_apiserver
from tests.system.parts.kube_controller_manager import kube_controller_manager
from tests.system.parts.processes import wait_until
from tests.system.recorder import fixture

PROGRAM = (sys.executable, "-P", "-m", "kubectl_stepup")
EVERYDAY, ELEVATED = "kubectl", "kubectl-elevated"
BREAK_GLASS = "sre-break-glass"
CLUSTER = "prod-eu"
ACR = {"mfa": "gold", "critical": "phr"}
TOKEN_LIFE_S = 300
_RELOADS = re.compile(
    r'^apiserver_authentication_config_controller_automatic_reloads_total\{.*status="(\w+)"\} (\d+)', re.MULTILINE
)


@dataclass(frozen=True, kw_only=True)
class Guarded:
    """A guarded cluster, and what it was made from; `directory` holds config, policy and `server/`, the bundle."""

    api: KubeAPIServer
    provider: Provider
    directory: Path
    compiled: subprocess.CompletedProcess[str]

    @property
    def issuer(self) -> str:
        """The issuer whose tokens the server believes."""
        return self.provider.issuer

    @property
    def bundle(self) -> Path:
        """The directory of the compiled files."""
        return self.directory / "server"

    def claims(self, **claims: Any) -> dict[str, Any]:
        """Return the claims of a token; by default those of alice, of the elevated client and the level mfa."""
        now = int(time.time())
        return {
            "iss": self.issuer,
            "sub": "alice",
            "aud": ELEVATED,
            "iat": now,
            "auth_time": now - 2,
            "exp": now + TOKEN_LIFE_S,
            "acr": ACR["mfa"],
            "groups": ["dev"],
            **claims,
        }

    def token(self, *, key: str = "main", **claims: Any) -> str:
        """Sign a token with such claims; one that is None is left out."""
        members = {name: one for name, one in self.claims(**claims).items() if one is not None}
        return signed(members, rsa_key(key), kid=key)

    def everyday(self, **claims: Any) -> KubeAPI:
        """The API as an everyday login sees it, whose sign-in had no second factor."""
        return self.api.as_bearer(self.token(**{"aud": EVERYDAY, "acr": "silver", **claims}))

    def elevated(self, level: str = "mfa", **claims: Any) -> KubeAPI:
        """The API as somebody sees it who stepped up."""
        return self.api.as_bearer(self.token(acr=ACR[level], **claims))

    def kubectl(self, *words: str, token: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run kubectl, as the administrator or with a token."""
        user = {"token": token} if token else None
        return kubectl(self.api, self.directory, *words, user=user)


def kubectl(
    api: KubeAPIServer, directory: Path, *words: str, user: dict[str, Any] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the newest kubectl with a kubeconfig of its own, by default the administrator's."""
    document = yaml.safe_load(api.kubeconfig(api.admin_certificate))
    if user is not None:
        document["users"][0]["user"] = user
    kubeconfig = directory / "kubeconfig.yaml"
    kubeconfig.touch(mode=0o600)
    kubeconfig.write_text(yaml.safe_dump(document))
    environ = {"HOME": str(directory), "PATH": MACHINE["PATH"], "KUBECONFIG": str(kubeconfig), "KUBERC": "off"}
    return subprocess.run(
        [kubectls.kubectl(kubectls.NEWEST), *words],
        env=environ,
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def write_config(directory: Path, provider: Provider, **changes: Any) -> Path:
    """Write the config of an enrolled cluster; `changes` are fields of its provider."""
    document = {
        "apiVersion": "kubectl-stepup.github.io/v1alpha1",
        "kind": "Config",
        "providers": [
            {
                "name": "ours",
                "issuer": provider.issuer,
                "clientID": EVERYDAY,
                "elevatedClientID": ELEVATED,
                "preset": "generic",
                "caFile": str(provider.ca_file),
                "evidence": {level: {"acr": [acr]} for level, acr in ACR.items()},
                **changes,
            }
        ],
        "clusters": [
            {
                "name": CLUSTER,
                "context": CLUSTER,
                "labels": {"env": "prod"},
                "server": "https://127.0.0.1:6443",
                "provider": "ours",
                "account": "alice",
            }
        ],
    }
    path = directory / "config.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def compile_policy(directory: Path, *flags: str, token_life_s: int = TOKEN_LIFE_S) -> subprocess.CompletedProcess[str]:
    """Run `policy compile` for config and policy in `directory`, into `server`."""
    minor = control_plane.minor()
    words = ["policy", "compile", "--config", "config.yaml", "--policy", "policy.yaml", "--cluster", CLUSTER]
    words += ["--output-dir", "server", "--kubernetes", minor, "--token-lifetime", f"{token_life_s}s", *flags]
    return subprocess.run(
        [*PROGRAM, *words],
        cwd=directory,
        env={"HOME": str(directory), "PATH": MACHINE["PATH"], "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def opened_guarded(
    directory: Path,
    policy: str,
    *,
    flags: Sequence[str] = ("--break-glass-group", BREAK_GLASS),
    own_audit: bool = False,
) -> Iterator[Guarded]:
    """Start a cluster whose server enforces `policy` (the text of a document), for the time of the block.

    With `own_audit` it records what the compiled audit policy says.
    """
    control_plane.require()
    (directory / "policy.yaml").write_text(policy)
    with Provider(directory) as provider:
        write_config(directory, provider)
        compiled = compile_policy(directory, *flags)
        assert compiled.returncode == 0, compiled.stderr
        authentication = (directory / "server/authentication-configuration.yaml").read_text()
        audit_policy = (directory / "server/audit-policy.yaml").read_text() if own_audit else None
        with (
            etcd(directory) as store,
            kube_apiserver(directory, etcd=store, authentication=authentication, audit_policy=audit_policy) as api,
            kube_controller_manager(directory, api=api),
        ):
            fixture.set_up(api.admin)
            guarded = Guarded(api=api, provider=provider, directory=directory, compiled=compiled)
            wait_until(lambda: _applied(guarded), "applied policy", within_s=60)
            wait_until_noticed(api)
            yield guarded


def enforce(guarded: Guarded, policy: str, *flags: str) -> subprocess.CompletedProcess[str]:
    """Put another policy in force instead; what tokens prove stays as it was."""
    chosen = ("-l", "app.kubernetes.io/managed-by=kubectl-stepup")
    for kind in ("validatingadmissionpolicybindings", "validatingadmissionpolicies"):
        assert guarded.kubectl("delete", kind, *chosen).returncode == 0
    (guarded.directory / "policy.yaml").write_text(policy)
    compiled = compile_policy(guarded.directory, *(flags or ("--break-glass-group", BREAK_GLASS)))
    assert compiled.returncode == 0, compiled.stderr
    applied = guarded.kubectl("apply", "-k", "server")
    assert applied.returncode == 0, applied.stderr
    wait_until_noticed(guarded.api)
    return compiled


def replace_authentication(guarded: Guarded, text: str) -> str:
    """Put another AuthenticationConfiguration in place, by rename as the server wants it; return what came of it.

    `success`, or `failure`: then the one before stays in force.
    """
    if text == guarded.api.authentication.read_text():
        return "success"
    before = reloads(guarded)
    new = guarded.api.authentication.with_suffix(".new")
    new.write_text(text)
    new.replace(guarded.api.authentication)
    wait_until(lambda: reloads(guarded) != before, "the server to read its file", within_s=120, every_s=0.25)
    after = reloads(guarded)
    return next(status for status, count in after.items() if count != before.get(status, 0))


def reloads(guarded: Guarded) -> dict[str, int]:
    """Return how often the server read its AuthenticationConfiguration again, by what came of it."""
    metrics = guarded.api.admin.request("GET", "/metrics").text
    return {status: int(count) for status, count in _RELOADS.findall(metrics)}


def _applied(guarded: Guarded) -> bool:
    # kube-public appears a little later than the server is ready.
    return guarded.kubectl("apply", "-k", "server").returncode == 0


def wait_until_noticed(api: KubeAPIServer) -> None:
    """Wait until the server heeds all policies that there are: some seconds after it took them, and not all at once.

    What is made last is noticed last, so that one more policy is made, which refuses one thing to everybody.
    """
    name = f"sentinel-{secrets.token_hex(4)}"
    path = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolic"
    watched = {"apiGroups": [""], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["configmaps"]}
    sentinel = {
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {"resourceRules": [watched]},
            "validations": [{"expression": f"request.?name.orValue('') != '{name}'"}],
        },
    }
    binding = {"metadata": {"name": name}, "spec": {"policyName": name, "validationActions": ["Deny"]}}
    api.admin.create(f"{path}ies", sentinel)
    api.admin.create(f"{path}ybindings", binding)
    trial = {"metadata": {"name": name}}
    try:
        wait_until(
            lambda: not api.admin.request("POST", "/api/v1/namespaces/default/configmaps?dryRun=All", trial).ok,
            "policies that are heeded",
            within_s=60,
            every_s=0.25,
        )
    finally:
        for plural in ("ybindings", "ies"):
            api.admin.request("DELETE", f"{path}{plural}/{name}").raise_for_status()


def wait_for_guards(
    guarded: Guarded, method: str, path: str, body: object = None, *, rule: str = "", group: str = "dev"
) -> None:
    """Wait until the server refuses an everyday login something by our policies, which takes it some seconds.

    `rule` is the one that refuses, any where none is named; `group` may do it by RBAC.
    """
    everyday = guarded.everyday(groups=[group])

    def bites() -> bool:
        answer = everyday.request(method, path, body)
        return answer.status_code == 403 and f"ValidatingAdmissionPolicy 'kubectl-stepup-{rule}" in answer.text

    wait_until(bites, "guards that bite", within_s=60, every_s=0.25)
