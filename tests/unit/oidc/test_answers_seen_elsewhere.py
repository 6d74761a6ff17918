"""Answers that providers in the field give and other clients take."""

from __future__ import annotations

import pytest

from kubectl_stepup.errors import ConfigError, ProviderResponse
from kubectl_stepup.oidc.grants.device import DeviceAuthorization
from kubectl_stepup.oidc.grants.polling import PollAgain, PollSchedule
from kubectl_stepup.oidc.metadata import ProviderMetadata
from kubectl_stepup.oidc.response import Response
from kubectl_stepup.oidc.url import checked_endpoint, checked_issuer

ISSUER = "https://login.example.com"


def read(**members: object) -> DeviceAuthorization:
    document: dict[str, object] = {
        "device_code": "0123456789abcdef",
        "user_code": "WDJB-MJHT",
        "verification_uri": f"{ISSUER}/device",
        **members,
    }
    return DeviceAuthorization.from_response(Response(url=f"{ISSUER}/d", status=200, document=document), issuer=ISSUER)


def test_numbers_written_as_texts() -> None:
    """Azure AD v1, Spring, Apigee."""
    found = read(expires_in="1200", interval="90")
    assert (found.expires_in_s, found.interval_s) == (1200.0, 90.0)


def test_an_empty_complete_address_is_none() -> None:
    found = read(verification_uri_complete="")
    assert (found.verification_uri_complete, found.warning) == (None, None)


def test_a_page_may_be_behind_a_hash_route_and_an_endpoint_may_not() -> None:
    found = read(verification_uri=f"{ISSUER}/#/device", verification_uri_complete=f"{ISSUER}/#/device?user_code=x")
    assert (found.verification_uri, found.browser_uri) == (f"{ISSUER}/#/device", f"{ISSUER}/#/device?user_code=x")
    with pytest.raises(ProviderResponse, match=r"is on 'evil\.example'"):
        read(verification_uri="https://evil.example/#https://login.example.com/")
    for name in ("token_endpoint", "jwks_uri", "device_authorization_endpoint", "revocation_endpoint"):
        with pytest.raises(ProviderResponse, match="has a fragment"):
            checked_endpoint(name, f"{ISSUER}/x#y", issuer=ISSUER, hosts=())
    with pytest.raises(ConfigError, match="has a fragment"):
        checked_issuer(f"{ISSUER}/#x")


def test_a_long_interval_is_kept_and_slow_down_never_shortens_it() -> None:
    """RFC 8628 section 3.2: the client waits at least so long."""
    schedule = PollSchedule(interval_s=read(interval=200).interval_s)
    assert schedule.wait_s == 200
    assert schedule.after(PollAgain.SLOW_DOWN).wait_s == 200
    assert schedule.after(PollAgain.TROUBLE).wait_s == 200


@pytest.mark.parametrize(
    ("configured", "got"), [(ISSUER, f"{ISSUER}/"), (f"{ISSUER}/", ISSUER), (f"{ISSUER}/a", f"{ISSUER}/a/")]
)
def test_an_issuer_that_differs_by_its_slash_says_what_to_write(configured: str, got: str) -> None:
    with pytest.raises(ProviderResponse) as caught:
        ProviderMetadata.from_document({"issuer": got}, issuer=configured)
    assert f"speaks for the issuer '{got}', not for '{configured}'" in caught.value.message
    assert caught.value.hint is not None
    assert caught.value.hint.endswith(f"kubectl stepup setup --issuer {got}")
    with pytest.raises(ProviderResponse) as caught:
        ProviderMetadata.from_document({"issuer": "https://other.example/"}, issuer=configured)
    assert caught.value.hint is None


@pytest.mark.parametrize("host", ["a..b", ".a", "a" * 64 + ".example.com", ".", "login.example.com.."])
def test_a_host_that_no_resolver_takes_is_refused_as_an_address(host: str) -> None:
    with pytest.raises(ConfigError, match="has a host that is no name"):
        checked_issuer(f"https://{host}/")
