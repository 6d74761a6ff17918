from __future__ import annotations

import json

import pytest

from kubectl_stepup.errors import ConfigError
from kubectl_stepup.oidc.preset import ELEVATED_CLIENT, Preset
from kubectl_stepup.oidc.presets import PRESETS, preset_with
from kubectl_stepup.oidc.requirement import AuthTime, Evidence


def test_every_preset_can_be_used_or_says_why_not() -> None:
    for name, preset in PRESETS.items():
        assert preset.name == name
        assert bool(preset.flows) is (preset.unsupported is None)
        assert "openid" in preset.scopes
        assert "offline_access" not in preset.scopes
        if preset.claims is not None:
            json.loads(preset.claims)
    assert PRESETS["google"].unsupported


def test_the_elevated_client_takes_its_place_in_the_evidence() -> None:
    assert PRESETS["dex"].default_evidence("mfa", "kube-up") == Evidence(aud=("kube-up",))
    assert PRESETS["dex"].default_evidence("critical", "kube-up") is None
    assert PRESETS["auth0"].default_evidence("mfa", "kube-up") == Evidence(amr=("mfa",))
    shared = Preset(name="x", evidence={"mfa": Evidence(aud=("api", ELEVATED_CLIENT))})
    assert shared.default_evidence("mfa", "kube-up") == Evidence(aud=("api", "kube-up"))


def test_overrides_replace_the_presets_own() -> None:
    preset = preset_with(
        "keycloak",
        {
            "strategy": "param",
            "flows": ["device"],
            "scopes": ["openid", "groups"],
            "acrValues": True,
            "maxAge": True,
            "authTime": "untrusted",
            "nonceInDevice": False,
            "claims": None,
            "parameters": {"audience": "x"},
            "endpointHosts": ["auth.example.com"],
            "signingAlgorithms": ["ES256"],
        },
    )
    assert (preset.name, preset.strategy, preset.flows, preset.scopes) == (
        "keycloak",
        "param",
        ("device",),
        ("openid", "groups"),
    )
    assert (preset.acr_values, preset.max_age, preset.auth_time) == (True, True, AuthTime.UNTRUSTED)
    assert (preset.parameters, preset.endpoint_hosts) == ({"audience": "x"}, ("auth.example.com",))
    assert preset_with("keycloak", {}) == PRESETS["keycloak"]


@pytest.mark.parametrize(
    ("name", "overrides", "message"),
    [
        ("keyclock", {}, "preset 'keyclock' is unknown (known: auth0, authelia"),
        (
            "generic",
            {"maxage": True},
            "'maxage' cannot be overridden in a preset (known: acrValues, authTime, claims, ",
        ),
        ("generic", {"maxAge": 1}, "maxAge must be true or false, got 1"),
        ("generic", {"acrValues": 5}, "acrValues must be a string that is not empty, got 5"),
        ("generic", {"scopes": ["openid", ""]}, "scopes[1] must be a string that is not empty, got ''"),
        ("generic", {"flows": "device"}, "flows must be a list of strings, got 'device'"),
        ("generic", {"strategy": 5}, "strategy must be a string that is not empty, got 5"),
        ("generic", {"authTime": None}, "authTime must be a string that is not empty, got None"),
        ("generic", {"claims": {}}, "claims must be a string that is not empty, got {}"),
        ("generic", {"parameters": {5: "x"}}, "parameters name must be a string that is not empty, got 5"),
        ("generic", {"parameters": {"audience": 5}}, "parameters.audience must be a string that is not empty, got 5"),
        ("generic", {"scopes": ["groups"]}, "scopes must contain openid"),
        ("generic", {"scopes": ["openid", "offline_access"]}, "scopes must not contain offline_access"),
        ("generic", {"scopes": "openid"}, "scopes must be a list of strings, got 'openid'"),
        ("generic", {"flows": ["browser"]}, "flows has 'browser' (known: device, code, ciba)"),
        ("generic", {"flows": []}, "flows must name at least one flow"),
        ("generic", {"strategy": "magic"}, "strategy has 'magic' (known: param, client"),
        ("generic", {"authTime": "sometimes"}, "authTime has 'sometimes' (known: required, absent, untrusted)"),
        ("generic", {"claims": "{"}, "claims is not JSON"),
        ("generic", {"claims": "[]"}, "claims must be a JSON object"),
        ("generic", {"parameters": {"max_age": "0"}}, "parameters.max_age must not be 0"),
        ("generic", {"parameters": {"client_id": "x"}}, "parameters.client_id is set by the flow itself"),
        ("generic", {"parameters": ["x"]}, "parameters must be a mapping of strings"),
        ("generic", {"commandParameter": ""}, "commandParameter must be a string that is not empty"),
    ],
)
def test_a_wrong_override_is_named(name: str, overrides: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        preset_with(name, overrides)
    assert message in caught.value.message
