from __future__ import annotations

from typing import Any

import pytest

from kubectl_stepup.errors import ProviderResponse
from kubectl_stepup.oidc.grants.device import DeviceAuthorization, DeviceRequest, pkce_challenge
from kubectl_stepup.oidc.response import Response
from kubectl_stepup.secret import Secret

ISSUER = "https://login.example.com"
# The answer of RFC 8628 section 3.2, on a host of ours.
DOCUMENT: dict[str, Any] = {
    "device_code": "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS",
    "user_code": "WDJB-MJHT",
    "verification_uri": f"{ISSUER}/device",
    "verification_uri_complete": f"{ISSUER}/device?user_code=WDJB-MJHT",
    "expires_in": 1800,
    "interval": 5,
}


def read(hosts: tuple[str, ...] = (), **changes: Any) -> DeviceAuthorization:
    document = {name: value for name, value in {**DOCUMENT, **changes}.items() if value != "absent"}
    response = Response(url=f"{ISSUER}/da", status=200, document=document, date=7.0)
    return DeviceAuthorization.from_response(response, issuer=ISSUER, hosts=hosts)


def test_the_rfcs_own_answer_is_read() -> None:
    authorization = read()
    assert authorization.device_code.reveal() == DOCUMENT["device_code"]
    assert (authorization.user_code, authorization.expires_in_s, authorization.interval_s) == ("WDJB-MJHT", 1800, 5)
    assert authorization.browser_uri == DOCUMENT["verification_uri_complete"]
    assert (authorization.answered_at, authorization.warning) == (7.0, None)
    assert DOCUMENT["device_code"] not in repr(authorization)


@pytest.mark.parametrize(
    ("interval", "seconds"),
    [
        ("absent", 5),
        (None, 5),
        (0, 5),
        (-1, 5),
        ("5", 5),
        ("7", 7),
        ("1e2", 5),
        ("-7", 5),
        (True, 5),
        ([], 5),
        (0.5, 1),
        (1, 1),
        (2.5, 2.5),
        (90, 90),
        (301, 300),
    ],
)
def test_an_interval_is_given_or_clamped(interval: object, seconds: float) -> None:
    """DEV-03."""
    assert read(interval=interval).interval_s == seconds


@pytest.mark.parametrize(("expires_in", "seconds"), [("absent", 900), (None, 900), (5, 5), (600.5, 600.5)])
def test_expires_in_is_given_or_a_quarter_of_an_hour(expires_in: object, seconds: float) -> None:
    """DEV-04."""
    assert read(expires_in=expires_in).expires_in_s == seconds


@pytest.mark.parametrize(
    "expires_in", [0, -5, "abc", "9e2", "0", "-900", " 900", "\u0669\u0660\u0660", "86401", True, 10**30, [], 86_401]
)
def test_a_senseless_expires_in_is_refused(expires_in: object) -> None:
    """DEV-04."""
    with pytest.raises(ProviderResponse, match="expires_in in the device authorization response makes no sense"):
        read(expires_in=expires_in)


def test_an_interval_longer_than_the_code_lives_is_refused() -> None:
    """DEV-03."""
    with pytest.raises(ProviderResponse, match=r"interval .* is 1e\+09s, longer than the code lives \(1800s\)"):
        read(interval=10**9)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"device_code": "absent"}, "has no device_code"),
        ({"device_code": ""}, "has no device_code"),
        ({"device_code": 5}, "has no device_code"),
        ({"device_code": "x" * 65_536}, "device_code in the device authorization response is longer than"),
        ({"user_code": None}, "has no user_code"),
        ({"user_code": "x" * 300}, "user_code in the device authorization response is longer than 256 characters"),
        ({"verification_uri": "absent"}, "has no verification_uri"),
        ({"verification_uri": "http://login.example.com/device"}, "is not https"),
        ({"verification_uri": "javascript:alert(1)"}, "is not https"),
        ({"verification_uri": "https://login.example.com@evil.example"}, "has a user name in it"),
        ({"verification_uri": "https://evil.example/device"}, "is on 'evil.example', which is not enrolled"),
        ({"verification_uri": "https://login.exаmple.com/device"}, "has characters that are not allowed"),
        ({"verification_uri": "https://login.example.com/" + "x" * 10_000}, "is too long"),
    ],
)
def test_an_answer_that_could_mislead_is_refused(changes: dict[str, Any], message: str) -> None:
    """DEV-14, DEV-16, DEV-17."""
    with pytest.raises(ProviderResponse) as caught:
        read(**changes)
    assert message in caught.value.message


@pytest.mark.parametrize("uri", ["https://evil.example/d?user_code=X", "http://login.example.com/", 5])
def test_a_complete_address_that_leads_elsewhere_is_dropped_with_a_warning(uri: object) -> None:
    """DEV-15."""
    authorization = read(verification_uri_complete=uri)
    assert authorization.verification_uri_complete is None
    assert authorization.browser_uri == DOCUMENT["verification_uri"]
    assert authorization.warning
    assert authorization.warning.endswith("; it is not opened")


def test_googles_name_of_the_address_and_an_enrolled_host_are_understood() -> None:
    authorization = read(
        hosts=("www.example.com",),
        verification_uri="absent",
        verification_url="https://www.example.com/device",
        verification_uri_complete="absent",
    )
    assert authorization.verification_uri == "https://www.example.com/device"


def test_the_challenge_is_the_rfcs() -> None:
    # RFC 7636 appendix B.
    verifier = Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert pkce_challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_forms_hold_what_the_rfcs_name() -> None:
    request = DeviceRequest(
        client_id="kubectl",
        scope=("openid", "groups"),
        parameters={"acr_values": "mfa"},
        nonce="n",
        code_verifier=Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    )
    assert request.form() == {
        "client_id": "kubectl",
        "scope": "openid groups",
        "acr_values": "mfa",
        "nonce": "n",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    assert request.token_form(Secret("dc")) == {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": "dc",
        "client_id": "kubectl",
        "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    }
    plain = DeviceRequest(client_id="kubectl", scope=("openid",))
    assert plain.form() == {"client_id": "kubectl", "scope": "openid"}
