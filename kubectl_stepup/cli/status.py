"""`status`: show elevation sessions."""

from __future__ import annotations

import json
import shlex

import click

from kubectl_stepup.cli.app import app_for
from kubectl_stepup.cli.options import common, output_format
from kubectl_stepup.cli.output import data
from kubectl_stepup.errors import LoginNeeded
from kubectl_stepup.names import API_VERSION
from kubectl_stepup.stepup.options import Settings

NAME_LIMIT = 2000


@click.command(name="status")
@click.option("--context", metavar="NAME", help="Only this context's cluster.")
@click.option("--level", metavar="NAME", help="With --check: at least this level.")
@click.option("--check", is_flag=True, help="Exit with 4 where there is no live session.")
@output_format("table", "json", "name")
@common
def command(context: str | None, level: str | None, check: bool, output: str, common: Settings) -> None:
    """Show what this terminal is elevated to, and for how long.

    \b
    Examples:
      # All enrolled clusters
      kubectl stepup status
      # In a script: is there a session for prod?
      kubectl stepup status --check --context prod-eu
    """
    from kubectl_stepup.stepup.request import named_level
    from kubectl_stepup.stepup.sessions import StoredSessions, live_sessions
    from kubectl_stepup.stepup.status import as_objects, as_rows, meets

    app = app_for(common)
    if level is not None:
        named_level(app.policy.replace(levels=app.policy.all_levels), level)
    clusters = app.clusters(context)
    found = list(live_sessions(clusters, StoredSessions.of(app)))
    now = app.moment().wall
    if output == "json":
        items = as_objects(found, store=app.store.name)
        data(json.dumps({"apiVersion": API_VERSION, "kind": "SessionList", "items": items}, indent=2))
    elif output == "name":
        from kubectl_stepup.sanitise import safe

        data("\n".join(safe(f"{item.cluster.name}/{item.level.name}", NAME_LIMIT) for item in found))
    else:
        from kubectl_stepup.ui.tables import status_table

        if not clusters and not check:
            app.terminal.line("No cluster is enrolled yet: kubectl stepup setup --help")
        data(status_table(as_rows(clusters, found, store=app.store.name, now=now)))
    if check and not meets(found, app.policy, level):
        where = f" for context {context}" if context else ""
        again = f"kubectl stepup login --context {shlex.quote(context)}" if context else "kubectl stepup login"
        raise LoginNeeded(f"there is no live session{where}", hint=again)
