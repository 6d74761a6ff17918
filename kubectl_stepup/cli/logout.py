"""`logout`: end elevation sessions."""

from __future__ import annotations

import json

import click

from kubectl_stepup.cli.app import app_for
from kubectl_stepup.cli.options import common, output_format
from kubectl_stepup.cli.output import data
from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.names import API_VERSION
from kubectl_stepup.stepup.options import Settings


@click.command(name="logout")
@click.option("--context", metavar="NAME", help="Only this context's cluster.")
@click.option("--all", "everywhere", is_flag=True, help="Every session, of every terminal.")
@output_format("table", "json")
@common
def command(context: str | None, everywhere: bool, output: str, common: Settings) -> None:
    """End the sessions of this terminal; the next sensitive command asks again.

    Sessions that were made for all terminals end too; those of other terminals go on.

    \b
    Examples:
      # Here
      kubectl stepup logout
      # Everywhere
      kubectl stepup logout --all
    """
    from kubectl_stepup.stepup.sessions import StoredSessions, logout
    from kubectl_stepup.ui.notices import logout_text

    app = app_for(common)
    done = logout(app.clusters(context), StoredSessions.of(app), everywhere=everywhere)
    if output == "json":
        items = [
            {
                "id": item.session.id,
                "cluster": item.session.cluster,
                "level": item.session.level,
                "revoked": item.revoked,
            }
            for item in done.ended
        ]
        failures = list(done.failures)
        data(json.dumps({"apiVersion": API_VERSION, "kind": "Logout", "items": items, "failures": failures}, indent=2))
    else:
        data(
            logout_text(
                [(item.session.level, item.session.cluster, item.session.token_expires_at) for item in done.ended],
                revoked=[item.revoked for item in done.ended],
                now=app.moment().wall,
                where=context,
            )
        )
    if done.failures:
        raise StoreUnavailable(
            f"not everything could be removed: {'; '.join(done.failures)}", hint="kubectl stepup logout --all"
        )
