"""The presets: what each known identity provider does with a step-up, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from kubectl_stepup.errors import ConfigError
from kubectl_stepup.oidc.preset import ELEVATED_CLIENT, Preset, Strategy
from kubectl_stepup.oidc.preset_overrides import OVERRIDES
from kubectl_stepup.oidc.requirement import AuthTime, Evidence

__all__ = ["PRESETS", "Preset", "preset_with"]


# What each provider does was read in its source or documentation, and for oidc-provider and Glewlwyd seen in tokens;
# docs/how-to has the settings each needs. A claim that was only read is still checked in every token.
_ALL = (
    Preset(name="generic"),
    Preset(
        name="oidc-provider",
        command_parameter="stepup_command",
        evidence=MappingProxyType({"mfa": Evidence(acr=("urn:stepup:mfa",))}),
    ),
    Preset(
        # The device endpoint keeps scope, nonce and PKCE and drops the rest, so the client's own flow must demand MFA.
        name="keycloak",
        strategy=Strategy.CLIENT,
        acr_values=False,
        max_age=False,
        nonce_in_device=True,
        evidence=MappingProxyType({"mfa": Evidence(acr=("gold", "2"))}),
    ),
    Preset(
        name="okta",
        strategy=Strategy.CLIENT,
        acr_values=False,
        max_age=False,
        pkce_in_device=False,
        evidence=MappingProxyType({"mfa": Evidence(acr=("urn:okta:loa:2fa:any", "phr", "phrh"))}),
    ),
    Preset(
        name="auth0",
        strategy=Strategy.CLIENT,
        acr_values=False,
        max_age=False,
        pkce_in_device=False,
        evidence=MappingProxyType({"mfa": Evidence(amr=("mfa",))}),
    ),
    Preset(
        name="entra",
        acr_values=False,
        claims='{"id_token":{"acrs":{"essential":true,"value":"$acrs"}}}',
        max_age=False,
        pkce_in_device=False,
        endpoint_hosts=("login.microsoftonline.com",),
        verification_hosts=("login.microsoft.com", "microsoft.com", "www.microsoft.com"),
        evidence=MappingProxyType({"mfa": Evidence(acrs=("c1",))}),
        revoke=False,
    ),
    Preset(
        name="cognito",
        strategy=Strategy.CODE,
        flows=("code",),
        evidence=MappingProxyType({"mfa": Evidence(acr=("urn:cognito:loa:3", "urn:cognito:loa:4"))}),
    ),
    Preset(
        name="pingone",
        strategy=Strategy.CODE,
        flows=("code",),
        evidence=MappingProxyType({"mfa": Evidence(acr=("Multi_Factor",))}),
    ),
    Preset(
        name="authelia",
        strategy=Strategy.CLIENT,
        acr_values=False,
        max_age=False,
        pkce_in_device=False,
        evidence=MappingProxyType({"mfa": Evidence(amr=("mfa",))}),
    ),
    Preset(
        # Its auth_time falls back to "now" when it does not find the login event.
        name="authentik",
        strategy=Strategy.CLIENT,
        acr_values=False,
        max_age=False,
        pkce_in_device=False,
        auth_time=AuthTime.UNTRUSTED,
        evidence=MappingProxyType({"mfa": Evidence(amr=("mfa",))}),
    ),
    Preset(
        name="zitadel",
        strategy=Strategy.CLIENT,
        acr_values=False,
        max_age=False,
        pkce_in_device=False,
        evidence=MappingProxyType({"mfa": Evidence(amr=("mfa",))}),
    ),
    Preset(
        name="dex",
        strategy=Strategy.CLIENT,
        flows=("device",),
        acr_values=False,
        max_age=False,
        auth_time=AuthTime.ABSENT,
        evidence=MappingProxyType({"mfa": Evidence(aud=(ELEVATED_CLIENT,))}),
        revoke=False,
    ),
    Preset(name="hydra", strategy=Strategy.CODE, flows=("code",)),
    Preset(
        # Its auth_time is the time of issue; it reduces the granted scope without an error.
        name="glewlwyd",
        strategy=Strategy.SCOPE,
        flows=("device",),
        elevated_scope="kube-admin",
        acr_values=False,
        max_age=False,
        pkce_in_device=False,
        auth_time=AuthTime.UNTRUSTED,
        evidence=MappingProxyType({"mfa": Evidence(scope=("kube-admin",), amr=("otp",))}),
        revoke=False,
    ),
    Preset(
        name="google",
        flows=(),
        unsupported="its ID tokens carry no acr, amr or auth_time, so nothing proves a second factor; "
        "put a broker such as Dex or Keycloak in front of it",
    ),
)

PRESETS: Mapping[str, Preset] = MappingProxyType({preset.name: preset for preset in _ALL})
"""Every preset by name; `generic` is the default."""


def preset_with(name: str, overrides: Mapping[str, object]) -> Preset:
    """Return preset `name` with `overrides`, whose keys are the config's (`acrValues`, `maxAge`, …).

    Raises:
        ConfigError: unknown preset, unknown key, or a value of the wrong kind; the message has no file or line.

    """
    if name not in PRESETS:
        raise ConfigError(f"preset {name!r} is unknown (known: {', '.join(sorted(PRESETS))})")
    changes: dict[str, object] = {}
    for key, value in overrides.items():
        if key not in OVERRIDES:
            raise ConfigError(f"{key!r} cannot be overridden in a preset (known: {', '.join(sorted(OVERRIDES))})")
        attribute, read = OVERRIDES[key]
        changes[attribute] = read(key, value)
    # mypy cannot see through a mapping of names; each reader gives the type of its attribute.
    return replace(PRESETS[name], **changes)  # type: ignore[arg-type]
