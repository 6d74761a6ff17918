"""One whole command for each way in which an identity provider can fail it: message, exit code, and what is recorded.

What exactly is wrong with a token or an answer is tried in `tests/attacks`; here each class of error goes all the way.
"""

# ruff: noqa: E501 - one case a line

from __future__ import annotations

from typing import Any

import pytest

from kubectl_stepup.cli import root
from kubectl_stepup.errors import (
    InteractionRequired,
    LoginNeeded,
    NotFresh,
    ProviderError,
    ProviderResponse,
    ProviderUnreachable,
    StepUpDenied,
    StepUpError,
    StepUpExpired,
    TokenRejected,
    TooWeak,
    WrongAccount,
)
from kubectl_stepup.ui.errors import error_text
from tests.support.fakes import FakeProvider, FakeTerminal
from tests.support.provider.cases import good
from tests.support.provider.model import ABSENT
from tests.support.values import NOW
from tests.support.world import World

T = int(NOW)
COULD_NOT_START = 125


def tokens(**claims: Any) -> list[dict[str, Any]]:
    times = {"iat": T + 5, "auth_time": T + 4, "exp": T + 305}
    return [
        {
            "id_token": good(None, **{**times, **claims}),
            "token_type": "Bearer",
            "scope": "openid",
            "access_token": "at-1",
        }
    ]


CASES: list[tuple[str, dict[str, Any], type[StepUpError], str, str]] = [
    ("IDT-16 another issuer", {"answers": tokens(iss="https://evil.example")}, TokenRejected, "token-rejected", "error: the ID token is from issuer https://evil.example, not from https://login.example.com\nNothing was run; the token was discarded."),
    ("IDT-23 no acr", {"answers": tokens(acr=ABSENT)}, TooWeak, "too-weak", "wanted acr=mfa|gold, got acr=none"),
    ("DEV-22 acr_values ignored", {"answers": tokens(acr="pwd")}, TooWeak, "too-weak", "The identity provider ignored acr_values."),
    ("IDT-30 yesterday's session answers at once", {"answers": tokens(auth_time=T - 86_400)}, NotFresh, "not-fresh", "The identity provider did not re-authenticate you."),
    ("IDT-28 no auth_time", {"answers": tokens(auth_time=ABSENT)}, NotFresh, "not-fresh", "nothing proves when you signed in"),
    ("DEV-23 a token of an earlier request", {"answers": tokens(iat=T - 300, auth_time=T - 301)}, NotFresh, "not-fresh", "error: the ID token was issued 5m before this request"),
    ("DEV-24 another account", {"answers": tokens(sub="bob")}, WrongAccount, "wrong-account", "error: approved as someone else: wanted alice, got bob"),
    ("IDT-37 no token at all", {"answers": [{"id_token": "opaque", "token_type": "Bearer"}]}, TokenRejected, "token-rejected", "is not a signed JWT in compact form"),
    ("DEV-13 no id_token", {"answers": [{"access_token": "at-1", "token_type": "Bearer"}]}, ProviderResponse, "provider-response", "error: the token response has no id_token"),
    ("DEV-05 access_denied", {"answers": [{"error": "access_denied"}]}, StepUpDenied, "denied", "error: step-up denied by login.example.com (access_denied)\nNothing was run."),
    ("DEV-05 expired_token", {"answers": [{"error": "expired_token"}]}, StepUpExpired, "expired", "error: login.example.com says that code WDJB-MJHT, given 5s ago, has expired (expired_token)"),
    ("DEV-05 an unknown error", {"answers": [{"error": "teapot"}]}, ProviderError, "provider-error", "error: login.example.com refused the step-up (teapot)"),
    ("DEV-05 an error that is no text", {"answers": [{"error": True}]}, ProviderResponse, "provider-response", "error: the provider's error is not a string: True"),
    ("DEV-19 nobody acts", {"answers": []}, StepUpExpired, "expired", "expired after 10m without approval"),
    ("IDT-21 a clock ten minutes off", {"answers": tokens(), "date": NOW + 600}, LoginNeeded, "login-needed", "error: this machine's clock is 10m behind login.example.com"),
    ("the provider is away", {"unreachable": "login.example.com cannot be reached: connection refused"}, ProviderUnreachable, "provider-unreachable", "error: login.example.com cannot be reached: connection refused"),
]  # fmt: skip


class Away(FakeProvider):
    """A provider that cannot be asked."""

    def __init__(self, message: str) -> None:
        super().__init__()
        self.message = message

    def authorize_device(self, request: Any) -> Any:
        raise ProviderUnreachable(self.message)


def provider(unreachable: str | None = None, **answers: Any) -> FakeProvider:
    return FakeProvider(**answers) if unreachable is None else Away(unreachable)


@pytest.mark.parametrize(
    ("answers", "kind", "result", "said"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_command_that_is_not_approved_runs_nothing_and_leaves_one_record(
    answers: dict[str, Any], kind: type[StepUpError], result: str, said: str
) -> None:
    world = World(provider=provider(**answers))
    with pytest.raises(StepUpError) as caught:
        world.execute("delete", "pod", "web-0")
    error = caught.value
    assert type(error) is kind
    assert said in error_text(error)
    assert root._exit_code("exec", error) == COULD_NOT_START
    assert (world.kubectl.ran, world.store.keys()) == ([], [])
    assert not any("Approved" in line for line in world.terminal.said)
    (event,) = world.audit.events
    assert (event.activity.value, event.result, event.exit_code) == ("refusal", result, None)
    assert (event.cluster, event.level, event.user) == ("prod-eu", "mfa", "alice")
    assert (event.command, event.rules) == (("delete", "pod", "web-0"), ("deletes",))
    assert event.evidence is None


def test_without_a_person_the_provider_is_not_asked() -> None:
    """DEV-26: no terminal, CI, cron."""
    world = World(provider=FakeProvider(answers=list(tokens())), terminal=FakeTerminal(obstacle_="no terminal"))
    with pytest.raises(InteractionRequired) as caught:
        world.execute("delete", "pod", "web-0")
    assert root._exit_code("exec", caught.value) == COULD_NOT_START
    assert (world.provider.requests, world.terminal.said, world.clock.slept) == ([], [], [])
    assert [(event.activity.value, event.result) for event in world.audit.events] == [
        ("refusal", "interaction-required")
    ]


def test_a_cached_session_needs_no_provider() -> None:
    """DIS-07: the provider is down, the session lives."""
    world = World(provider=FakeProvider(answers=list(tokens())))
    world.execute("delete", "pod", "web-0")
    world.provider = Away("login.example.com cannot be reached")
    assert world.execute("delete", "pod", "web-1") == 0
    assert [event.result for event in world.audit.events][-2:] == ["reused", "reused"]


def test_no_verbosity_shows_the_device_code() -> None:
    """DEV-28: the details of `-v` are for debugging, and the person's code is on the terminal alone."""
    world = World(provider=FakeProvider(answers=[{"error": "authorization_pending"}, *tokens()]))
    world.execute("delete", "pod", "web-0")
    assert world.terminal.details
    recorded = [record.line for record in world.audit.records]
    for seen in (world.terminal.details, world.terminal.said, recorded):
        assert "device-code" not in str(seen)
    for seen in (world.terminal.details, recorded):
        assert "WDJB-MJHT" not in str(seen)
