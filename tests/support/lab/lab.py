"""A home with an enrolled cluster, whose provider does what a test tells it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from kubectl_stepup.demo.authentication import JWTAuthenticator
from kubectl_stepup.demo.certificates import new_authority
from kubectl_stepup.demo.cluster import DemoCluster
from kubectl_stepup.demo.terminal import DemoTerminal
from kubectl_stepup.demo.world import forget_sessions
from kubectl_stepup.kubeconfig.cluster_pin import ca_digest
from kubectl_stepup.kubectl.process import find
from kubectl_stepup.sessions.stores import keyctl
from tests.support import home
from tests.support.provider.keys import rsa_key
from tests.support.provider.model import Answer
from tests.support.provider.server import Provider
from tests.support.provider.tokens import signed
from tests.support.warm_start import CAN_FORK, PROGRAM, WarmTerminal, is_ours, warm_start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kubectl_stepup.demo.terminal import Ran

ACR = "urn:stepup:mfa"
GROUPS = {"groups": ["dev"]}
POLICY = """\
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Policy
who: people
levels:
  - {name: mfa, signedInWithin: 15m, askAgainAfter: 10m}
  - {name: critical, signedInWithin: 5m, askAgainAfter: 0s}
rules:
  - {name: deletes, do: [delete, stop], needs: mfa}
  - {name: secrets, do: [read-secrets], needs: mfa}
  - {name: power, do: [grant], needs: critical}
"""


@dataclass(frozen=True, kw_only=True)
class Lab:
    """Everything a test needs; `environ` is the whole environment of a command."""

    directory: Path
    environ: dict[str, str]
    provider: Provider
    cluster: DemoCluster
    terminal: DemoTerminal
    cold: bool = False
    """Whether each command starts an interpreter of its own."""

    @property
    def answer(self) -> Answer:
        """What the provider does; change it at will."""
        return self.provider.answer

    @property
    def audit_file(self) -> Path:
        return self.directory / "home/.local/state/kubectl-stepup/audit.jsonl"

    def records(self) -> list[dict[str, object]]:
        """Return the audit events, oldest first."""
        return (
            [json.loads(line) for line in self.audit_file.read_text().splitlines()] if self.audit_file.exists() else []
        )

    def times(self, activity: str, stage: str) -> list[float]:
        """Return when things were recorded, in order and in seconds since the epoch."""
        found = [record for record in self.records() if (record["activity"], record["stage"]) == (activity, stage)]
        return sorted(datetime.fromisoformat(str(record["time"])).timestamp() for record in found)

    def stepup(self, *words: str, timeout_s: float = 60) -> Ran:
        """Run our command on a terminal, as a person would."""
        return self.terminal.run([*PROGRAM, *words], timeout_s=timeout_s)

    def quietly(
        self, *words: str, stdin: bytes = b"", program: list[str] | None = None, **environ: str
    ) -> subprocess.CompletedProcess[bytes]:
        """Run our command (or `program`) without a terminal, as a script would."""
        command = [*(PROGRAM if program is None else program), *words]
        if is_ours(command) and not stdin and not self.cold:
            return warm_start().run(command, {**self.environ, **environ})
        return subprocess.run(
            command,
            env={**self.environ, **environ},
            input=stdin,
            capture_output=True,
            timeout=60,
            start_new_session=True,
            check=False,
        )

    def kubectl(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        """Run kubectl itself with the everyday login."""
        return self.quietly(*words, program=[find(self.environ)])

    def exists(self, name: str) -> bool:
        """Whether a pod is there, by the cluster's own eyes."""
        return self.kubectl("get", "pod", name).returncode == 0


@contextmanager
def opened_lab(
    directory: Path,
    *,
    store: str = "kernel",
    answer: Answer | None = None,
    policy: str = POLICY,
    address: str = "127.0.0.1",
    name: str | None = None,
    cold: bool = False,
) -> Iterator[Lab]:
    """Open a lab in `directory`; nothing of it is left in the kernel's keyring afterwards.

    `name` is the provider's host where that is not its address. `cold`: each command starts an interpreter of its own,
    for tests about that, and about what can be seen of processes.
    """
    with ExitStack() as stack:
        provider = stack.enter_context(
            Provider(directory, answer=answer or Answer(interval=1, claims=GROUPS), address=address, name=name)
        )
        cluster, ca_pem = stack.enter_context(opened_cluster(provider.issuer, provider.ca_file.read_text()))
        enrolled = LabHome(
            issuer=provider.issuer,
            provider_ca=provider.ca_file,
            server=cluster.url,
            ca_pem=ca_pem,
            everyday_token=everyday_token(provider),
            store=store,
            policy=policy,
        )
        environ = furnish(directory, enrolled)
        cold = cold or not CAN_FORK
        terminal = stack.enter_context((DemoTerminal if cold else WarmTerminal)(environ))
        yield Lab(
            directory=directory, environ=environ, provider=provider, cluster=cluster, terminal=terminal, cold=cold
        )


@contextmanager
def opened_cluster(issuer: str, issuer_ca: str) -> Iterator[tuple[DemoCluster, str]]:
    """Open a cluster stand-in that trusts `issuer`; give it with its own CA."""
    authority = new_authority(time.time())
    trusted = JWTAuthenticator(
        issuer=issuer,
        ca_pem=issuer_ca,
        audiences=("kubectl", "kubectl-elevated"),
        elevated_audience="kubectl-elevated",
        level_acr={"mfa": (ACR,), "critical": (ACR,)},
        window_s=1260,
    )
    with DemoCluster(authority.server_context(time.time()), [trusted], clock=time.time) as cluster:
        try:
            yield cluster, authority.pem
        finally:
            forget_sessions(issuer, keyctl.USER_KEYRING)


@dataclass(frozen=True, kw_only=True)
class LabHome:
    """What goes into the files of a lab's home."""

    issuer: str
    provider_ca: Path
    server: str
    ca_pem: str
    everyday_token: str
    store: str = "kernel"
    policy: str = POLICY
    scopes: str = "openid"


def furnish(directory: Path, lab: LabHome) -> dict[str, str]:
    """Write kubeconfig, config and policy; return the whole environment of a command."""
    return home.furnish(
        directory,
        search=os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]]),
        kubeconfig_text=json.dumps(home.kubeconfig(lab.server, lab.ca_pem, lab.everyday_token)),
        config=_config(lab),
        policy=lab.policy,
    )


def everyday_token(provider: Provider, account: str = "alice") -> str:
    """Return a token of the everyday client, as a password alone gets it."""
    now = int(time.time())
    claims = {
        "iss": provider.issuer,
        "sub": account,
        "aud": "kubectl",
        "iat": now,
        "exp": now + 3600,
        "auth_time": now,
        "acr": "pwd",
        "amr": ["pwd"],
        "groups": ["dev"],
        "email": f"{account}@example.com",
    }
    return signed(claims, rsa_key("main"), kid="main")


def _config(lab: LabHome) -> str:
    return f"""\
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Config
store: {lab.store}
providers:
  - name: corp
    issuer: {lab.issuer}
    clientID: kubectl
    elevatedClientID: kubectl-elevated
    preset: oidc-provider
    caFile: {lab.provider_ca}
    scopes: [{lab.scopes}]
    evidence: {{mfa: {{acr: ["{ACR}"]}}, critical: {{acr: ["{ACR}"]}}}}
clusters:
  - name: prod
    labels: {{env: prod}}
    context: prod
    server: {lab.server}
    caSHA256: {ca_digest(lab.ca_pem.encode())}
    provider: corp
    account: alice
"""
