"""`rbac`: what the cluster's RBAC allows without a step-up."""

from __future__ import annotations

import click

from kubectl_stepup.cli.app import app_for
from kubectl_stepup.cli.options import CommonOptions, TargetOptions, common, output_format, target
from kubectl_stepup.cli.output import data
from kubectl_stepup.errors import UsageError

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
def audit(
    files: tuple[str, ...], output: str, target: TargetOptions, common: CommonOptions, **asked: str | bool | None
) -> int:
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
    from kubectl_stepup.wiring.auditing import Wanted, fix_text, reviewed, shown

    if asked["fix"] and output not in ("table", "yaml"):
        raise UsageError(f"--fix prints YAML, not {output}", hint="kubectl stepup rbac audit --fix")
    found = reviewed(
        Wanted(
            cluster=_text(asked["cluster"]),
            context=target.context,
            kubeconfig=target.kubeconfig,
            files=files,
            subject=_text(asked["subject"]),
            namespace=target.namespace,
            severity=_text(asked["severity"]),
        ),
        app_for(common),
    )
    data(fix_text(found) if asked["fix"] else shown(found, output, width=_width()))
    fail_on = _text(asked["fail_on"])
    return 1 if fail_on is not None and found.is_as_bad_as(fail_on) else 0


def _text(value: str | bool | None) -> str | None:
    return value if isinstance(value, str) else None


def _width() -> int | None:
    import shutil
    import sys

    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
