"""The policy as a document: shown whole, looked through, and written for the first time."""

from __future__ import annotations

import json
import sys
from importlib import resources
from typing import TYPE_CHECKING

from kubectl_stepup import environment
from kubectl_stepup.config import places
from kubectl_stepup.errors import ConfigError, PolicyError
from kubectl_stepup.policy.document_of import document_of
from kubectl_stepup.policy.expansion import EXPANSIONS
from kubectl_stepup.policy.lint import Enrolled, lint
from kubectl_stepup.ui.policy_screens import expansion_screen, policy_screen
from kubectl_stepup.yaml_edit import edited_file, yaml_file

if TYPE_CHECKING:
    from kubectl_stepup.policy.lint import Finding
    from kubectl_stepup.stepup.app import App


def in_force(app: App, output: str) -> str:
    """Return the policy in force as `table`, or as a document in `yaml` or `json`."""
    policy = app.policy
    if output == "table":
        return policy_screen(policy)
    document = document_of(policy)
    if output == "json":
        return json.dumps(document)
    files = "".join(f"# {file}\n" for file in policy.files)
    return files + yaml_file.text_of(document)


def expanded(output: str) -> str:
    """Return what the actions stand for as `table`, `yaml` or `json`."""
    if output == "table":
        return expansion_screen(EXPANSIONS)
    objects = [
        {
            "action": action,
            "verbs": list(one.verbs),
            "resources": list(one.resources),
            "enforcedBy": one.enforced_by,
            **({"only": one.only} if one.only else {}),
        }
        for action, rows in EXPANSIONS.items()
        for one in rows
    ]
    return json.dumps(objects) if output == "json" else yaml_file.text_of(objects)


def schema_of(kind: str) -> str:
    """Return the JSON Schema of a kind of file: `Policy`, `PolicyTest` or `Config`."""
    name = {"Policy": "policy", "PolicyTest": "policy-test", "Config": "config"}[kind]
    return resources.files("kubectl_stepup").joinpath("schemas", f"{name}.schema.json").read_text("utf-8").rstrip("\n")


def linted(app: App) -> tuple[Finding, ...]:
    """Look for what is wrong with the policy in force, given what is enrolled."""
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


def write_new(app: App, text: str) -> str:
    """Write the user's policy file where there is none yet; give its path.

    Raises:
        PolicyError: there is one, which is left as it is, or it cannot be written.
        ConfigError: the environment knows no place for it.
    """
    named = app.settings.policy or app.environ.get(environment.POLICY)
    path = named or places.user_policy(app.environ, platform=sys.platform)
    if path is None:
        raise ConfigError("there is no place for the policy: neither HOME nor XDG_CONFIG_HOME is set")
    place = path

    def first(before: bytes | None) -> bytes:
        if before is not None:
            raise PolicyError(f"{place}: exists already", hint="kubectl stepup policy init --dry-run")
        return text.encode()

    edited_file.change(place, first, clock=app.clock, error=PolicyError)
    return place
