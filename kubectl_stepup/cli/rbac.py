"""`rbac`: what the cluster's RBAC allows without a step-up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kubectl_stepup.cli.app import app_for
from kubectl_stepup.cli.options import common, output_format, target
from kubectl_stepup.cli.output import data
from kubectl_stepup.errors import UsageError
from kubectl_stepup.stepup.options import Settings, TargetOptions

if TYPE_CHECKING:
    from kubectl_stepup.stepup.rbac_audit import RbacAudit

SEVERITIES = ("critical", "high", "medium", "low")


@click.group(name="rbac")
def command() -> None:
    """Ask what the cluster's RBAC allows without a step-up."""


@command.command(name="audit", short_help="Find who need not step up")
@click.option("--cluster", metavar="NAME", help="The enrolled cluster, or its context, whose rules count.")
@click.option(
    "--from", "files", metavar="FILE", multiple=True, help="Read YAML or JSON, - for standard input, and no cluster."
)
@click.option("--fail-on", type=click.Choice(SEVERITIES), help="Exit with 1 on a finding as severe or worse.")
@click.option("--fix", is_flag=True, help="Print YAML that closes the gaps instead.")
@click.option("--severity", type=click.Choice(SEVERITIES), help="Only findings as severe or worse.")
@click.option("--subject", metavar="GLOB", help="Only subjects of this name.")
@output_format("table", "json", "yaml", "sarif")
@target
@common
def audit(files: tuple[str, ...], output: str, target: TargetOptions, common: Settings, **options: Any) -> int:
    """Find who reaches a sensitive action without stepping up, by which binding, role and rule.

    The policy in force says what is sensitive, in the cluster of --cluster or --context; without either, all of its
    rules count. Reads with your own kubectl and its credentials, and changes nothing. -n: what reaches a namespace.

    \b
    Examples:
      # The current context
      kubectl stepup rbac audit
      # In CI, from the manifests of a repository
      kubectl stepup rbac audit --from rbac.yaml --fail-on high -o sarif
      # Narrowed roles, to be read before they are applied
      kubectl stepup rbac audit --context prod-eu --subject dev --fix
    """
    from kubectl_stepup.stepup.rbac_audit import RbacAuditOptions, audit_rbac

    if options["fix"] and output not in ("table", "yaml"):
        raise UsageError(f"--fix prints YAML, not {output}", hint="kubectl stepup rbac audit --fix")
    found = audit_rbac(
        RbacAuditOptions(
            cluster=options["cluster"],
            context=target.context,
            kubeconfig=target.kubeconfig,
            files=files,
            subject=options["subject"],
            namespace=target.namespace,
            severity=options["severity"],
        ),
        app_for(common),
    )
    data(found.fix() if options["fix"] else _shown(found, output))
    return 1 if options["fail_on"] is not None and found.is_as_bad_as(options["fail_on"]) else 0


def _shown(found: RbacAudit, output: str) -> str:
    import json

    from kubectl_stepup import __version__
    from kubectl_stepup.rbac.report import document
    from kubectl_stepup.rbac.sarif import sarif
    from kubectl_stepup.ui.rbac_screens import findings_screen
    from kubectl_stepup.yaml_edit import yaml_file

    if output == "table":
        return findings_screen(found.findings, notes=found.notes, width=_width())
    if output == "sarif":
        return json.dumps(sarif(found.findings, version=__version__))
    whole = document(found.findings, cluster=found.target.cluster, notes=found.notes)
    return json.dumps(whole) if output == "json" else yaml_file.text_of(whole)


def _width() -> int | None:
    import shutil
    import sys

    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
