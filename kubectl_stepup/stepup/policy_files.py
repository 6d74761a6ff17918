"""`policy lint`, `init` and `forget`: the files of the policy in force, checked, begun and cleared."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kubectl_stepup import environment
from kubectl_stepup.config import places
from kubectl_stepup.errors import ConfigError, PolicyError
from kubectl_stepup.policy import published_file
from kubectl_stepup.policy.lint import Enrolled, lint
from kubectl_stepup.yaml_edit import edited_file

if TYPE_CHECKING:
    from kubectl_stepup.policy.lint import Finding
    from kubectl_stepup.stepup.app import App


def lint_policy(app: App) -> tuple[Finding, ...]:
    """Return what is wrong with the policy in force, given the enrolled clusters and providers."""
    policy, config = app.policy, app.config
    used = {cluster.provider for cluster in config.clusters}
    proven = {
        provider.name: frozenset(
            level.name for level in policy.all_levels if provider.evidence_of(level.name) is not None
        )
        for provider in config.providers
        if provider.name in used
    }
    clusters = {cluster.name: cluster.labels for cluster in config.clusters}
    return lint(policy, Enrolled(clusters=clusters, proven=proven))


def write_policy(app: App, text: str) -> str:
    """Write the user's policy file where there is none yet, and return its path.

    Raises:
        PolicyError: there is one, which is left as it is, or it cannot be written.
        ConfigError: the environment knows no place for it.
    """
    named = app.settings.policy or app.environ.get(environment.POLICY)
    path = named or places.user_policy(app.environ, platform=sys.platform)
    if path is None:
        raise ConfigError("there is no place for the policy: neither HOME nor XDG_CONFIG_HOME is set")

    def first(before: bytes | None) -> bytes:
        if before is not None:
            raise PolicyError(f"{path}: exists already", hint="kubectl stepup policy init --dry-run")
        return text.encode()

    edited_file.change(path, first, clock=app.clock, error=PolicyError)
    return path


def forget_published(app: App, cluster: str | None) -> tuple[str, ...]:
    """Forget what a cluster published (None: what all did), and return the names of those that had something kept.

    Raises:
        PolicyError: the file cannot be read or written.
    """
    path = app.published_policies
    return () if path is None else published_file.forget(path, cluster, clock=app.clock)
