"""Read a cluster's RBAC with the user's own kubectl and credentials (a kubectl process)."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_stepup.errors import KubectlFailed
from kubectl_stepup.rbac.load import NO_ACCOUNTS, flattened
from kubectl_stepup.rbac.model import FileLocation
from kubectl_stepup.rbac.reading import Manifest, objects_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from kubectl_stepup.rbac.model import RbacObjects

RBAC = "clusterroles,clusterrolebindings,roles,rolebindings"
ACCOUNTS = "serviceaccounts"
ADMISSION_POLICIES = "validatingadmissionpolicies,validatingadmissionpolicybindings"
NO_ADMISSION_POLICIES = "admission policies were not read: none is counted as in force"
DEADLINE_S = 300.0
"""For one reading: the everyday plugin may ask the person to sign in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterRbac:
    """What kubectl printed; `accounts` and `admission_policies` are None where they may not be read."""

    rbac: Mapping[str, Any]
    accounts: Mapping[str, Any] | None
    admission_policies: Mapping[str, Any] | None


def read(kubectl: str, flags: Sequence[str], environ: Mapping[str, str]) -> ClusterRbac:
    """Read roles, bindings, service accounts and admission policies; `flags` say of which cluster.

    Raises:
        KubectlFailed: roles and bindings cannot be read; kubectl has said why.
    """
    return ClusterRbac(
        rbac=_get(kubectl, RBAC, flags, environ),
        accounts=_get_if_allowed(kubectl, ACCOUNTS, flags, environ),
        admission_policies=_get_if_allowed(kubectl, ADMISSION_POLICIES, flags, environ),
    )


def from_cluster(kubectl: str, flags: Sequence[str], environ: Mapping[str, str]) -> tuple[RbacObjects, tuple[str, ...]]:
    """Read a cluster's RBAC, and return with it notes about what could not be read; `flags` say of which cluster.

    Raises:
        KubectlFailed: roles and bindings cannot be read; kubectl has said why.
        RbacInvalid: kubectl printed something else.
    """
    printed = read(kubectl, flags, environ)
    lists = [one for one in (printed.rbac, printed.accounts, printed.admission_policies) if one is not None]
    location = FileLocation(file="")
    objects = objects_of(
        (Manifest(content=content, location=location) for one in lists for content in flattened(one, "kubectl get")),
        has_service_accounts=printed.accounts is not None,
    )
    notes = [] if printed.accounts is not None else [NO_ACCOUNTS]
    if printed.admission_policies is None:
        notes.append(NO_ADMISSION_POLICIES)
    if objects.gated:
        notes.append(f"admission policies are in force for the rules: {', '.join(sorted(objects.gated))}")
    return objects, tuple(notes)


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
