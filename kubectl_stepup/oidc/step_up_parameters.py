"""What a step-up request carries beyond the flow's own parameters.

Spec: OpenID Connect Core 1.0 sections 3.1.2.1 and 5.5; RFC 9470 section 4.
"""

from __future__ import annotations

import json

from kubectl_stepup.errors import ConfigError
from kubectl_stepup.oidc.preset import Preset
from kubectl_stepup.oidc.requirement import Evidence, StepUpRequirement
from kubectl_stepup.sanitise import safe

MAX_COMMAND_LENGTH = 500
OFFLINE_ACCESS = "offline_access"
_LONGEST_ESCAPE = 10


def step_up_scope(preset: Preset, extra: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the scope to ask for: the preset's, the config's `extra`, the elevated one; never a refresh token's."""
    elevated = (preset.elevated_scope,) if preset.elevated_scope else ()
    wanted = dict.fromkeys((*preset.scopes, *extra, *elevated))
    return tuple(scope for scope in wanted if scope != OFFLINE_ACCESS)


def step_up_parameters(preset: Preset, requirement: StepUpRequirement, *, command: str | None) -> dict[str, str]:
    """Return the parameters that ask the provider for `requirement`.

    `command` is what will be run, for the approval page; it must hold no secret, and long ones are cut.

    Raises:
        ConfigError: the preset's claims template cannot be filled from the level's evidence.

    """
    parameters = dict(preset.parameters)
    acr_values = _acr_values(preset, requirement.evidence)
    if acr_values:
        parameters["acr_values"] = acr_values
    if preset.claims is not None:
        parameters["claims"] = _filled(preset.claims, requirement.evidence)
    if preset.max_age:
        # A device endpoint may turn max_age=0 into a prompt, which it then drops: 1 asks for the same and arrives.
        parameters["max_age"] = str(1 if requirement.fresh else max(1, requirement.signed_in_within_s))
    if preset.prompt is not None:
        parameters["prompt"] = preset.prompt
    if preset.command_parameter is not None and command is not None:
        parameters[preset.command_parameter] = _cut(command)
    return parameters


def _acr_values(preset: Preset, evidence: Evidence) -> str:
    if isinstance(preset.acr_values, str):
        return preset.acr_values
    return " ".join(evidence.acr) if preset.acr_values else ""


def _filled(template: str, evidence: Evidence) -> str:
    values = {"$acr": evidence.acr, "$acrs": evidence.acrs}

    def fill(value: object) -> object:
        if isinstance(value, dict):
            return {name: fill(item) for name, item in value.items()}
        if isinstance(value, list):
            return [fill(item) for item in value]
        if isinstance(value, str) and value in values:
            if not values[value]:
                raise ConfigError(f"the preset's claims need {value[1:]} in the level's evidence, which has none")
            return values[value][0]
        return value

    return json.dumps(fill(json.loads(template)), separators=(",", ":"))


def _cut(command: str) -> str:
    """Return the command in one line that any page can show; a byte that is no UTF-8 is an escape in it."""
    shown = safe(command, _LONGEST_ESCAPE * len(command))
    return shown if len(shown) <= MAX_COMMAND_LENGTH else shown[: MAX_COMMAND_LENGTH - 3] + "..."
