"""`setup`: enrol a kubeconfig context."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import click

from kubectl_stepup.cli.app import app_for
from kubectl_stepup.cli.options import common
from kubectl_stepup.cli.output import data
from kubectl_stepup.errors import Cancelled, UsageError
from kubectl_stepup.stepup.options import Settings

if TYPE_CHECKING:
    from kubectl_stepup.config.model import Cluster


@click.command(name="setup")
@click.option("--context", metavar="NAME", help="The kubeconfig context to enrol; the current one by default.")
@click.option("--kubeconfig", metavar="FILE", help="The kubeconfig file.")
@click.option("--issuer", metavar="URL", help="The OpenID Provider, exactly as the API server has it.")
@click.option("--client-id", metavar="ID", help="The client of the everyday login.")
@click.option("--elevated-client-id", metavar="ID", help="The client of the step-up [<client-id>-elevated].")
@click.option("--preset", metavar="NAME", help="What the provider is: keycloak, okta, entra, dex, ... [generic].")
@click.option("--evidence", metavar="LEVEL:CLAIM=VALUES", multiple=True, help="What proves a level: mfa:acr=gold,phr.")
@click.option("--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Override a value of the preset.")
@click.option("--provider", metavar="NAME", help="The provider's name here, or one that is enrolled already.")
@click.option("--account", metavar="VALUE", help="Your account; by default proven by your everyday token.")
@click.option("--account-claim", metavar="CLAIM", help="The claim that holds it [sub].")
@click.option("--ca-file", metavar="FILE", help="The provider's CA; the system's by default.")
@click.option("--name", metavar="NAME", help="The cluster's name in policies [the context's].")
@click.option("--label", "labels", metavar="KEY=VALUE", multiple=True, help="A label for policies.")
@click.option("--elevated-context", metavar="NAME", help="Also write a static elevated context (GUI clients).")
@click.option("--level", metavar="NAME", help="The level of the static context; the weakest by default.")
@click.option("--remove", is_flag=True, help="Take out the enrolment, or with --elevated-context that context alone.")
@click.option("--dry-run", is_flag=True, help="Show the changes and make none.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before writing.")
@common
def command(common: Settings, **options: object) -> None:
    """Enrol a kubeconfig context: show the changes, ask, write them.

    \b
    Examples:
      # The current context, signed in by Keycloak
      kubectl stepup setup --issuer https://login.example.com/realms/prod --client-id kubectl --preset keycloak
      # A second context at the same provider, with a label for policies
      kubectl stepup setup --context prod-us --provider login.example.com --label env=prod
      # A static context for GUI clients
      kubectl stepup setup --elevated-context prod-eu-elevated
    """
    from kubectl_stepup.cli.setup_options import enrolment_of
    from kubectl_stepup.sanitise import safe
    from kubectl_stepup.stepup.login import require_enrolled
    from kubectl_stepup.stepup.setup import plan_enrolment, plan_removal
    from kubectl_stepup.stepup.setup_files import carry_out, clear_away, enrol_ports

    app = app_for(common)
    wanted = enrolment_of(options)
    context, kubeconfig = options["context"], options["kubeconfig"]
    resolved = app.whole_kubeconfig(_text(kubeconfig)).resolve(_text(context))
    ports = enrol_ports(app, _text(kubeconfig))
    if options["remove"]:
        cluster = require_enrolled(ports.config, resolved, hint="kubectl stepup status")
        changes = plan_removal(wanted, resolved, cluster, ports)
    else:
        cluster, changes = plan_enrolment(wanted, resolved, ports)
    if not options["dry_run"]:
        clear_away(app, ports.config_path, resolved.file, *(change.path for change in changes))
    changes = [change for change in changes if change.diff]
    if not changes:
        data(f"Nothing to change: {safe(cluster.name, 80)} is {'not ' if options['remove'] else ''}enrolled as asked")
        return
    for change in changes:
        data(change.diff)
    if options["dry_run"]:
        return
    _confirm(bool(options["yes"]), no_input=common.no_input)
    carry_out(app, changes, cluster, ports.config, removed=bool(options["remove"]))
    _say_what_was_done(cluster, str(options["elevated_context"] or ""), removed=bool(options["remove"]))


def _say_what_was_done(cluster: Cluster, static_context: str, *, removed: bool) -> None:
    from kubectl_stepup.sanitise import safe, safe_url

    name, static = safe(cluster.name, 80), safe(static_context, 80)
    if static and removed:
        data(f"Removed the static context {static}")
        return
    verb = "Removed" if removed else "Enrolled"
    data(f"{verb} {name} ({safe_url(cluster.server)}, account {safe(cluster.account, 120)})")
    login = f"kubectl stepup login --context {safe(shlex.quote(cluster.context), 120)}"
    if static:
        data(f"Static context {static}; step up for it: {login} --scope user")
    elif not removed:
        data(f"Try it: {login}")


def _confirm(yes: bool, *, no_input: bool) -> None:
    if yes:
        return
    if no_input or not sys.stdin.isatty():
        raise UsageError("the changes need a yes, and nobody can be asked", hint="kubectl stepup setup --yes ...")
    try:
        agreed = click.confirm("Write these changes?", err=True)
    except click.Abort:
        agreed = False
        click.echo(err=True)
    if not agreed:
        raise Cancelled("cancelled, nothing was changed")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
