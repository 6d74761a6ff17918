"""`demo`: try everything on an embedded identity provider and cluster."""

from __future__ import annotations

import os

import click

from kubectl_stepup.cli.output import data


@click.command(name="demo")
@click.option("-y", "--yes", is_flag=True, help="Play the whole story without a human; exit with 1 on any surprise.")
def command(yes: bool) -> int:
    """Try it: a shell with an identity provider, a cluster and a person of its own.

    Your kubeconfig is not read, and nothing is left behind.

    \b
    Examples:
      # A shell to play in
      kubectl stepup demo
      # The whole story, played by itself
      kubectl stepup demo --yes
    """
    if yes:
        from kubectl_stepup.demo.story import tell

        return tell(os.environ, data)
    from kubectl_stepup.demo.shell import open_shell

    return open_shell(os.environ, data)
