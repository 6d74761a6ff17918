"""`credential`: serve kubectl as an exec credential plugin (client.authentication.k8s.io)."""

from __future__ import annotations

import click

from kubectl_stepup.cli.app import Settings, application
from kubectl_stepup.cli.output import data


@click.command(name="credential", hidden=True)
@click.option("--session", required=True, metavar="ID", help="The session id, as `setup` wrote it.")
@click.option("--handover", metavar="SOCKET", help="Where `exec` hands the session over.")
@click.option("--store-directory", metavar="DIR", help="Where file sessions are.")
@click.option("--store", type=click.Choice(["keyring"]), help="Look in the Secret Service.")
def command(session: str, handover: str | None, store_directory: str | None, store: str | None) -> None:
    """Give an ExecCredential to the enrolled server; kubectl runs this, people do not."""
    from kubectl_stepup.kubectl.caller import end_with_caller
    from kubectl_stepup.stepup.credential import credential
    from kubectl_stepup.wiring.running import credential_ports

    del handover, store_directory, store  # the fast road looked there already
    end_with_caller()
    application_ = application(Settings(from_credential=True))
    data(credential(session, credential_ports(application_)))
