"""`doctor`: find what is wrong, and rehearse the way out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from kubectl_stepup.cli.app import app_for
from kubectl_stepup.cli.options import common, output_format
from kubectl_stepup.cli.output import data
from kubectl_stepup.errors import UsageError
from kubectl_stepup.names import API_VERSION
from kubectl_stepup.stepup.options import Settings

if TYPE_CHECKING:
    from kubectl_stepup.ui.doctor_screens import Check


@click.command(name="doctor")
@click.option("--online", is_flag=True, help="Ask the identity providers too: clock, endpoints, keys, algorithms.")
@click.option("--rehearse", "rehearsing", is_flag=True, help="Prove that the break-glass way out works.")
@click.option("--cluster", metavar="NAME", help="With --rehearse: the enrolled cluster, or its context.")
@click.option("--break-glass-kubeconfig", metavar="FILE", help="With --rehearse: the kubeconfig that is kept for it.")
@output_format("table", "json")
@common
def command(
    online: bool,
    rehearsing: bool,
    cluster: str | None,
    break_glass_kubeconfig: str | None,
    output: str,
    common: Settings,
) -> int:
    """Look at everything that a step-up needs, with what to type where something is wrong. Exits 1 on a failure.

    With --rehearse: look at a cluster as the owner of a break-glass certificate would, without effect, and print what
    to do when nobody can step up.

    \b
    Examples:
      # This machine, the policy, the enrolled clusters
      kubectl stepup doctor
      # The identity providers as well
      kubectl stepup doctor --online
      # Before it is needed
      kubectl stepup doctor --rehearse --cluster prod-eu --break-glass-kubeconfig break-glass.yaml
    """
    from kubectl_stepup.ui.doctor_screens import FAIL, doctor_screen

    app = app_for(common)
    steps: tuple[str, ...] = ()
    if rehearsing:
        from kubectl_stepup.stepup.rehearse import rehearse, runbook

        if cluster is None or break_glass_kubeconfig is None:
            raise UsageError("--rehearse needs --cluster NAME and --break-glass-kubeconfig FILE")
        (enrolled,) = app.clusters(cluster)
        checks = list(rehearse(enrolled, break_glass_kubeconfig, app))
        steps = runbook(enrolled, break_glass_kubeconfig)
    else:
        from kubectl_stepup.stepup.doctor import diagnose, doctor_ports

        if cluster is not None or break_glass_kubeconfig is not None:
            raise UsageError("--cluster and --break-glass-kubeconfig belong to --rehearse")
        checks = list(diagnose(doctor_ports(app, online=online)))
    data(_as_json(checks) if output == "json" else "\n".join([doctor_screen(checks), *steps]))
    return 1 if any(one.state == FAIL for one in checks) else 0


def _as_json(checks: list[Check]) -> str:
    items = [one.as_dict() for one in checks]
    return json.dumps({"apiVersion": API_VERSION, "kind": "DoctorReport", "checks": items}, indent=2)
