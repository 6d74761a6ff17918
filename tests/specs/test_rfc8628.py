"""Spec: RFC 8628 sections 3.1 to 3.5, its requests and answers word for word."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from kubectl_stepup.errors import ProviderResponse
from kubectl_stepup.oidc.grants.device import DeviceAuthorization, DeviceRequest
from kubectl_stepup.oidc.grants.polling import PollAgain, PollSchedule, read_poll
from kubectl_stepup.oidc.response import Response
from kubectl_stepup.oidc.token_response import OAuthError
from kubectl_stepup.secret import Secret

REQUEST = DeviceRequest(client_id="1406020730", scope=("example_scope",))
DEVICE_CODE = "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS"
ANSWER = """
      {
        "device_code": "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS",
        "user_code": "WDJB-MJHT",
        "verification_uri": "https://example.com/device",
        "verification_uri_complete":
            "https://example.com/device?user_code=WDJB-MJHT",
        "expires_in": 1800,
        "interval": 5
      }
"""


def answered(text: str, status: int = 200) -> Response:
    return Response(url="https://server.example.com/device_authorization", status=status, document=json.loads(text))


def test_section_3_1_the_request() -> None:
    assert urlencode(REQUEST.form()) == "client_id=1406020730&scope=example_scope"


def test_section_3_2_the_answer() -> None:
    """The example sends the person to another host than the server's: that host must be enrolled."""
    authorization = DeviceAuthorization.from_response(
        answered(ANSWER), issuer="https://server.example.com", hosts=("example.com",)
    )
    assert authorization.device_code.reveal() == DEVICE_CODE
    assert authorization.user_code == "WDJB-MJHT"
    assert authorization.verification_uri == "https://example.com/device"
    assert authorization.verification_uri_complete == "https://example.com/device?user_code=WDJB-MJHT"
    assert (authorization.expires_in_s, authorization.interval_s, authorization.warning) == (1800, 5, None)
    with pytest.raises(ProviderResponse, match=r"is on 'example\.com', which is not enrolled"):
        DeviceAuthorization.from_response(answered(ANSWER), issuer="https://server.example.com")


def test_section_3_3_1_the_complete_address_carries_the_code() -> None:
    authorization = DeviceAuthorization.from_response(answered(ANSWER), issuer="https://example.com")
    assert authorization.browser_uri == f"{authorization.verification_uri}?user_code={authorization.user_code}"


def test_section_3_4_the_token_request() -> None:
    assert urlencode(REQUEST.token_form(Secret(DEVICE_CODE))) == (
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code"
        "&device_code=GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS"
        "&client_id=1406020730"
    )


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("authorization_pending", PollAgain.PENDING),
        ("slow_down", PollAgain.SLOW_DOWN),
        ("access_denied", OAuthError(error="access_denied")),
        ("expired_token", OAuthError(error="expired_token")),
    ],
)
def test_section_3_5_each_error_code(code: str, meaning: object) -> None:
    assert read_poll(answered(json.dumps({"error": code}), 400)) == meaning


def test_section_3_5_slow_down_adds_at_least_5_seconds_for_this_and_all_subsequent_requests() -> None:
    before = PollSchedule(interval_s=5)
    after = before.after(PollAgain.SLOW_DOWN)
    assert after.wait_s >= before.wait_s + 5
    assert after.after(PollAgain.PENDING).after(PollAgain.PENDING).wait_s == after.wait_s


def test_section_3_5_a_connection_that_times_out_is_met_with_exponential_backoff() -> None:
    waits, schedule = [], PollSchedule(interval_s=2)
    for _ in range(4):
        schedule = schedule.after(PollAgain.TROUBLE)
        waits.append(schedule.wait_s)
    assert waits == [4, 8, 16, 30]


def test_section_3_5_without_an_interval_5_seconds_are_the_default() -> None:
    answer = {name: value for name, value in json.loads(ANSWER).items() if name != "interval"}
    authorization = DeviceAuthorization.from_response(answered(json.dumps(answer)), issuer="https://example.com")
    assert authorization.interval_s == 5
