from __future__ import annotations

from dataclasses import replace

import pytest

from kubectl_stepup.errors import ConfigError
from kubectl_stepup.oidc.preset import Preset
from kubectl_stepup.oidc.presets import PRESETS
from kubectl_stepup.oidc.requirement import Evidence
from kubectl_stepup.oidc.step_up_parameters import step_up_parameters, step_up_scope
from tests.support.provider.cases import REQUIREMENT

COMMAND = "kubectl delete pod web-0 -n prod"
STRONG = replace(REQUIREMENT, evidence=Evidence(acr=("phr", "mfa"), acrs=("c1", "c2")), signed_in_within_s=900)


@pytest.mark.parametrize(
    ("preset", "parameters"),
    [
        ("generic", {"acr_values": "phr mfa", "max_age": "900"}),
        ("oidc-provider", {"acr_values": "phr mfa", "max_age": "900", "stepup_command": COMMAND}),
        ("keycloak", {}),
        ("dex", {}),
        ("entra", {"claims": '{"id_token":{"acrs":{"essential":true,"value":"c1"}}}'}),
    ],
)
def test_each_preset_asks_in_its_own_way(preset: str, parameters: dict[str, str]) -> None:
    assert step_up_parameters(PRESETS[preset], STRONG, command=COMMAND) == parameters


@pytest.mark.parametrize(
    ("within", "fresh", "sent"), [(0, False, "1"), (0, True, "1"), (900, True, "1"), (5, False, "5")]
)
def test_max_age_is_never_0_on_the_wire(within: int, fresh: bool, sent: str) -> None:
    requirement = replace(STRONG, signed_in_within_s=within, fresh=fresh)
    for preset in PRESETS.values():
        got = step_up_parameters(preset, requirement, command=None).get("max_age")
        assert got == (sent if preset.max_age else None)


def test_a_fixed_acr_and_extra_parameters_are_sent_as_they_are() -> None:
    preset = Preset(name="x", acr_values="gold", max_age=False, prompt="login", parameters={"audience": "prod"})
    assert step_up_parameters(preset, STRONG, command=COMMAND) == {
        "acr_values": "gold",
        "prompt": "login",
        "audience": "prod",
    }


def test_the_claims_template_needs_its_evidence() -> None:
    with pytest.raises(ConfigError, match="the preset's claims need acrs in the level's evidence, which has none"):
        step_up_parameters(PRESETS["entra"], replace(STRONG, evidence=Evidence(acr=("x",))), command=None)


def test_a_claims_template_may_hold_lists() -> None:
    preset = Preset(name="x", acr_values=False, max_age=False, claims='{"id_token":{"acr":{"values":["$acr",1,"x"]}}}')
    assert step_up_parameters(preset, STRONG, command=None) == {
        "claims": '{"id_token":{"acr":{"values":["phr",1,"x"]}}}'
    }


def test_a_long_command_is_cut() -> None:
    sent = step_up_parameters(PRESETS["oidc-provider"], STRONG, command="k" * 501)["stepup_command"]
    assert (len(sent), sent[-4:]) == (500, "k...")
    longest = "k" * 500
    assert step_up_parameters(PRESETS["oidc-provider"], STRONG, command=longest)["stepup_command"] == longest


def test_a_refresh_token_is_never_asked_for() -> None:
    assert step_up_scope(PRESETS["glewlwyd"], ("openid", "groups", "offline_access")) == (
        "openid",
        "groups",
        "kube-admin",
    )


def test_a_preset_without_an_elevated_scope_adds_none() -> None:
    assert step_up_scope(PRESETS["generic"], ("groups", "openid")) == ("openid", "groups")
