"""Token responses: a device flow meets a few of them, and ends in a token, a denial, an error or an expiry, in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup.errors import StepUpError
from kubectl_stepup.oidc.grants.device import DeviceAuthorization, DeviceRequest
from kubectl_stepup.secret import Secret
from kubectl_stepup.stepup.device_flow import obtain
from tests.fuzz.device import answer, kept_quiet
from tests.fuzz.shown import refusal
from tests.fuzz.unusual_json import damaged
from tests.grammar.choices import chance, pick
from tests.support.provider.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_stepup.oidc.response import Response
    from kubectl_stepup.stepup.device_flow import DeviceGrant
    from tests.fuzz.watch import Watch
    from tests.grammar.choices import Bytes

URL = "https://login.example.com/token"
REQUEST = DeviceRequest(client_id="kubectl-elevated", scope=("openid",))
EXPIRES_IN_S = 60.0
INTERVAL_S = 5.0
SECRETS = ("id-token-secret", "access-token-secret", "refresh-token-secret", "device-code-secret")
ERRORS = (
    *("authorization_pending", "slow_down", "access_denied", "expired_token", "invalid_grant", "invalid_client"),
    *("unmet_authentication_requirements", "server_error", "temporarily_unavailable", "interaction_required"),
)
MEMBERS = (
    *("id_token", "access_token", "refresh_token", "token_type", "scope", "expires_in", "error", "error_description"),
    *("error_uri", "issued_token_type", "authorization_details"),
)
WORDS = (*ERRORS, "Bearer", "bearer", "mac", "DPoP", "N_A", "openid kube-admin", "openid\u00a0x", "a.b.c")


def one(choices: Bytes, watch: Watch) -> str:
    """Run one flow; its last answer is given for ever."""
    answers = [answer(choices, URL, _body(choices)) for _ in range(1 + choices.below(3))]
    provider = Provider(answers)
    grant = watch.attempt(provider.run, StepUpError)
    if isinstance(grant, StepUpError):
        assert kept_quiet(grant, answers, SECRETS, "id_token", "access_token", "refresh_token"), "a secret is shown"
        ended = refusal(grant)
    else:
        given = [each.document["id_token"] for each in answers if each.document and "id_token" in each.document]
        assert grant.id_token.reveal() in given, "a token that nobody gave"
        ended = f"a token for {len(grant.scope)} scopes, {'' if grant.access_token is None else 'with access'}"
    assert provider.clock.slept[-1:] != [], "it asks before it has waited"
    assert sum(provider.clock.slept) <= EXPIRES_IN_S + 1, "it goes on when the code is over"
    assert provider.polls <= EXPIRES_IN_S / INTERVAL_S, "it asks too often"
    return f"{ended} after {min(provider.polls, 4)}"


class Provider:
    """Gives the answers one after the other."""

    host = "login.example.com"

    def __init__(self, answers: Sequence[Response]) -> None:
        self._answers = answers
        self.clock, self.polls = FakeClock(), 0

    def run(self) -> DeviceGrant:
        """Run the flow from its start."""
        self.clock, self.polls = FakeClock(), 0
        return obtain(self, REQUEST, clock=self.clock, show=lambda given: None, tick=lambda left: None)  # type: ignore[arg-type]

    def authorize_device(self, request: DeviceRequest) -> DeviceAuthorization:
        return DeviceAuthorization(
            device_code=Secret("device-code-secret"),
            user_code="WDJB-MJHT",
            verification_uri="https://login.example.com/device",
            verification_uri_complete=None,
            expires_in_s=EXPIRES_IN_S,
            interval_s=INTERVAL_S,
        )

    def poll(self, request: DeviceRequest, device_code: Secret, *, deadline_s: float) -> Response:
        self.polls += 1
        return self._answers[min(self.polls, len(self._answers)) - 1]

    def revoke(self, revoked: Secret, *, kind: str, client_id: str) -> bool:
        return True


def _body(choices: Bytes) -> bytes:
    if chance(choices, 2):
        error = {"error": pick(choices, ERRORS), "error_description": "said by the provider"}
        return damaged(choices, error, MEMBERS, WORDS)
    tokens = {
        "id_token": "id-token-secret",
        "access_token": "access-token-secret",
        "token_type": "Bearer",
        "scope": "openid kube-admin",
        "expires_in": 300,
    }
    if chance(choices, 3):
        tokens["refresh_token"] = "refresh-token-secret"
    return damaged(choices, tokens, MEMBERS, WORDS)
