from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from kubectl_stepup.errors import CommandRefused, ConfigError
from kubectl_stepup.oidc.presets import PRESETS
from kubectl_stepup.oidc.requirement import AuthTime, Evidence, StepUpRequirement
from kubectl_stepup.policy.quoted_text import QuotedText
from kubectl_stepup.sessions.session import session_id
from kubectl_stepup.stepup.request import require_reason, requirement_for, session_id_of
from tests.flows import CLUSTER, POLICY, PROVIDER, asked, cluster, provider_with


def test_the_session_id_is_made_of_issuer_elevated_client_account_cluster_and_level() -> None:
    options = asked("delete", "pod", "web-0")
    expected = session_id(
        issuer="https://login.example.com", client="kubectl-elevated", account="alice", cluster="prod-eu", level="mfa"
    )
    assert options.session_id == expected
    assert options.session_id_at(POLICY.level("strong")) == session_id_of(CLUSTER, PROVIDER, POLICY.level("strong"))


@pytest.mark.parametrize(
    "other",
    [
        {"level": "strong"},
        {"cluster": cluster(name="prod-us")},
        {"cluster": cluster(account="bob")},
        {"provider": dataclasses.replace(PROVIDER, issuer="https://login.example.com/other")},
        {"provider": dataclasses.replace(PROVIDER, elevated_client_id="kubectl")},
    ],
)
def test_each_of_them_makes_another_session(other: dict[str, Any]) -> None:
    assert asked(**other).session_id != asked().session_id


@pytest.mark.parametrize(
    "other", [{"context": "alias"}, {"scope": "user"}, {"fresh": True}, {"reason": "INC-1"}, {"once": True}]
)
def test_nothing_else_does(other: dict[str, Any]) -> None:
    assert asked(**other).session_id == asked("delete", "pod", "web-0").session_id


@pytest.mark.parametrize(
    ("level", "once", "keeps"), [("mfa", False, True), ("mfa", True, False), ("critical", False, False)]
)
def test_a_session_is_kept_unless_it_is_for_one_command(level: str, once: bool, keeps: bool) -> None:
    assert asked(level=level, once=once).keeps_session is keeps


def test_a_requirement_joins_the_policys_times_with_the_providers_evidence() -> None:
    provider = provider_with(preset={"auth_time": AuthTime.ABSENT}, account_claim="email")
    assert requirement_for(asked(provider=provider, fresh=True)) == StepUpRequirement(
        level="mfa",
        evidence=Evidence(acr=("mfa", "gold")),
        signed_in_within_s=900,
        server_window_s=None,
        auth_time=AuthTime.ABSENT,
        account_claim="email",
        account="alice",
        fresh=True,
    )


def test_a_level_that_nothing_proves_is_refused_with_the_fix() -> None:
    with pytest.raises(ConfigError) as caught:
        requirement_for(asked(provider=provider_with(evidence={})))
    assert caught.value.message == "provider corp has no evidence for level mfa: nothing could prove it"
    assert caught.value.hint == "kubectl stepup setup --context prod --evidence mfa:acr=VALUE"


def test_a_presets_evidence_stands_where_the_config_names_none() -> None:
    provider = dataclasses.replace(PROVIDER, preset=PRESETS["dex"], evidence={})
    assert requirement_for(asked(provider=provider)).evidence == Evidence(aud=("kubectl-elevated",))


@pytest.mark.parametrize(
    ("level", "required", "reason"),
    [
        ("mfa", False, None),
        ("mfa", True, "INC-42"),
        ("critical", False, "because"),
        ("critical", True, "because"),
    ],
)
def test_a_reason_is_enough_where_one_is_asked_for(level: str, required: bool, reason: str | None) -> None:
    require_reason(asked(level=level, reason=reason), required=required)


def wanted(*globs: str) -> tuple[QuotedText, ...]:
    return tuple(QuotedText(what="ticket of rule deletes", text=glob, file="policy.yaml") for glob in globs)


@pytest.mark.parametrize("reason", [None, "", " \t"])
@pytest.mark.parametrize(
    ("level", "required", "tickets"), [("mfa", True, ()), ("mfa", False, ("INC-*",)), ("critical", False, ())]
)
def test_a_missing_reason_is_refused(level: str, required: bool, tickets: tuple[str, ...], reason: str | None) -> None:
    with pytest.raises(CommandRefused) as caught:
        require_reason(asked(level=level, reason=reason), required=required, tickets=wanted(*tickets))
    assert caught.value.message == f"level {level} asks for a reason"
    assert caught.value.hint == 'repeat the command with --reason "why", before the --'


@pytest.mark.parametrize("reason", ["INC-42", "disk full INC-42", "INC-42 CHG-7"])
def test_a_ticket_may_stand_anywhere_in_the_reason(reason: str) -> None:
    require_reason(asked(reason=reason), required=False, tickets=wanted("INC-*"))


@pytest.mark.parametrize(
    ("reason", "tickets"), [("disk full", ("INC-*",)), ("XINC-42", ("INC-*",)), ("INC-42", ("INC-*", "CHG-*"))]
)
def test_every_ticket_is_needed(reason: str, tickets: tuple[str, ...]) -> None:
    with pytest.raises(CommandRefused) as caught:
        require_reason(asked(reason=reason), required=False, tickets=wanted(*tickets))
    assert caught.value.message == f"the reason {reason!r} names no ticket like {tickets[-1]}"
    assert caught.value.hint == f'--reason "{tickets[-1]} why", before the --'
