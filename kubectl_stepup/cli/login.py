"""`login`: step up now, run nothing."""

from __future__ import annotations

import click

from kubectl_stepup.cli.app import app_for
from kubectl_stepup.cli.options import common
from kubectl_stepup.stepup.options import Settings, StepUpOptions, TargetOptions


@click.command(name="login")
@click.option("--context", metavar="NAME", help="The kubeconfig context.")
@click.option("--kubeconfig", metavar="FILE", help="The kubeconfig file.")
@click.option("--level", metavar="NAME", help="The level; the weakest by default.")
@click.option("--fresh", is_flag=True, help="Sign in again; reuse no session.")
@click.option("-r", "--reason", metavar="TEXT", help="The reason, for the audit log.")
@click.option(
    "--scope",
    type=click.Choice(["tty", "user"]),
    default="tty",
    show_default=True,
    help="Who may use the session: this terminal, or all of yours (GUI clients).",
)
@click.option("--no-browser", "browser", flag_value=False, default=True, help="Do not open a browser.")
@common
def command(  # noqa: PLR0913 - one parameter an option
    context: str | None,
    kubeconfig: str | None,
    level: str | None,
    fresh: bool,
    reason: str | None,
    scope: str,
    browser: bool,
    common: Settings,
) -> None:
    """Step up now, so that the next commands do not ask.

    \b
    Examples:
      # The current context, from this terminal
      kubectl stepup login
      # For a GUI client that uses the static context
      kubectl stepup login --context prod-eu --scope user
    """
    from kubectl_stepup.sessions.scope import USER_SCOPE
    from kubectl_stepup.stepup.login import login

    app = app_for(common)
    target = TargetOptions(context=context, kubeconfig=kubeconfig)
    options = StepUpOptions(level=level, fresh=fresh, reason=reason, browser=browser)
    login(target, options, app, scope=USER_SCOPE if scope == "user" else app.scope)
