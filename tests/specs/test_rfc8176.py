"""Spec: RFC 8176 section 2, every value it registers for `amr`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubectl_stepup.errors import TooWeak
from kubectl_stepup.oidc.requirement import Evidence
from tests.support.provider.cases import REQUIREMENT, accept, checked, good
from tests.support.provider.model import ABSENT

VALUES = (
    *("face", "fpt", "geo", "hwk", "iris", "kba", "mca", "mfa", "otp", "pin"),
    *("pwd", "rba", "retina", "sc", "sms", "swk", "tel", "user", "vbm", "wia"),
)


@pytest.mark.parametrize("value", VALUES)
def test_each_value_proves_itself_and_nothing_else(value: str) -> None:
    others = [other for other in VALUES if other != value]
    requirement = replace(REQUIREMENT, evidence=Evidence(amr=(value,)))
    accept(good(amr=[value], acr=ABSENT), requirement=requirement)
    with pytest.raises(TooWeak, match=f"wanted amr={value}, got amr="):
        checked(good(amr=others, acr=ABSENT), requirement=requirement)


def test_the_values_are_an_array_of_case_sensitive_strings() -> None:
    requirement = replace(REQUIREMENT, evidence=Evidence(amr=("otp",)))
    with pytest.raises(TooWeak, match="wanted amr=otp, got amr=OTP"):
        checked(good(amr=["OTP"]), requirement=requirement)
    # One text is taken for a list of one, as the API server takes it; a list inside of a text is none.
    with pytest.raises(TooWeak, match="wanted amr=otp, got amr='pwd otp'"):
        checked(good(amr="pwd otp"), requirement=requirement)
    with pytest.raises(TooWeak, match=r"wanted amr=otp, got amr=\['otp', 1\], which is no list of texts"):
        checked(good(amr=["otp", 1]), requirement=requirement)


def test_all_values_that_a_level_names_must_be_there_in_any_order() -> None:
    requirement = replace(REQUIREMENT, evidence=Evidence(amr=("pwd", "otp")))
    accept(good(amr=["mfa", "otp", "pwd"]), requirement=requirement)
    with pytest.raises(TooWeak, match=r"wanted amr=pwd\+otp, got amr=mfa\+otp"):
        checked(good(amr=["mfa", "otp"]), requirement=requirement)
