"""Read a cluster's RBAC with the user's own kubectl and credentials (a kubectl process)."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_stepup.errors import KubectlFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

RBAC = "clusterroles,clusterrolebindings,roles,rolebindings"
ACCOUNTS = "serviceaccounts"
GUARDS = "validatingadmissionpolicies,validatingadmissionpolicybindings"
DEADLINE_S = 300.0
"""For one reading: the everyday plugin may ask the person to sign in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterRbac:
    """What kubectl printed; `accounts` and `guards` are None where they may not be read."""

    rbac: Mapping[str, Any]
    accounts: Mapping[str, Any] | None
    guards: Mapping[str, Any] | None


def read(kubectl: str, flags: Sequence[str], environ: Mapping[str, str]) -> ClusterRbac:
    """Read roles, bindings, service accounts and admission policies; `flags` say of which cluster.

    Raises:
        KubectlFailed: roles and bindings cannot be read; kubectl has said why.
    """
    return ClusterRbac(
        rbac=_get(kubectl, RBAC, flags, environ),
        accounts=_get_if_allowed(kubectl, ACCOUNTS, flags, environ),
        guards=_get_if_allowed(kubectl, GUARDS, flags, environ),
    )


def _get(kubectl: str, kinds: str, flags: Sequence[str], environ: Mapping[str, str], *, aloud: bool = True) -> Any:
    command = [kubectl, "get", kinds, "--all-namespaces", "--output=json", *flags]
    try:
        # NOTE: standard error is the person's: the everyday plugin's prompt is shown there, and kubectl's own reason.
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=None if aloud else subprocess.DEVNULL,
            env=environ,
            timeout=DEADLINE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise KubectlFailed(f"kubectl get {kinds} failed: {type(exc).__name__}") from exc
    if done.returncode != 0:
        raise KubectlFailed(
            f"kubectl get {kinds} failed with exit code {done.returncode}",
            hint=f"kubectl auth can-i list {kinds.partition(',')[0]} --all-namespaces",
        )
    try:
        return json.loads(done.stdout)
    except (ValueError, RecursionError) as exc:
        raise KubectlFailed(f"kubectl get {kinds} printed no JSON") from exc


def _get_if_allowed(kubectl: str, kinds: str, flags: Sequence[str], environ: Mapping[str, str]) -> Any | None:
    try:
        return _get(kubectl, kinds, flags, environ, aloud=False)
    except KubectlFailed:
        return None
