"""The App of this process, from a command's options."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kubectl_stepup.stepup.app import App
from kubectl_stepup.stepup.options import Settings

if TYPE_CHECKING:
    from kubectl_stepup.cli.options import CommonOptions


def app_for(common: CommonOptions) -> App:
    """Return the App for these options and the environment of this process."""
    settings = Settings(
        config=common.config,
        policy=common.policy,
        quiet=common.quiet,
        verbose=common.verbose,
        no_input=common.no_input,
    )
    return App(settings, dict(os.environ))
