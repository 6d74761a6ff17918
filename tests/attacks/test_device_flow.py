"""The whole device flow against a provider that is weak, hostile, broken or simply somebody else's."""

# ruff: noqa: E501 - one case a line

from __future__ import annotations

import gzip
import secrets
from dataclasses import replace
from typing import Any

import pytest

from kubectl_stepup.errors import (
    LoginNeeded,
    NotFresh,
    ProviderError,
    ProviderResponse,
    StepUpDenied,
    StepUpError,
    StepUpExpired,
    TokenRejected,
    TooWeak,
    WrongAccount,
)
from kubectl_stepup.oidc.claims import Expectation, IDTokenClaims
from kubectl_stepup.oidc.evidence import rejection, shortfalls
from kubectl_stepup.oidc.id_token import verify
from kubectl_stepup.oidc.preset import Preset
from kubectl_stepup.oidc.presets import PRESETS
from kubectl_stepup.oidc.provider import OIDCProvider
from kubectl_stepup.oidc.requirement import AuthTime, Evidence, StepUpRequirement
from kubectl_stepup.oidc.transport import Transport
from kubectl_stepup.stepup.device_flow import device_request, obtain
from tests.support.provider import ABSENT, Answer, Provider, Raw, Want
from tests.support.provider.clock import FakeClock
from tests.support.provider.fixtures import StartProvider, start_provider

__all__ = ["start_provider"]

REQUIREMENT = StepUpRequirement(
    level="mfa",
    evidence=Evidence(acr=("urn:stepup:mfa",)),
    signed_in_within_s=60,
    server_window_s=None,
    auth_time=AuthTime.REQUIRED,
    account_claim="sub",
    account="alice",
)
OIDC = PRESETS["oidc-provider"]


class StepUp:
    """One step-up as a command does it, with a clock that only waiting moves."""

    def __init__(self, start: StartProvider, *, want: Want | None = None, **answer: Any) -> None:
        self.clock = FakeClock()
        self.provider = start(want=want, answer=Answer(**answer), clock=self.clock)
        self.shown: list[str] = []

    def run(self, preset: Preset = OIDC, requirement: StepUpRequirement = REQUIREMENT) -> IDTokenClaims:
        client = OIDCProvider(
            issuer=self.provider.issuer,
            transport=Transport(environ={}, ca_file=str(self.provider.ca_file), deadline_s=2),
            clock=self.clock,
        )
        request = device_request(
            preset,
            requirement,
            client_id="kubectl-elevated",
            command="kubectl delete pod x",
            random=secrets.token_urlsafe,
        )
        grant = obtain(
            client,
            request,
            clock=self.clock,
            show=lambda authorization: self.shown.append(authorization.user_code),
            tick=lambda left: None,
        )
        expected = Expectation(
            issuer=self.provider.issuer,
            client_id="kubectl-elevated",
            algorithms=client.algorithms(preset.signing_algorithms),
            nonce=request.nonce,
        )
        now = self.clock.now()
        claims = verify(grant.id_token, expected, jwks=client.jwks, now=now, access_token=grant.access_token)
        missing = shortfalls(requirement, claims, granted_scope=grant.scope, flow_start=grant.started_at, now=now)
        if missing:
            raise rejection(missing, requirement, claims)
        return claims


def test_a_step_up_goes_right(start_provider: StartProvider) -> None:
    """DEV-01."""
    want = Want(parameters={"acr_values": "urn:stepup:mfa", "max_age": "60", "stepup_command": "kubectl delete pod x"})
    step_up = StepUp(start_provider, want=want, approve_after_polls=3)
    assert step_up.run().acr == "urn:stepup:mfa"
    counts = [step_up.provider.count(name) for name in ("discovery", "device", "token", "jwks")]
    assert (counts, len(step_up.shown)) == ([1, 1, 4, 1], 1)


@pytest.mark.parametrize("alg", ["RS512", "PS256", "ES256", "ES384"])
def test_a_step_up_goes_right_with_what_discovery_offers(start_provider: StartProvider, alg: str) -> None:
    StepUp(start_provider, alg=alg).run()


def test_a_nonce_comes_back_where_the_provider_honours_it(start_provider: StartProvider) -> None:
    """IDT-31: whether a provider returns it is part of its enrolment."""
    preset = replace(OIDC, nonce_in_device=True)
    StepUp(start_provider, honours_nonce=True).run(preset)
    with pytest.raises(TokenRejected, match="the ID token has no nonce although one was sent"):
        StepUp(start_provider).run(preset)


REFUSED: list[tuple[str, dict[str, Any], type[StepUpError], str]] = [
    ("DEV-22 acr_values ignored", {"acr": "urn:stepup:1fa", "amr": ["pwd"]}, TooWeak, "you signed in, but not strongly enough: wanted acr=urn:stepup:mfa, got acr=urn:stepup:1fa (amr=pwd)"),
    ("IDT-23 no acr", {"acr": ABSENT}, TooWeak, "got acr=none"),
    ("IDT-30 an old session answers at once", {"signed_in_ago_s": 3600}, NotFresh, "you signed in, but not freshly enough: the sign-in was 59m50s old, level mfa allows 1m"),
    ("IDT-28 no auth_time", {"claims": {"auth_time": ABSENT}}, NotFresh, "nothing proves when you signed in"),
    ("DEV-24 another account", {"account": "bob"}, WrongAccount, "approved as someone else: wanted alice, got bob (bob@example.com)"),
    ("IDT-17 another audience", {"claims": {"aud": "kubectl"}}, TokenRejected, "the ID token is for kubectl, not for kubectl-elevated"),
    ("IDT-16 another issuer", {"claims": {"iss": "https://evil.example"}}, TokenRejected, "from issuer https://evil.example"),
    ("IDT-32 another access token", {"claims": {"at_hash": "AAAA"}}, TokenRejected, "(at_hash)"),
    ("IDT-08 an unknown key", {"signed_by": "thief"}, TokenRejected, "signed with key thief, which the provider does not publish"),
    ("IDT-03 a stolen key id", {"signed_by": "thief", "header": {"kid": "main"}}, TokenRejected, "the ID token's signature is wrong"),
    ("IDT-04 another algorithm", {"alg": "ES256", "metadata": {"id_token_signing_alg_values_supported": ["RS256"]}}, TokenRejected, "signed with 'ES256', accepted are RS256"),
    ("IDT-04 EdDSA", {"alg": "EdDSA"}, TokenRejected, "signed with 'EdDSA', accepted are RS256"),
    ("IDT-19 an hour-long token", {"lifetime_s": 3600}, NotFresh, "the token would live 1h after the sign-in, the cluster accepts 17m"),
    ("IDT-19 an expired token", {"lifetime_s": -1}, TokenRejected, "the ID token expired"),
    ("DEV-13 no id_token", {"tokens": {"id_token": ABSENT}}, ProviderResponse, "the token response has no id_token"),
    ("IDT-37 an opaque token", {"tokens": {"id_token": "opaque"}}, TokenRejected, "is not a signed JWT in compact form"),
    ("DEV-13 no token_type", {"tokens": {"token_type": ABSENT}}, ProviderResponse, "the token response has no token_type, not Bearer"),
    ("DEV-13 token_type mac", {"tokens": {"token_type": "mac"}}, ProviderResponse, "token_type 'mac', not Bearer"),
    ("DEV-05 access_denied", {"denied": True}, StepUpDenied, "(access_denied: The user cancelled)"),
    ("DEV-05 expired_token", {"expired": True}, StepUpExpired, ", given 5s ago, has expired (expired_token)"),
    ("DEV-19 nobody acts", {"approve_after_polls": None}, StepUpExpired, "expired after 15m without approval"),
    ("DEV-19 nobody acts for 30 s", {"approve_after_polls": None, "expires_in": 30}, StepUpExpired, "expired after 30s without approval"),
    ("DEV-03 an endless interval", {"device": {"interval": 10**9}}, ProviderResponse, "longer than the code lives"),
    ("DEV-04 expires_in abc", {"device": {"expires_in": "abc"}}, ProviderResponse, "expires_in"),
    ("DEV-14 a foreign verification_uri", {"device": {"verification_uri": "https://evil.example/"}}, ProviderResponse, "is on 'evil.example', which is not enrolled"),
    ("DEV-17 a device_code of 64 KB", {"device": {"device_code": "x" * 65_536}}, ProviderResponse, "device_code"),
    ("DIS-03 a foreign token endpoint", {"metadata": {"token_endpoint": "https://evil.example/token"}}, ProviderResponse, "is on 'evil.example'"),
    ("DIS-01 another issuer in discovery", {"metadata": {"issuer": "https://evil.example"}}, ProviderResponse, "speaks for the issuer 'https://evil.example'"),
    ("DEV-21 no device flow", {"metadata": {"device_authorization_endpoint": ABSENT}}, ProviderError, "has no device flow"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "kind", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_a_step_up_that_proves_nothing_is_refused(
    start_provider: StartProvider, answer: dict[str, Any], kind: type[StepUpError], message: str
) -> None:
    step_up = StepUp(start_provider, **answer)
    with pytest.raises(StepUpError) as caught:
        step_up.run()
    assert type(caught.value) is kind
    assert message in caught.value.message
    assert len(step_up.shown) <= 1


def test_a_scope_that_was_reduced_without_an_error_is_noticed(start_provider: StartProvider) -> None:
    requirement = replace(
        REQUIREMENT, evidence=Evidence(scope=("kube-admin",), amr=("otp",)), auth_time=AuthTime.UNTRUSTED
    )
    want = Want(scope=("openid", "kube-admin"), pkce=False)
    preset = PRESETS["glewlwyd"]
    StepUp(start_provider, want=want).run(preset, requirement)
    with pytest.raises(TooWeak, match="wanted scope=kube-admin, got scope=openid") as caught:
        StepUp(start_provider, want=want, tokens={"scope": "openid"}).run(preset, requirement)
    assert caught.value.details["explanation"] == "the identity provider reduced the scope without an error"


def test_a_refresh_token_is_revoked_at_once(start_provider: StartProvider) -> None:
    step_up = StepUp(start_provider, tokens={"refresh_token": "rt"})
    step_up.run()
    assert [form["token"] for form in step_up.provider.forms("revocation")] == ["rt"]


@pytest.mark.parametrize("slow_downs", [1, 5])
def test_slow_down_ends_in_success_without_a_poll_too_early(start_provider: StartProvider, slow_downs: int) -> None:
    """DEV-02."""
    step_up = StepUp(start_provider, slow_downs=slow_downs)
    step_up.run()
    assert step_up.provider.count("token") == slow_downs + 2


TROUBLE = [
    Raw.of({"error": "server_error"}, 500),
    Raw.html(502),
    Raw.html(503),
    Raw(status=429, body=b"{}", headers={"Retry-After": "7"}),
    Raw.html(200),
    Raw(body=b"[]", content_type="text/plain"),
    Raw(body=b'{"access_token": "x', missing=7),
    Raw(body=gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"}),
    Raw(reset=True),
]


def test_any_trouble_in_between_costs_time_and_no_second_prompt(start_provider: StartProvider) -> None:
    """DEV-08, DEV-09, DEV-10, DEV-11."""
    step_up = StepUp(start_provider, faults={"token": list(TROUBLE)}, enforces_interval=False)
    step_up.run()
    assert (len(step_up.shown), step_up.provider.count("token")) == (1, len(TROUBLE) + 2)


@pytest.mark.parametrize(
    "raw",
    [
        Raw(body=b"[]"),
        Raw(body=b"5"),
        Raw(body=b""),
        Raw(body=b'{"token_type": "Bearer", "token_type": "Bearer"}'),
        Raw(body=b'{"expires_in": NaN}'),
        Raw(body=b"{} {}"),
        Raw.oversize(),
        Raw(status=400, body=b"{"),
    ],
)
def test_an_answer_of_the_endpoints_own_that_cannot_be_read_ends_the_flow_at_once(
    start_provider: StartProvider, raw: Raw
) -> None:
    """StepUpRequest again with a used code, a strict provider would revoke what it gave."""
    step_up = StepUp(start_provider, faults={"token": [raw]}, enforces_interval=False)
    with pytest.raises(ProviderResponse, match="this step-up cannot be finished") as caught:
        step_up.run()
    assert "without approval" not in caught.value.message
    assert step_up.provider.count("token") == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("endpoint", ["discovery", "device", "token", "jwks"])
def test_no_redirect_is_followed_anywhere(start_provider: StartProvider, endpoint: str, status: int) -> None:
    """DEV-12, DIS-04."""
    canary = start_provider()
    step_up = StepUp(start_provider, faults={endpoint: [Raw.redirect(f"{canary.issuer}/{endpoint}", status)]})
    with pytest.raises(ProviderResponse, match="which is not followed"):
        step_up.run()
    assert canary.requests == []


def test_header_keys_and_addresses_of_a_token_are_never_fetched(start_provider: StartProvider) -> None:
    """IDT-06."""
    canary = start_provider()
    header = {"jku": f"{canary.issuer}/jwks", "x5u": f"{canary.issuer}/cert", "kid": "main"}
    with pytest.raises(TokenRejected, match="signature is wrong"):
        StepUp(start_provider, signed_by="thief", header=header).run()
    assert canary.requests == []


def test_a_key_rotated_before_signing_is_found_with_one_refetch(start_provider: StartProvider) -> None:
    """IDT-09."""
    step_up = StepUp(start_provider, signed_by="next", published_after_refetch=("main", "next"), decoys=True)
    step_up.run()
    assert step_up.provider.count("jwks") == 2


@pytest.mark.parametrize(("ahead", "refused"), [(30, False), (-30, False), (600, True), (-600, True)])
def test_a_clock_far_from_the_providers_is_named_before_anybody_is_asked(
    start_provider: StartProvider, ahead: float, refused: bool
) -> None:
    """IDT-21."""
    step_up = StepUp(start_provider, lifetime_s=300)
    step_up.provider.date_ahead_s = ahead
    if not refused:
        step_up.provider.answer.signed_in_ago_s = -ahead
        step_up.run()
        return
    with pytest.raises(LoginNeeded, match="this machine's clock is 10m"):
        step_up.run()
    assert (step_up.shown, step_up.provider.count("token")) == ([], 0)


def test_insecure_transport_cannot_be_asked_for(start_provider: StartProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """DIS-02."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    provider: Provider = start_provider()
    client = OIDCProvider(
        issuer=provider.issuer.replace("https://", "http://"),
        transport=Transport(environ={"AUTHLIB_INSECURE_TRANSPORT": "1"}, ca_file=str(provider.ca_file)),
        clock=FakeClock(),
    )
    with pytest.raises(StepUpError, match="is not https"):
        client.metadata()
    assert provider.requests == []
