"""The files of the demo's own home: kubeconfig, our config and policy, and a few commands on PATH."""

from __future__ import annotations

import base64
import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kubectl_stepup import environment
from kubectl_stepup.demo.accounts import Credentials
from kubectl_stepup.demo.identity_provider import ELEVATED_CLIENT, EVERYDAY_CLIENT
from kubectl_stepup.kubeconfig.cluster_pin import ca_digest
from kubectl_stepup.names import API_VERSION
from kubectl_stepup.secret import Secret

NAME = "demo"
"""The name of the cluster, of its context, and of the provider in our config."""

NAMESPACE = "prod"
KEPT = ("LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "NO_COLOR", "SHELL", "TERM", "TZ", "USER")
"""The variables of the caller that commands of the demo get, besides PATH."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The content of the files; `directory` exists, is empty and of mode 0700. `store` is where sessions are kept."""

    directory: Path
    ca_pem: str
    issuer: str
    server: str
    everyday_token: Secret
    credentials: Credentials
    kubectl: str
    store: str


def furnish(home: Home, caller: Mapping[str, str]) -> dict[str, str]:
    """Write every file; return the whole environment for commands. All files are 0600, all directories 0700."""
    directories = {
        "HOME": home.directory / "home",
        "XDG_CONFIG_HOME": home.directory / "home/.config",
        "XDG_STATE_HOME": home.directory / "home/.local/state",
        "XDG_DATA_HOME": home.directory / "home/.local/share",
        "XDG_CACHE_HOME": home.directory / "home/.cache",
        "XDG_RUNTIME_DIR": home.directory / "run",
        "TMPDIR": home.directory / "tmp",
    }
    ours = directories["XDG_CONFIG_HOME"] / "kubectl-stepup"
    commands = home.directory / "bin"
    for path in (*directories.values(), home.directory / "home/.kube", ours, commands):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    kubeconfig = home.directory / "home/.kube/config"
    _write(kubeconfig, _kubeconfig(home))
    _write(ours / "ca.pem", home.ca_pem)
    _write(ours / "config.yaml", _config(home))
    _write(ours / "policy.yaml", _POLICY)
    for name in (".bashrc", ".zshrc"):
        _write(directories["HOME"] / name, "PS1='(demo) $ '\n")
    _write_commands(home, commands, caller.get("PATH", ""))
    search = os.pathsep.join(part for part in (str(commands), caller.get("PATH", "")) if part)
    kept = {name: caller[name] for name in KEPT if name in caller}
    return (
        kept
        | {name: str(value) for name, value in directories.items()}
        | {"KUBECONFIG": str(kubeconfig), "PATH": search, environment.KEYRING: "session"}
    )


def our_command() -> list[str]:
    """Return the command line that starts this program again."""
    if getattr(sys, "frozen", False):
        return [sys.executable]
    # NOTE: -P keeps the working directory off the import path.
    return [sys.executable, "-P", "-m", "kubectl_stepup"]


def _write(path: Path, text: str, mode: int = 0o600) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as stream:
        stream.write(text)


def _write_commands(home: Home, commands: Path, search: str) -> None:
    _write(commands / "kubectl-stepup", f'#!/bin/sh\nexec {shlex.join(our_command())} "$@"\n', 0o700)
    if not getattr(sys, "frozen", False):
        seed = home.directory / "totp-seed"
        _write(seed, home.credentials.otp_secret.reveal())
        program = "import pathlib, sys, pyotp; print(pyotp.TOTP(pathlib.Path(sys.argv[1]).read_text()).now())"
        otp = shlex.join([sys.executable, "-P", "-c", program, str(seed)])
        _write(commands / "otp", f"#!/bin/sh\nexec {otp}\n", 0o700)
    if os.path.dirname(home.kubectl) not in search.split(os.pathsep):
        (commands / "kubectl").symlink_to(home.kubectl)


def _kubeconfig(home: Home) -> str:
    ca_data = base64.b64encode(home.ca_pem.encode()).decode()
    return f"""\
apiVersion: v1
kind: Config
current-context: {NAME}
clusters:
  - name: {NAME}
    cluster:
      server: {home.server}
      certificate-authority-data: {ca_data}
contexts:
  - name: {NAME}
    context:
      cluster: {NAME}
      namespace: {NAMESPACE}
      user: everyday
users:
  - name: everyday
    user:
      token: {home.everyday_token.reveal()}
"""


def _config(home: Home) -> str:
    return f"""\
apiVersion: {API_VERSION}
kind: Config
store: {home.store}
providers:
  - name: {NAME}
    issuer: {home.issuer}
    clientID: {EVERYDAY_CLIENT}
    elevatedClientID: {ELEVATED_CLIENT}
    caFile: ca.pem
    preset: generic
    flows: [device]
    scopes: [openid, email, groups]
    nonceInDevice: true
    commandParameter: stepup_command
    parameters: {{stepup_cluster: {NAME}}}
    accountClaim: sub
    evidence:
      mfa: {{acr: [mfa]}}
clusters:
  - name: {NAME}
    labels: {{env: prod}}
    context: {NAME}
    server: {home.server}
    caSHA256: {ca_digest(home.ca_pem.encode())}
    provider: {NAME}
    account: {home.credentials.name}
"""


_POLICY = f"""\
apiVersion: {API_VERSION}
kind: Policy
who: people
levels:
  - {{name: mfa, signedInWithin: 15m, askAgainAfter: 10m}}
rules:
  - {{name: prod-deletes, do: [delete, stop], clusters: [{NAME}], except: {{namespaces: [sandbox]}}, needs: mfa}}
  - {{name: prod-secrets, do: [read-secrets], clusters: [{NAME}], needs: mfa}}
  - {{name: prod-shells, do: [shell], clusters: [{NAME}], except: {{namespaces: [sandbox]}}, needs: mfa}}
"""
