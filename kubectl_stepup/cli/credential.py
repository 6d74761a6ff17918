"""`credential`: serve kubectl as an exec credential plugin (client.authentication.k8s.io)."""

from __future__ import annotations

import click

from kubectl_stepup.cli.app import app_for
from kubectl_stepup.cli.output import data
from kubectl_stepup.stepup.options import Settings


@click.command(name="credential", hidden=True)
@click.option("--session", required=True, metavar="ID", help="The session id, as `setup` wrote it.")
@click.option("--handover", metavar="SOCKET", help="Where `exec` hands the session over.")
@click.option("--store-directory", metavar="DIR", help="Where file sessions are.")
@click.option("--store", type=click.Choice(["keyring"]), help="Look in the Secret Service.")
def command(session: str, handover: str | None, store_directory: str | None, store: str | None) -> None:
    """Return an ExecCredential to the enrolled server; kubectl runs this, people do not."""
    from kubectl_stepup.kubectl.caller import end_with_caller
    from kubectl_stepup.stepup.credential import credential

    del handover, store_directory, store  # the fast path looked there already
    end_with_caller()
    data(credential(session, app_for(Settings(), from_credential=True)))
