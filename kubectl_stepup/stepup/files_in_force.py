"""The files in force: config, policy, what clusters publish, kubeconfig, and the directories of this program."""

from __future__ import annotations

import os
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import kubectl_stepup
from kubectl_stepup import environment
from kubectl_stepup.config import files, places
from kubectl_stepup.config.document import config_of
from kubectl_stepup.errors import ConfigError
from kubectl_stepup.kubeconfig import config_v1, load
from kubectl_stepup.sessions import rests_on
from kubectl_stepup.yaml_edit import yaml_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_stepup.config.model import Config
    from kubectl_stepup.kubeconfig.load import Kubeconfig
    from kubectl_stepup.policy.model import Policy
    from kubectl_stepup.stepup.options import Settings


class FilesInForce:
    """The files that this program works by; each is read when it is first used."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self.settings = settings
        self.environ = environ
        # Before any of these files is read: one that is changed meanwhile is another one then.
        self.rests_on = files_in_force(environ, config=settings.config, policy=settings.policy)

    @cached_property
    def config(self) -> Config:
        """The enrolled providers and clusters."""
        return self.read_config()

    def read_config(self) -> Config:
        """Read the config files as they are now."""
        pair = files.config_files(self.environ, self.settings.config)
        return config_of(
            *(None if one is None else yaml_file.parse(one.data, one.path) for one in (pair.system, pair.user))
        )

    @cached_property
    def policy(self) -> Policy:
        """The policy in force: this machine's files, and what clusters publish."""
        from kubectl_stepup.stepup.policy_in_force import policy_in_force

        return policy_in_force(self.environ, self.settings.policy)

    @cached_property
    def own_policy(self) -> Policy:
        """The policy of this machine's files alone: what a server's objects are made of."""
        from kubectl_stepup.stepup.policy_in_force import own_policy

        return own_policy(self.environ, self.settings.policy)

    @cached_property
    def published_policies(self) -> str | None:
        """The file of what clusters published; None: there is no place for it."""
        return places.published_policies(self.environ, platform=sys.platform)

    def kubeconfig(self, flag: str | None) -> Kubeconfig:
        """Read the kubeconfig files for their names: users are without credentials where a file was read before."""
        from kubectl_stepup.kubeconfig.names_cache import NamesParse

        directory = places.cache_directory(self.environ, platform=sys.platform)
        parse = config_v1.parse if directory is None else NamesParse(directory, config_v1.parse)
        return load.load(self.environ, flag, parse=parse)

    def whole_kubeconfig(self, flag: str | None) -> Kubeconfig:
        """Read the kubeconfig files with all that is in them."""
        return load.load(self.environ, flag)

    @cached_property
    def state_directory(self) -> Path:
        """Where the audit log is."""
        named = places.state_directory(self.environ, platform=sys.platform)
        if named is None:
            raise ConfigError("there is no place for the audit log: neither HOME nor XDG_STATE_HOME is set")
        return Path(named)

    @cached_property
    def runtime_directory(self) -> Path:
        """Where locks and short-lived files are."""
        from kubectl_stepup.kubectl import run_directory
        from kubectl_stepup.sessions.runtime_directory import clear_away, runtime_directory

        directory = runtime_directory(self.environ, state_directory=self.state_directory)
        clear_away(directory)
        run_directory.clear_away(str(directory))
        return directory


def files_in_force(environ: Mapping[str, str], *, config: str | None, policy: str | None) -> str:
    """Return what the files are known by now, whether they are there or not, as a record keeps it (rests_on.py).

    `config` and `policy` are what the flags of these names name.
    """
    platform = sys.platform
    named = (
        files.config_path(environ, config),
        places.system_config(environ, platform=platform),
        policy or environ.get(environment.POLICY) or places.user_policy(environ, platform=platform),
        places.system_policy(environ, platform=platform),
        os.path.join(os.path.dirname(kubectl_stepup.__file__), "policy", "default-policy.yaml"),
        places.published_policies(environ, platform=platform),
    )
    return rests_on.line_of([_absolute(path) for path in named if path is not None])


def _absolute(path: str) -> str:
    try:
        return os.path.abspath(path)
    except OSError:  # the working directory is gone, and with it a file that is named from there
        return path
