"""oidc-provider: every flow and switch that the test bed promises, asked by a plain client, not by ours."""

from __future__ import annotations

import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.lab.lab import enrolled_desk, opened_lab
from tests.system.parts import kubectls
from tests.system.parts.oauth_client import CHALLENGE, DEVICE_GRANT, VERIFIER, OAuthClient, claims_of
from tests.system.parts.oidc_provider import oidc_provider
from tests.system.parts.person import Person
from tests.system.parts.processes import wait_until
from tests.system.parts.provider import ELEVATED_LIFE_S, RunningProvider

pytestmark = pytest.mark.system

CIBA = "urn:openid:params:grant-type:ciba"
REDIRECT = "http://127.0.0.1:49152/callback"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory, no_orphans: None) -> Iterator[RunningProvider]:
    with oidc_provider(tmp_path_factory.mktemp("oidc-provider")) as opened:
        yield opened


@pytest.fixture
def client(provider: RunningProvider) -> OAuthClient:
    return OAuthClient(provider=provider, client_id="kubectl-elevated")


@pytest.fixture
def alice(provider: RunningProvider) -> Person:
    return Person(provider)


def test_device_flow_with_the_password_alone(client: OAuthClient, alice: Person) -> None:
    claims = claims_of(client.id_token(alice))

    assert (claims["sub"], claims["aud"], claims["acr"], claims["amr"]) == (
        "alice",
        "kubectl-elevated",
        "urn:stepup:1fa",
        ["pwd"],
    )
    assert (claims["groups"], claims["exp"] - claims["iat"]) == (["dev"], ELEVATED_LIFE_S)
    assert 0 <= claims["iat"] - claims["auth_time"] <= 10


def test_acr_values_ask_for_the_one_time_code_even_in_a_session(client: OAuthClient, alice: Person) -> None:
    client.id_token(alice)
    claims = claims_of(client.id_token(alice, acr_values="urn:stepup:mfa"))

    assert (claims["acr"], claims["amr"]) == ("urn:stepup:mfa", ["pwd", "otp", "mfa"])
    assert any('name="otp"' in page for page in alice.pages)


def test_a_wrong_code_does_not_get_through(client: OAuthClient, provider: RunningProvider) -> None:
    stranger = Person(provider, seed="KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU")
    asked = client.post("device_authorization_endpoint", scope="openid", acr_values="urn:stepup:mfa").json()
    last = stranger.approve(asked["verification_uri"], asked["user_code"])
    answer = client.post("token_endpoint", grant_type=DEVICE_GRANT, **_code(asked))

    assert "Wrong name, password or one-time code" in last
    assert answer.json()["error"] == "authorization_pending"


def test_who_polls_too_soon_is_told_to_slow_down(client: OAuthClient) -> None:
    asked = client.post("device_authorization_endpoint", scope="openid").json()
    polls = [client.post("token_endpoint", grant_type=DEVICE_GRANT, **_code(asked)).json()["error"] for _ in range(2)]

    assert (asked["interval"], polls) == (1, ["authorization_pending", "slow_down"])


def test_a_denied_device_authorization(client: OAuthClient, alice: Person) -> None:
    assert client.device(alice, deny=True).json()["error"] == "access_denied"


def test_max_age_asks_again_and_zero_is_dropped(client: OAuthClient, alice: Person) -> None:
    first = claims_of(client.id_token(alice, acr_values="urn:stepup:mfa"))
    zero = claims_of(client.id_token(alice, acr_values="urn:stepup:mfa", max_age="0"))
    assert zero["auth_time"] == first["auth_time"]

    # Ages of sign-ins are whole seconds.
    wait_until(lambda: time.time() > first["auth_time"] + 2, "a sign-in that is older than a second", within_s=10)
    again = claims_of(client.id_token(alice, acr_values="urn:stepup:mfa", max_age="1"))
    assert again["auth_time"] > first["auth_time"]


def test_authorization_code_with_pkce_through_a_pushed_request(client: OAuthClient, alice: Person) -> None:
    pushed = client.post(
        "pushed_authorization_request_endpoint",
        scope="openid groups",
        response_type="code",
        redirect_uri=REDIRECT,
        code_challenge=CHALLENGE,
        code_challenge_method="S256",
        acr_values="urn:stepup:mfa",
        nonce="n-0S6_WzA2Mj",
        state="af0ifjsldkj",
    )
    assert pushed.status_code == 201, pushed.text
    query = urllib.parse.urlencode({"client_id": client.client_id, "request_uri": pushed.json()["request_uri"]})
    returned = alice.sign_in(f"{client.metadata()['authorization_endpoint']}?{query}", redirect_uri=REDIRECT)
    answered = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(returned).query))
    assert (answered["state"], answered["iss"]) == ("af0ifjsldkj", client.provider.issuer)

    form = {"grant_type": "authorization_code", "code": answered["code"], "redirect_uri": REDIRECT}
    wrong = client.post("token_endpoint", **form, code_verifier="w" * 43)
    assert wrong.json()["error"] == "invalid_grant"
    # A failed exchange spends the code (RFC 6749 section 4.1.2), so the right one needs another.
    returned = alice.sign_in(f"{client.metadata()['authorization_endpoint']}?{_plain_request()}", redirect_uri=REDIRECT)
    code = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(returned).query))["code"]
    claims = claims_of(
        client.post("token_endpoint", **{**form, "code": code}, code_verifier=VERIFIER).json()["id_token"]
    )
    assert (claims["acr"], claims["nonce"]) == ("urn:stepup:mfa", "n-0S6_WzA2Mj")


def test_ciba_shows_the_command_and_is_approved_on_the_phone(client: OAuthClient, alice: Person) -> None:
    message = "kubectl delete pod x -n prod"
    asked = _backchannel(client, binding_message=message)
    (waiting,) = alice.pick_up()
    assert waiting["message"] == message
    pending = client.post("token_endpoint", grant_type=CIBA, auth_req_id=asked["auth_req_id"])
    assert pending.json()["error"] == "authorization_pending"

    alice.answer(waiting, approve=True)
    granted = client.post("token_endpoint", grant_type=CIBA, auth_req_id=asked["auth_req_id"])
    claims = claims_of(granted.json()["id_token"])
    assert (claims["sub"], claims["acr"], claims["amr"]) == ("alice", "urn:stepup:mfa", ["otp", "swk", "mfa"])


def test_ciba_denied_and_unknown(client: OAuthClient, alice: Person) -> None:
    asked = _backchannel(client)
    alice.answer(alice.pick_up()[0], approve=False)
    denied = client.post("token_endpoint", grant_type=CIBA, auth_req_id=asked["auth_req_id"])
    assert denied.json()["error"] == "access_denied"

    unknown = client.post("backchannel_authentication_endpoint", scope="openid", login_hint="mallory")
    assert unknown.json()["error"] == "unknown_user_id"


def test_revocation_ends_the_access_token_and_refuses_the_id_token(client: OAuthClient, alice: Person) -> None:
    tokens = client.device(alice).json()
    assert client.userinfo(tokens["access_token"]) == 200
    assert client.post("revocation_endpoint", token=tokens["access_token"]).status_code == 200
    assert client.userinfo(tokens["access_token"]) == 401

    refused = client.post("revocation_endpoint", token=tokens["id_token"])
    assert (refused.status_code, refused.json()["error"]) == (400, "unsupported_token_type")


def test_a_provider_that_ignores_acr_values(tmp_path: Path, no_orphans: None) -> None:
    newest = kubectls.kubectl(kubectls.NEWEST)
    with (
        opened_lab(tmp_path, "oidc-provider", "--ignore-acr") as lab,
        enrolled_desk(tmp_path / "desk", lab, newest) as desk,
    ):
        ran = desk.stepup("exec", "--", "delete", "pod", "web-0", decide="approve")

        assert ran.code == 125, ran.screen
        assert "not strongly enough: wanted acr=urn:stepup:mfa, got acr=urn:stepup:1fa (amr=pwd)" in ran.screen
        assert desk.has_pod("web-0")


def _code(asked: dict[str, Any]) -> dict[str, str]:
    return {"device_code": asked["device_code"]}


def _plain_request() -> str:
    return urllib.parse.urlencode(
        {
            "client_id": "kubectl-elevated",
            "scope": "openid groups",
            "response_type": "code",
            "redirect_uri": REDIRECT,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "acr_values": "urn:stepup:mfa",
            "nonce": "n-0S6_WzA2Mj",
        }
    )


def _backchannel(client: OAuthClient, **more: str) -> dict[str, Any]:
    answer = client.post("backchannel_authentication_endpoint", scope=client.provider.scope, login_hint="alice", **more)
    assert answer.ok, answer.text
    found: dict[str, Any] = answer.json()
    return found
