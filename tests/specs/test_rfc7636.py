"""Spec: RFC 7636 appendix B, from the octets of the verifier to the challenge."""

from __future__ import annotations

import base64

from kubectl_stepup.oidc.grants.device import DeviceRequest, pkce_challenge
from kubectl_stepup.secret import Secret

OCTETS = bytes(
    [
        *(116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186),
        *(22, 212, 37, 77, 105, 214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121),
    ]
)
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_example() -> None:
    assert base64.urlsafe_b64encode(OCTETS).rstrip(b"=").decode() == VERIFIER
    assert pkce_challenge(Secret(VERIFIER)) == CHALLENGE


def test_the_challenge_goes_first_and_the_verifier_with_the_token_request_alone() -> None:
    request = DeviceRequest(client_id="c", scope=("openid",), code_verifier=Secret(VERIFIER))
    asked, redeemed = request.form(), request.token_form(Secret("dc"))
    assert (asked["code_challenge"], asked["code_challenge_method"]) == (CHALLENGE, "S256")
    assert "code_verifier" not in asked
    assert redeemed["code_verifier"] == VERIFIER
    assert "code_challenge" not in redeemed
