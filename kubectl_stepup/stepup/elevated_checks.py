"""What is checked before a command runs elevated: nothing redirects the token, and nobody can replace kubectl."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup.errors import CommandRefused, ProxyRefused
from kubectl_stepup.kubectl.proxied import REFUSED, hint_for

if TYPE_CHECKING:
    from kubectl_stepup.kubectl.installed import InstalledKubectl
    from kubectl_stepup.stepup.evaluate import Evaluation


def require_own_credentials(evaluation: Evaluation) -> None:
    """Refuse what would change who calls, or send the elevated token to somebody else.

    Raises:
        CommandRefused: names every such flag.
    """
    command = evaluation.command
    if command.edits_kubeconfig:
        raise CommandRefused(
            f"kubectl {command.name} cannot be stepped up: it would write into the kubeconfig of this one run",
            hint=f"kubectl stepup exec -- {command.name} ...",
        )
    if command.redirecting:
        raise CommandRefused(
            f"{', '.join(command.redirecting)} cannot stand in a stepped-up command: the elevated token is for the "
            "enrolled cluster and account alone",
            hint="repeat the command without it, or run kubectl itself with your everyday login",
        )
    if command.starts_proxy:
        raise ProxyRefused(
            "kubectl proxy cannot be stepped up: every local program could use its port",
            hint=hint_for(command.requests),
        )
    if command.reaches_proxy and command.read_path is None:
        raise ProxyRefused(
            f"kubectl {command.name} cannot be stepped up: {REFUSED}", hint=hint_for(evaluation.decision.requests)
        )


def require_safe_kubectl(kubectl: InstalledKubectl) -> None:
    """Refuse a kubectl that others can replace: whoever does would act with the elevation.

    Raises:
        CommandRefused: somebody can.
        KubectlFailed: there is no kubectl, or no longer the one that was checked before.
    """
    fault = kubectl.writable_by_others()
    if fault is not None:
        raise CommandRefused(f"{fault}, so {kubectl.path()} is not run elevated", hint=fault.hint)


def require_safe_plugin(evaluation: Evaluation, kubectl: InstalledKubectl) -> None:
    """Refuse a command that may be a plugin where others can replace it, or put one before it.

    Raises:
        CommandRefused: somebody can.
    """
    if evaluation.command.known:
        return
    fault = kubectl.plugin_writable_by_others(evaluation.argv)
    if fault is not None:
        raise CommandRefused(
            f"{fault}, so the plugin for kubectl {evaluation.command.name} is not run elevated", hint=fault.hint
        )
