"""From a command's options to the application it works with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup.cli.app import Application, Settings, application

if TYPE_CHECKING:
    from kubectl_stepup.cli.options import CommonOptions


def build(common: CommonOptions) -> Application:
    """Build the application for these options."""
    return application(
        Settings(
            config=common.config,
            policy=common.policy,
            quiet=common.quiet,
            verbose=common.verbose,
            no_input=common.no_input,
        )
    )
