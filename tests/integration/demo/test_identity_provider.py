"""The provider over HTTPS: device flow, approval page, and what it refuses."""

from __future__ import annotations

from urllib.request import Request

import pytest

from kubectl_stepup.demo.https_client import HTTPSClient
from kubectl_stepup.demo.person import Person, read_page
from kubectl_stepup.errors import DemoFailed
from kubectl_stepup.secret import Secret
from tests.support.demo_lab.lab import Lab, claims_of, document


def error_of(answer: object) -> object:
    return document(answer)["error"]  # type: ignore[arg-type]


def test_discovery_names_what_is_there(lab: Lab) -> None:
    found = document(lab.client.get(f"{lab.provider.issuer}/.well-known/openid-configuration"))
    assert found["issuer"] == lab.provider.issuer
    assert found["code_challenge_methods_supported"] == ["S256"]
    keys = document(lab.client.get(found["jwks_uri"]))["keys"]
    assert [(key["kty"], key["alg"], key["use"], "d" in key) for key in keys] == [("RSA", "RS256", "sig", False)]


def test_a_step_up_gives_a_token_with_the_evidence(lab: Lab) -> None:
    answer = lab.approved(nonce="n-1", max_age="900")
    claims = claims_of(answer["id_token"])
    now = int(lab.clock())
    expected = {
        "iss": lab.provider.issuer,
        "sub": "alice",
        "aud": "kubectl-elevated",
        "azp": "kubectl-elevated",
        "iat": now,
        "exp": now + 300,
        "auth_time": now,
        "acr": "mfa",
        "amr": ["pwd", "otp", "mfa"],
        "email": "alice@example.com",
        "email_verified": True,
        "groups": ["dev"],
        "nonce": "n-1",
        "jti": claims["jti"],
    }
    assert claims == expected
    assert (answer["token_type"], answer["expires_in"], answer["scope"]) == ("Bearer", 300, "openid email groups")
    assert "refresh_token" not in answer


def test_claims_follow_the_scope(lab: Lab) -> None:
    claims = claims_of(lab.approved(scope="openid")["id_token"])
    assert not {"email", "groups", "nonce"} & claims.keys()


def test_the_elevated_client_demands_a_second_factor_whatever_is_asked(lab: Lab) -> None:
    assert claims_of(lab.approved(acr_values="pwd")["id_token"])["acr"] == "mfa"


def test_the_everyday_client_gets_by_with_a_password(lab: Lab) -> None:
    device = document(lab.device("kubectl", acr_values=""))
    visit = lab.person.approve(device["verification_uri"], device["user_code"])
    claims = claims_of(document(lab.poll(device["device_code"], "kubectl"))["id_token"])
    assert visit.typed == ("password",)
    assert (claims["aud"], claims["acr"], claims["amr"]) == ("kubectl", "pwd", ["pwd"])


def test_an_unknown_acr_is_passed_over(lab: Lab) -> None:
    device = document(lab.device("kubectl", acr_values="phr mfa"))
    lab.person.approve(device["verification_uri"], device["user_code"])
    assert claims_of(document(lab.poll(device["device_code"], "kubectl"))["id_token"])["acr"] == "mfa"


def test_waiting_and_polling_too_soon(lab: Lab) -> None:
    device = document(lab.device())
    assert (device["interval"], device["expires_in"]) == (5, 900)
    assert error_of(lab.poll(device["device_code"])) == "authorization_pending"
    assert error_of(lab.poll(device["device_code"])) == "slow_down"
    lab.clock.now += 10
    assert error_of(lab.poll(device["device_code"])) == "authorization_pending"


def test_a_denial_is_final(lab: Lab) -> None:
    device = document(lab.device())
    visit = lab.person.deny(device["verification_uri"], device["user_code"])
    assert visit.typed == ("password",)
    assert error_of(lab.poll(device["device_code"])) == "access_denied"
    with pytest.raises(DemoFailed, match="Nothing to approve"):
        lab.person.approve(device["verification_uri"], device["user_code"])


def test_a_code_expires(lab: Lab) -> None:
    device = document(lab.device())
    lab.clock.now += 900
    assert error_of(lab.poll(device["device_code"])) == "expired_token"
    with pytest.raises(DemoFailed, match="Nothing to approve"):
        lab.person.approve(device["verification_uri"], device["user_code"])


def test_a_device_code_is_spent_once(lab: Lab) -> None:
    device = document(lab.device())
    lab.person.approve(device["verification_uri"], device["user_code"])
    assert lab.poll(device["device_code"]).status == 200
    assert error_of(lab.poll(device["device_code"])) == "invalid_grant"


@pytest.mark.parametrize(
    ("verifier", "error"), [("w" * 43, "invalid_grant"), ("", "invalid_request"), ("short", "invalid_request")]
)
def test_only_who_began_may_collect(lab: Lab, verifier: str, error: str) -> None:
    device = document(lab.device())
    lab.person.approve(device["verification_uri"], device["user_code"])
    assert error_of(lab.poll(device["device_code"], verifier=verifier)) == error
    assert lab.poll(device["device_code"]).status == 200


def test_another_client_cannot_collect(lab: Lab) -> None:
    device = document(lab.device())
    lab.person.approve(device["verification_uri"], device["user_code"])
    assert error_of(lab.poll(device["device_code"], "kubectl")) == "unauthorized_client"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "nobody"}, "invalid_client"),
        ({"scope": "email"}, "invalid_request"),
        ({"scope": "openid admin"}, "invalid_scope"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"client_secret": "x"}, "invalid_client"),
    ],
)
def test_device_requests_that_are_refused(lab: Lab, changes: dict[str, str], error: str) -> None:
    client_id = changes.pop("client_id", "kubectl-elevated")
    answer = lab.device(client_id, **changes)
    assert answer.status == 400
    assert error_of(answer) == error


def test_a_parameter_that_comes_twice_is_refused(lab: Lab) -> None:
    request = Request(f"{lab.provider.issuer}/token", data=b"client_id=a&client_id=b", method="POST")
    answer = lab.client.send(request)
    assert answer.status == 400
    assert document(answer)["error_description"] == "Multiple 'client_id' in request."


def test_a_one_time_code_serves_one_approval(lab: Lab) -> None:
    device, code = document(lab.device()), lab.credentials.one_time_code(lab.clock()).reveal()
    assert lab.person.approve(device["verification_uri"], device["user_code"]).typed == ("password", "otp")
    thief = Person(lab.credentials, lab.authority.pem, lab.clock)
    device = document(lab.device())
    with pytest.raises(DemoFailed, match=r'the verification page says "Approve this\?"'):
        thief.approve(device["verification_uri"], device["user_code"])
    assert code == lab.credentials.one_time_code(lab.clock()).reveal()


def test_a_second_approval_in_the_same_half_minute_takes_the_next_code(lab: Lab) -> None:
    lab.approved()
    lab.person.use_new_browser()
    assert claims_of(lab.approved()["id_token"])["acr"] == "mfa"


def test_a_sign_in_is_used_again_for_as_long_as_max_age_says(lab: Lab) -> None:
    lab.approved()
    start = int(lab.clock())
    lab.clock.now += 600
    device = document(lab.device(max_age="900"))
    assert lab.person.approve(device["verification_uri"], device["user_code"]).typed == ()
    assert claims_of(document(lab.poll(device["device_code"]))["id_token"])["auth_time"] == start
    lab.clock.now += 400
    device = document(lab.device(max_age="900"))
    assert lab.person.approve(device["verification_uri"], device["user_code"]).typed == ("password", "otp")
    assert claims_of(document(lab.poll(device["device_code"]))["id_token"])["auth_time"] == int(lab.clock())


def test_max_age_0_asks_for_everything_anew(lab: Lab) -> None:
    lab.approved()
    lab.clock.now += 31
    device = document(lab.device(max_age="0"))
    assert lab.person.approve(device["verification_uri"], device["user_code"]).typed == ("password", "otp")


def test_a_password_sign_in_is_stepped_up_with_a_code_alone(lab: Lab) -> None:
    everyday = document(lab.device("kubectl", acr_values=""))
    lab.person.approve(everyday["verification_uri"], everyday["user_code"])
    signed_in = int(lab.clock())
    lab.clock.now += 100
    device = document(lab.device())
    assert lab.person.approve(device["verification_uri"], device["user_code"]).typed == ("otp",)
    claims = claims_of(document(lab.poll(device["device_code"]))["id_token"])
    assert (claims["acr"], claims["auth_time"]) == ("mfa", signed_in)


def test_the_page_shows_command_cluster_and_code(lab: Lab) -> None:
    device = document(lab.device(stepup_command="kubectl delete pod <web-0>", stepup_cluster="demo"))
    words = lab.person.approve(device["verification_uri"], device["user_code"]).words
    assert "Command kubectl delete pod <web-0> Cluster demo" in words
    assert device["user_code"] in words


def test_without_a_sign_in_nothing_is_told_of_a_request(lab: Lab) -> None:
    device = document(lab.device(stepup_command="kubectl delete pod web-0"))
    stranger = HTTPSClient(lab.authority.pem)
    real, unknown = (
        read_page(stranger.get(f"{lab.provider.issuer}/device?user_code={code}"))
        for code in (device["user_code"], "BBBB-BBBB")
    )
    assert real.words == unknown.words
    assert "web-0" not in real.words


def test_a_form_that_is_not_ours_is_refused(lab: Lab) -> None:
    device = document(lab.device())
    browser = HTTPSClient(lab.authority.pem)
    form = {"user_code": device["user_code"], "action": "approve", "csrf": "forged"}
    assert browser.post(f"{lab.provider.issuer}/device", form).status == 403
    browser.get(device["verification_uri"])
    assert browser.post(f"{lab.provider.issuer}/device", form).status == 403
    login = {"username": "alice", "password": lab.credentials.password_secret.reveal(), "csrf": ""}
    assert browser.post(f"{lab.provider.issuer}/sign-in", login).status == 403
    assert error_of(lab.poll(device["device_code"])) == "authorization_pending"


def test_signing_in_gives_the_browser_a_new_session(lab: Lab) -> None:
    browser = HTTPSClient(lab.authority.pem)
    page = read_page(browser.get(f"{lab.provider.issuer}/device?user_code=BBBB-BBBB"))
    before = browser.cookies()
    password = lab.credentials.password_secret.reveal()
    browser.post(f"{lab.provider.issuer}/sign-in", {**page.fields, "username": "alice", "password": password})
    after = browser.cookies()
    assert set(before) == set(after) == {"__Host-session"}
    assert before != after


def test_guessing_passwords_ends_after_eight_tries(lab: Lab) -> None:
    browser = HTTPSClient(lab.authority.pem)
    page = read_page(browser.get(f"{lab.provider.issuer}/device?user_code=BBBB-BBBB"))
    guess = {**page.fields, "username": "alice", "password": "guess"}
    statuses = [browser.post(f"{lab.provider.issuer}/sign-in", guess).status for _ in range(10)]
    assert statuses == [401] * 8 + [429] * 2
    right = {**guess, "password": lab.credentials.password_secret.reveal()}
    assert browser.post(f"{lab.provider.issuer}/sign-in", right).status == 429
    lab.clock.now += 301
    assert browser.post(f"{lab.provider.issuer}/sign-in", right).status == 404  # signed in; no such request


def test_guessing_user_codes_ends_after_ten_tries(lab: Lab) -> None:
    lab.approved()
    browser = lab.person.browser
    urls = [f"{lab.provider.issuer}/device?user_code=BBBB-BBB{letter}" for letter in "BCDFGHJKLMNP"]
    assert [browser.get(url).status for url in urls] == [404] * 10 + [429] * 2


def test_revocation_ends_the_access_token_and_says_so_of_an_id_token(lab: Lab) -> None:
    answer = lab.approved()
    access = Secret(answer["access_token"])
    revoke = f"{lab.provider.issuer}/revoke"
    assert lab.provider.access_token_is_active(access)
    refused = lab.client.post(revoke, {"client_id": "kubectl-elevated", "token": answer["id_token"]})
    assert (refused.status, error_of(refused)) == (400, "unsupported_token_type")
    foreign = lab.client.post(revoke, {"client_id": "kubectl", "token": access.reveal()})
    assert (foreign.status, error_of(foreign)) == (400, "invalid_grant")
    assert lab.provider.access_token_is_active(access)
    done = lab.client.post(revoke, {"client_id": "kubectl-elevated", "token": access.reveal()})
    unknown = lab.client.post(revoke, {"client_id": "kubectl-elevated", "token": "unknown"})
    assert (done.status, unknown.status) == (200, 200)
    assert not lab.provider.access_token_is_active(access)


def test_an_everyday_token_is_of_the_everyday_client(lab: Lab) -> None:
    claims = claims_of(lab.provider.issue_everyday_token("alice").reveal())
    assert (claims["aud"], claims["acr"], claims["sub"]) == ("kubectl", "pwd", "alice")
    with pytest.raises(KeyError):
        lab.provider.issue_everyday_token("nobody")


@pytest.mark.parametrize(
    ("path", "status"), [("/", 404), ("/token", 405), ("/userinfo", 401), ("/device/code", 405), ("/../etc", 404)]
)
def test_other_addresses(lab: Lab, path: str, status: int) -> None:
    assert lab.client.get(f"{lab.provider.issuer}{path}").status == status
