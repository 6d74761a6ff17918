"""`audit`: read the audit log."""

from __future__ import annotations

import json

import click

from kubectl_stepup.cli.app import app_for
from kubectl_stepup.cli.options import common, output_format
from kubectl_stepup.cli.output import data
from kubectl_stepup.names import API_VERSION
from kubectl_stepup.stepup.options import Settings


@click.group(name="audit")
def command() -> None:
    """Read the audit log: what was requested, proven and run."""


@command.command(name="list")
@click.option("--last", type=click.IntRange(min=1), default=50, show_default=True, help="How many lines.")
@output_format("table", "json")
@common
def list_(last: int, output: str, common: Settings) -> None:
    """List elevated runs and denials, newest first.

    \b
    Examples:
      # What was run elevated lately
      kubectl stepup audit list
      # Everything there is to know about it
      kubectl stepup audit list -o json
    """
    from kubectl_stepup.audit.view import rows

    app = app_for(common)
    records = app.audit.read()
    if output == "json":
        items = [json.loads(record.line) for record in records[-last:]]
        data(json.dumps({"apiVersion": API_VERSION, "kind": "AuditEventList", "items": items}, indent=2))
        return
    from kubectl_stepup.ui.tables import audit_summary, audit_table

    data(audit_table(rows(records)[:last], now=app.clock.now()))
    data(audit_summary(app.audit.verify()))
