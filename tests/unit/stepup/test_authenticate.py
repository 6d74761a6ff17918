from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kubectl_stepup.audit.event import fingerprint
from kubectl_stepup.errors import (
    ConfigError,
    LoginNeeded,
    NotFresh,
    ProviderError,
    ProviderUnreachable,
    StepUpDenied,
    StepUpError,
    StepUpExpired,
    TokenRejected,
    TooWeak,
    WrongAccount,
)
from kubectl_stepup.oidc import id_token
from kubectl_stepup.oidc.claims import Expectation, IDTokenClaims
from kubectl_stepup.oidc.grants.device import DeviceAuthorization, DeviceRequest
from kubectl_stepup.oidc.presets import PRESETS
from kubectl_stepup.oidc.requirement import Evidence
from kubectl_stepup.secret import Secret
from kubectl_stepup.sessions.session import ElevationSession
from kubectl_stepup.stepup.authenticate import MAX_KEPT_ACCESS_TOKEN, authenticate
from kubectl_stepup.stepup.request import StepUpRequest
from tests.flows import PROVIDER, FakeProvider, World, asked, cluster, provider_with, with_options
from tests.support.provider.cases import good
from tests.support.provider.tokens import at_hash
from tests.support.values import NOW

WISH = asked("delete", "pod", "web-0")


def tokens(access_token: str | None = "access-1", **claims: Any) -> dict[str, Any]:
    """Return a token response whose ID token has `claims`; by default a good one."""
    times = {"iat": int(NOW) + 5, "auth_time": int(NOW) + 4, "exp": int(NOW) + 305}
    found = {"id_token": good(**{**times, **claims}), "token_type": "Bearer", "scope": "openid"}
    return found if access_token is None else {**found, "access_token": access_token}


def world_of(*answers: dict[str, Any] | BaseException, **provider: Any) -> World:
    return World(provider=FakeProvider(answers=list(answers), **provider))


def authenticated(world: World, options: StepUpRequest = WISH, exec_info: tuple[str, ...] = ()) -> ElevationSession:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(World, "exec_info", lambda self, request: exec_info)
        return authenticate(options, world)


def test_a_good_answer_is_a_session_of_what_was_asked() -> None:
    world = world_of(tokens(jti="j-1"))
    found = authenticated(world, exec_info=("a" * 64, "b" * 64, "c" * 64, "d" * 64))
    assert (found.issuer, found.client, found.account) == (PROVIDER.issuer, "kubectl-elevated", "alice")
    assert (found.cluster, found.level, found.id) == ("prod-eu", "mfa", WISH.session_id)
    pin = found.pin
    assert (pin.server, pin.ca_sha256) == (WISH.cluster.server, WISH.cluster.pin.ca_sha256)
    assert (pin.tls_server_name, pin.proxy_url, pin.insecure) == (None, None, False)
    assert (found.token_expires_at, found.auth_time, found.acr) == (NOW + 305, NOW + 4, "mfa")
    assert found.amr == ("pwd", "otp", "mfa")
    assert (found.command, found.jti_sha256) == ("kubectl delete pod web-0", fingerprint("j-1"))
    assert found.approved == world.moment()
    assert found.reuse_until == found.approved.wall + 600
    assert found.access_token == Secret("access-1")
    assert found.exec_info == ("a" * 64, "b" * 64, "c" * 64, "d" * 64)
    assert "access-1" not in repr(found)


def test_the_person_sees_the_request_then_waits_then_reads_the_approval() -> None:
    world = world_of(tokens())
    authenticated(world)
    prompt, approved = world.terminal.said
    assert prompt == "\n".join(
        [
            "Step-up needed: delete pods in shop  (rule deletes, level mfa)",
            "  cluster  prod-eu  https://api.prod.example.com",
            "  user     alice",
            "  command  kubectl delete pod web-0",
            "",
            "  1. Open          https://login.example.com/device",
            "  2. Enter code    WDJB-MJHT",
            "  3. Approve with your second factor",
            "",
            "This approval also covers other commands that need mfa in prod-eu, for up to 10m, from this terminal.",
            "Approve only what you started yourself. Not opening a browser: no display.",
        ]
    )
    first, second = approved.splitlines()
    assert first == "Approved: alice, level mfa (acr=mfa, amr=pwd+otp+mfa, signed in 1s ago)"
    assert second.startswith("Elevated in prod-eu until ")
    assert second.endswith(" (4m50s). End it with: kubectl stepup logout")
    assert (world.terminal.ticks[0], world.terminal.waiting) == (600.0, False)


@pytest.mark.parametrize(("lives_s", "left"), [(305, "4m50s"), (615, "10m"), (800, "10m")])
def test_the_approval_tells_the_end_of_the_token_or_of_reuse_whichever_comes_first(lives_s: int, left: str) -> None:
    """CACHE-13: a token is no use in its last ten seconds."""
    world = world_of(tokens(exp=int(NOW) + lives_s))
    found = authenticated(world)
    assert f"({left}). End it with" in world.terminal.said[1]
    assert found.credential_expires_at == min(found.token_expires_at - 10, found.reuse_until)


def test_what_was_typed_ahead_is_thrown_away() -> None:
    """DEV-25."""
    world = world_of(tokens())
    authenticated(world)
    assert world.terminal.typed_ahead == ""


def test_the_request_carries_what_the_preset_and_the_level_say() -> None:
    world = world_of(tokens())
    authenticated(world)
    (request,) = world.provider.requests
    assert (request.client_id, request.scope) == ("kubectl-elevated", ("openid",))
    assert request.parameters == {"acr_values": "mfa gold", "max_age": "900"}
    assert request.code_verifier == Secret("random-48")


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        (
            PRESETS["oidc-provider"],
            "delete pods in shop: kubectl create secret generic x '--from-literal=p=[redacted]'",
        ),
        (PROVIDER.preset, None),
    ],
)
def test_the_command_is_sent_redacted_where_the_provider_shows_it(preset: Any, expected: str | None) -> None:
    world = world_of(tokens())
    options = asked("create", "secret", "generic", "x", "--from-literal=p=hunter2")
    authenticated(world, replace(options, provider=replace(PROVIDER, preset=preset)))
    assert world.provider.requests[0].parameters.get("stepup_command") == expected
    assert "hunter2" not in "\n".join(world.terminal.said)


def test_the_session_keeps_the_command_redacted() -> None:
    world = world_of(tokens())
    found = authenticated(world, asked("create", "secret", "generic", "x", "--from-literal=p=hunter2"))
    assert found.command == "kubectl create secret generic x '--from-literal=p=[redacted]'"


def test_a_login_asks_for_no_command() -> None:
    world = world_of(tokens())
    assert authenticated(world, asked()).command == ""
    assert world.terminal.said[0].startswith("Step-up to level mfa in prod-eu\n")


@pytest.mark.parametrize(
    "options", [with_options(WISH, once=True), asked("create", "role", "x", level="critical", reason="INC")]
)
def test_an_approval_for_one_command_says_so(options: StepUpRequest) -> None:
    world = world_of(tokens(acr="phr") if options.level.name == "critical" else tokens())
    authenticated(world, options)
    prompt, approved = world.terminal.said
    assert "This approval is for this command alone." in prompt
    assert approved.endswith("\nElevated in prod-eu for this command alone.")


@pytest.mark.parametrize(
    ("browser", "note", "complete", "opened", "said"),
    [
        (True, None, False, ["https://login.example.com/device"], "Opening your browser."),
        (True, None, True, ["https://login.example.com/device?user_code=WDJB-MJHT"], "Opening your browser."),
        (True, "no display", True, [], "Not opening a browser: no display."),
        (False, None, True, [], "Not opening a browser: --no-browser."),
    ],
)
def test_a_browser_is_opened_where_there_is_one(
    browser: bool, note: str | None, complete: bool, opened: list[str], said: str
) -> None:
    world = world_of(tokens(), complete=complete)
    world.terminal.note = note
    authenticated(world, with_options(WISH, browser=browser))
    assert world.terminal.opened == opened
    assert world.terminal.prompts[0].endswith(said)


class Misleading(FakeProvider):
    """A provider whose complete address led to another host, and was dropped when it was read."""

    def authorize_device(self, request: DeviceRequest) -> DeviceAuthorization:
        warning = "verification_uri_complete is on 'evil.example', which is not enrolled; it is not opened"
        return replace(super().authorize_device(request), verification_uri_complete=None, warning=warning)


def test_a_complete_address_elsewhere_is_warned_of_and_not_opened() -> None:
    """DEV-15."""
    world = World(provider=Misleading(answers=[tokens()], complete=True))
    world.terminal.note = None
    authenticated(world)
    assert world.terminal.opened == ["https://login.example.com/device"]
    assert "warning: verification_uri_complete is on 'evil.example', which is not enrolled" in world.terminal.prompts[0]
    assert "https://evil.example" not in world.terminal.prompts[0]


def test_the_user_scope_says_that_it_is_for_all_terminals() -> None:
    world = world_of(tokens())
    authenticated(world, replace(WISH, scope="user"))
    assert "from all your terminals" in world.terminal.prompts[0]


def test_nothing_is_said_to_be_approved_before_all_checks_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    world = world_of(tokens())
    seen: list[list[str]] = []
    real = id_token.verify

    def verify(*args: Any, **kwargs: Any) -> IDTokenClaims:
        seen.append(list(world.terminal.lines))
        return real(*args, **kwargs)

    monkeypatch.setattr(id_token, "verify", verify)
    authenticated(world)
    assert seen == [[]]
    assert len(world.terminal.lines) == 1


REJECTED: list[tuple[dict[str, Any], type[StepUpError]]] = [
    ({"acr": "1"}, TooWeak),
    ({"sub": "mallory"}, WrongAccount),
    ({"auth_time": int(NOW) - 1000}, NotFresh),
    ({"exp": int(NOW) + 7200}, NotFresh),
    ({"iss": "https://evil.example.com"}, TokenRejected),
    ({"aud": "kubectl"}, TokenRejected),
    ({"exp": int(NOW) + 3}, TokenRejected),
    ({"nonce": "replayed"}, TokenRejected),
]


@pytest.mark.parametrize(("claims", "kind"), REJECTED, ids=[str(claims) for claims, _ in REJECTED])
def test_a_token_that_proves_too_little_is_no_session(claims: dict[str, Any], kind: type[StepUpError]) -> None:
    world = world_of(tokens(**claims))
    with pytest.raises(TokenRejected) as caught:
        authenticated(world)
    assert type(caught.value) is kind
    assert world.terminal.lines == []
    assert (world.terminal.typed_ahead, world.terminal.waiting) == ("", False)


def test_fresh_means_a_sign_in_for_this_very_request() -> None:
    """IDT-29."""
    with pytest.raises(NotFresh):
        authenticated(world_of(tokens(auth_time=int(NOW) - 60)), with_options(WISH, fresh=True))
    authenticated(world_of(tokens(auth_time=int(NOW) - 60)))


def test_the_age_of_the_sign_in_counts_from_the_flows_start_by_the_providers_clock() -> None:
    pending: dict[str, Any] = {"error": "authorization_pending"}
    # Sixteen minutes old when it is approved, where the level allows fifteen: the person took four of them.
    slow = world_of(*[pending] * 50, tokens(auth_time=int(NOW) - 700, iat=int(NOW) + 250, exp=int(NOW) + 550))
    assert authenticated(slow).auth_time == NOW - 700


@pytest.mark.parametrize("revocation", [True, False, ProviderUnreachable("gone")])
def test_the_access_token_of_a_shortfall_is_revoked_whatever_comes_of_it(revocation: Any) -> None:
    world = world_of(tokens(acr="1"), revocation=revocation)
    with pytest.raises(TooWeak):
        authenticated(world)
    assert world.provider.revoked == [("access-1", "access_token", "kubectl-elevated")]


@pytest.mark.parametrize(
    ("answer", "options"),
    [
        (tokens(access_token=None, acr="1"), WISH),
        (tokens(acr="1"), replace(WISH, provider=provider_with(preset={"revoke": False}))),
    ],
)
def test_nothing_is_revoked_where_there_is_nothing_or_no_way(answer: dict[str, Any], options: StepUpRequest) -> None:
    world = world_of(answer)
    with pytest.raises(TooWeak):
        authenticated(world, options)
    assert world.provider.revoked == []


def test_nothing_is_revoked_after_an_approval() -> None:
    world = world_of(tokens())
    authenticated(world)
    assert world.provider.revoked == []


@pytest.mark.parametrize(
    ("access_token", "kept"),
    [(None, False), ("x" * MAX_KEPT_ACCESS_TOKEN, True), ("x" * (MAX_KEPT_ACCESS_TOKEN + 1), False)],
)
def test_an_access_token_is_kept_for_logout_unless_it_would_fill_the_store(
    access_token: str | None, kept: bool
) -> None:
    found = authenticated(world_of(tokens(access_token=access_token)))
    assert (found.access_token is not None) is kept


def test_a_wrong_hash_of_the_access_token_is_rejected() -> None:
    authenticated(world_of(tokens(at_hash=at_hash("access-1"))))
    with pytest.raises(TokenRejected):
        authenticated(world_of(tokens(at_hash=at_hash("another"))))


def test_the_expectation_is_of_the_enrolment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Expectation] = []

    def verify(id_token: Secret, expected: Expectation, **kwargs: Any) -> IDTokenClaims:
        seen.append(expected)
        raise TokenRejected("enough")

    world = world_of(tokens())
    monkeypatch.setattr(id_token, "verify", verify)
    provider = provider_with(
        account_claim="email",
        preset={"nonce_in_device": True, "signing_algorithms": ("ES256",), "extra_audiences": ("kubernetes",)},
    )
    with pytest.raises(TokenRejected):
        authenticated(world, replace(WISH, provider=provider))
    assert seen == [
        Expectation(
            issuer="https://login.example.com",
            client_id="kubectl-elevated",
            algorithms=("ES256",),
            nonce="random-24",
            account_claim="email",
            extra_audiences=("kubernetes",),
        )
    ]


def test_another_account_claim_is_compared_with_the_enrolled_account() -> None:
    options = replace(WISH, provider=provider_with(account_claim="oid"), cluster=cluster(account="7f3a"))
    assert authenticated(world_of(tokens(oid="7f3a", sub="pairwise")), options).account == "7f3a"
    with pytest.raises(WrongAccount):
        authenticated(world_of(tokens(oid="0000", sub="7f3a")), options)
    with pytest.raises(TokenRejected):
        authenticated(world_of(tokens(sub="7f3a")), options)


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ([{"error": "access_denied"}], StepUpDenied),
        ([{"error": "expired_token"}], StepUpExpired),
        ([], StepUpExpired),
        ([{"error": "invalid_client"}], ProviderError),
        ([KeyboardInterrupt()], KeyboardInterrupt),
    ],
)
def test_an_end_without_a_token_flushes_what_was_typed(
    answers: list[dict[str, Any] | BaseException], kind: type[BaseException]
) -> None:
    world = world_of(*answers)
    with pytest.raises(kind):
        authenticated(world)
    assert (world.terminal.typed_ahead, world.terminal.waiting, world.terminal.lines) == ("", False, [])


def test_ctrl_c_while_waiting_leaves_no_session_and_no_token() -> None:
    """DEV-20."""
    world = world_of({"error": "authorization_pending"}, tokens())

    def countdown(seconds_left: float) -> None:
        if seconds_left < 597:
            raise KeyboardInterrupt

    world.terminal.countdown = countdown  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        authenticated(world)
    assert (world.provider.polls, world.terminal.typed_ahead, world.terminal.lines) == (0, "", [])


def test_a_clock_that_is_far_off_ends_it_before_the_person_is_asked() -> None:
    world = world_of(tokens(), date=NOW + 600)
    with pytest.raises(LoginNeeded):
        authenticated(world)
    assert world.terminal.said == []


def unsupported(name: str) -> StepUpRequest:
    evidence = {"mfa": Evidence(acr=("mfa",))}
    return replace(WISH, provider=replace(PROVIDER, preset=PRESETS[name], evidence=evidence))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (unsupported("google"), "provider corp cannot prove a step-up: its ID tokens carry no acr, amr or auth_time"),
        (unsupported("hydra"), "provider corp (hydra) steps up by code alone, which this version does not do yet"),
        (replace(WISH, provider=provider_with(evidence={})), "provider corp has no evidence for level mfa"),
    ],
)
def test_a_provider_that_cannot_be_asked_is_said_before_it_is_asked(options: StepUpRequest, message: str) -> None:
    world = world_of(tokens())
    with pytest.raises(ConfigError) as caught:
        authenticated(world, options)
    assert caught.value.message.startswith(message)
    assert world.provider.requests == []


def test_foreign_texts_are_shown_safely() -> None:
    """IDT-40."""
    world = world_of(tokens(acr="mfa", amr=["\x1b]52;c;x\x07"], name="\u202ealice"))
    authenticated(world, with_options(WISH, reason="\x1b[2J"))
    assert not any(ord(letter) < 32 for said in world.terminal.said for letter in said if letter != "\n")
    assert "\u202e" not in "".join(world.terminal.said)
