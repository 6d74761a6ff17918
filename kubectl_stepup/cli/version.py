"""`version`: which program this is."""

from __future__ import annotations

import json
import platform
import sys

import click

from kubectl_stepup import __version__
from kubectl_stepup.cli.options import output_format
from kubectl_stepup.cli.output import data
from kubectl_stepup.names import API_VERSION


@click.command(name="version")
@output_format("table", "json")
def command(output: str) -> None:
    """Show the version.

    \b
    Examples:
      # For a bug report
      kubectl stepup version
    """
    facts = {
        "version": __version__,
        "python": platform.python_version(),
        "platform": f"{sys.platform}/{platform.machine()}",
        "frozen": bool(getattr(sys, "frozen", False)),
    }
    if output == "json":
        data(json.dumps({"apiVersion": API_VERSION, "kind": "Version", **facts}))
        return
    data(f"kubectl stepup {__version__} (python {facts['python']}, {facts['platform']})")
