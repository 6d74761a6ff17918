"""A person's home: a kubeconfig with the everyday login, enrolled by `setup` as a user would."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from tests.support import home
from tests.system.lab.authentication import EVERYDAY
from tests.system.parts.cache import MACHINE
from tests.system.parts.kube_apiserver import KubeAPIServer
from tests.system.parts.provider import RunningProvider

PROGRAM = (sys.executable, "-P", "-m", "kubectl_stepup")
PROVIDER_CA = "provider-ca.pem"
POLICY = """\
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Policy
who: people
levels:
  - {name: mfa, signedInWithin: 15m, askAgainAfter: 10m}
rules:
  - {name: deletes, do: [delete, stop], needs: mfa}
  - {name: secrets, do: [read-secrets], needs: mfa}
"""


def furnish(
    directory: Path, provider: RunningProvider, api: KubeAPIServer, everyday_token: str, *, search: Sequence[str | Path]
) -> dict[str, str]:
    """Write kubeconfig, policy and the provider's CA under `directory`; give the whole environment of the commands.

    `search` is what PATH begins with; the machine's follows.
    """
    environ = home.furnish(
        directory,
        search=os.pathsep.join([*(str(place) for place in search), MACHINE.get("PATH", os.defpath)]),
        kubeconfig_text=yaml.safe_dump(home.kubeconfig(api.url, api.ca_file.read_text(), everyday_token)),
        policy=POLICY,
    )
    shutil.copy(provider.ca_file, Path(environ["HOME"], PROVIDER_CA))
    return environ


def enrolment(environ: Mapping[str, str], provider: RunningProvider) -> list[str]:
    """Return the words by which the owner of a home enrols the cluster."""
    options = {
        "--issuer": provider.issuer,
        "--client-id": EVERYDAY,
        "--preset": provider.preset,
        "--evidence": f"mfa:acr={provider.mfa}",
        "--set": f"scopes={','.join(provider.scope.split())}",
        "--ca-file": f"{environ['HOME']}/{PROVIDER_CA}",
        "--label": "env=prod",
    }
    return ["setup", "--yes", *(word for option in options.items() for word in option)]
