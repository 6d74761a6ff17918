"""What Keycloak really does with a step-up: the facts that docs/how-to/keycloak.md and the preset stand on."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.system.parts.keycloak import keycloak
from tests.system.parts.oauth_client import OAuthClient, claims_of
from tests.system.parts.person import Person
from tests.system.parts.processes import wait_until
from tests.system.parts.provider import ELEVATED_LIFE_S, RunningProvider

pytestmark = pytest.mark.system

ASKING = {
    "acr_values": "gold",
    "max_age": "1",
    "prompt": "login",
    "claims": '{"id_token":{"acr":{"essential":true,"values":["gold"]}}}',
}


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory, no_orphans: None) -> Iterator[RunningProvider]:
    with keycloak(tmp_path_factory.mktemp("keycloak")) as opened:
        yield opened


def client(provider: RunningProvider, name: str) -> OAuthClient:
    return OAuthClient(provider=provider, client_id=name)


def test_the_device_endpoint_drops_every_wish(provider: RunningProvider) -> None:
    claims = claims_of(client(provider, "kubectl").id_token(Person(provider), **ASKING))

    assert (claims["acr"], "amr" in claims) == ("silver", False)


def test_the_elevated_client_asks_for_both_factors_in_every_session(provider: RunningProvider) -> None:
    alice = Person(provider)
    everyday = claims_of(client(provider, "kubectl").id_token(alice))
    assert (everyday["acr"], everyday["aud"]) == ("silver", "kubectl")
    before = len(alice.pages)
    wait_until(lambda: time.time() > everyday["auth_time"] + 1, "another second", within_s=10)
    elevated = claims_of(client(provider, "kubectl-elevated").id_token(alice))

    asked = "".join(alice.pages[before:])
    assert ('name="password"' in asked, 'name="otp"' in asked) == (True, True)
    assert (elevated["acr"], elevated["aud"], elevated["azp"]) == ("gold", "kubectl-elevated", "kubectl-elevated")
    assert elevated["sub"] == everyday["sub"] == provider.accounts["alice"]
    assert elevated["groups"] == ["dev"]
    # Keycloak ends a token with the client's session, which began with the sign-in, up to a second before the token.
    assert elevated["exp"] - elevated["iat"] <= ELEVATED_LIFE_S <= elevated["exp"] - elevated["auth_time"]
    assert everyday["auth_time"] < elevated["auth_time"] <= elevated["iat"]


def test_an_elevated_sign_in_does_not_lift_the_everyday_client(provider: RunningProvider) -> None:
    alice = Person(provider)
    client(provider, "kubectl-elevated").id_token(alice)
    everyday = claims_of(client(provider, "kubectl").id_token(alice))

    # The session answers by its cookie, and Keycloak claims no level at all for a sign-in that asked nothing.
    assert everyday["acr"] == "0"


def test_with_the_cookie_step_a_session_answers(provider: RunningProvider) -> None:
    # What happens to those who forget the flow override: no question, no second factor.
    alice = Person(provider)
    client(provider, "kubectl").id_token(alice)
    before = len(alice.pages)
    claims = claims_of(client(provider, "kubectl-everyday-flow").id_token(alice))

    assert 'name="password"' not in "".join(alice.pages[before:])
    assert claims["acr"] == "silver"


def test_no_refresh_token_where_the_client_switches_them_off(provider: RunningProvider) -> None:
    tokens = client(provider, "kubectl-elevated").device(Person(provider)).json()

    assert "refresh_token" not in tokens


def test_a_device_request_without_pkce_is_refused_where_the_client_demands_it(provider: RunningProvider) -> None:
    answer = client(provider, "kubectl-elevated").post("device_authorization_endpoint", scope="openid")

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_denied_consent(provider: RunningProvider) -> None:
    answer = client(provider, "kubectl-elevated").device(Person(provider), deny=True)

    assert answer.json()["error"] == "access_denied"


def test_revocation(provider: RunningProvider) -> None:
    elevated = client(provider, "kubectl-elevated")
    access_token = elevated.device(Person(provider)).json()["access_token"]
    assert elevated.userinfo(access_token) == 200

    assert elevated.post("revocation_endpoint", token=access_token).status_code == 200
    assert elevated.userinfo(access_token) == 401
