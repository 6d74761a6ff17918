"""Which values of a preset a config may replace, under which key, and what they must look like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from kubectl_stepup.errors import ConfigError
from kubectl_stepup.oidc.preset import FLOWS, Strategy
from kubectl_stepup.oidc.requirement import AuthTime
from kubectl_stepup.strict_json import JSONRefused, json_value

RESERVED_PARAMETERS = frozenset(
    {"client_id", "client_secret", "scope", "device_code", "grant_type", "code_challenge", "code_verifier", "nonce"}
)


def _string(key: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{key} must be a string that is not empty, got {value!r}")
    return value


def _optional_string(key: str, value: object) -> str | None:
    return None if value is None else _string(key, value)


def _boolean(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{key} must be true or false, got {value!r}")
    return value


def _boolean_or_string(key: str, value: object) -> bool | str:
    return value if isinstance(value, bool) else _string(key, value)


def _strings(key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ConfigError(f"{key} must be a list of strings, got {value!r}")
    return tuple(_string(f"{key}[{index}]", item) for index, item in enumerate(value))


def _scopes(key: str, value: object) -> tuple[str, ...]:
    scopes = _strings(key, value)
    if "openid" not in scopes:
        raise ConfigError(f"{key} must contain openid: without it there is no ID token")
    if "offline_access" in scopes:
        raise ConfigError(f"{key} must not contain offline_access: a refresh token is elevation without end")
    return scopes


def _flows(key: str, value: object) -> tuple[str, ...]:
    flows = _strings(key, value)
    for flow in flows:
        if flow not in FLOWS:
            raise ConfigError(f"{key} has {flow!r} (known: {', '.join(FLOWS)})")
    if not flows:
        raise ConfigError(f"{key} must name at least one flow")
    return flows


def _strategy(key: str, value: object) -> Strategy:
    text = _string(key, value)
    if text not in tuple(Strategy):
        raise ConfigError(f"{key} has {text!r} (known: {', '.join(Strategy)})")
    return Strategy(text)


def _auth_time(key: str, value: object) -> AuthTime:
    text = _string(key, value)
    if text not in tuple(AuthTime):
        raise ConfigError(f"{key} has {text!r} (known: {', '.join(AuthTime)})")
    return AuthTime(text)


def _claims(key: str, value: object) -> str | None:
    text = _optional_string(key, value)
    if text is not None:
        try:
            parsed = json_value(text)
        except JSONRefused as exc:
            raise ConfigError(f"{key} {exc}") from exc
        if not isinstance(parsed, dict):
            raise ConfigError(f"{key} must be a JSON object (OpenID Connect Core section 5.5)")
    return text


def _parameters(key: str, value: object) -> Mapping[str, str]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{key} must be a mapping of strings, got {value!r}")
    parameters = {_string(f"{key} name", name): _string(f"{key}.{name}", text) for name, text in value.items()}
    for name in sorted(RESERVED_PARAMETERS & parameters.keys()):
        raise ConfigError(f"{key}.{name} is set by the flow itself")
    if parameters.get("max_age") == "0":
        raise ConfigError(f"{key}.max_age must not be 0: a device endpoint may drop it without a word; use 1")
    return MappingProxyType(parameters)


OVERRIDES: Mapping[str, tuple[str, Callable[[str, object], object]]] = MappingProxyType(
    {
        "strategy": ("strategy", _strategy),
        "flows": ("flows", _flows),
        "scopes": ("scopes", _scopes),
        "elevatedScope": ("elevated_scope", _optional_string),
        "acrValues": ("acr_values", _boolean_or_string),
        "claims": ("claims", _claims),
        "maxAge": ("max_age", _boolean),
        "prompt": ("prompt", _optional_string),
        "parameters": ("parameters", _parameters),
        "commandParameter": ("command_parameter", _optional_string),
        "authTime": ("auth_time", _auth_time),
        "nonceInDevice": ("nonce_in_device", _boolean),
        "pkceInDevice": ("pkce_in_device", _boolean),
        "signingAlgorithms": ("signing_algorithms", _strings),
        "extraAudiences": ("extra_audiences", _strings),
        "endpointHosts": ("endpoint_hosts", _strings),
        "verificationHosts": ("verification_hosts", _strings),
        "revoke": ("revoke", _boolean),
    }
)
