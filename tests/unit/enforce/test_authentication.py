"""The AuthenticationConfiguration: made, merged into another, and made again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kubectl_stepup.enforce.issuer_trust import ClaimNames, Trust, TrustedLevel, window_of
from kubectl_stepup.enforce.targets.authentication import configuration
from kubectl_stepup.enforce.targets.claims_cel import base_of
from kubectl_stepup.errors import PolicyError
from kubectl_stepup.oidc.requirement import AuthTime, Evidence
from kubectl_stepup.policy.model import Level

ISSUER = "https://login.example.com"
TRUST = Trust(
    issuer=ISSUER,
    everyday="kubectl",
    elevated="kubectl-elevated",
    levels=(
        TrustedLevel(name="mfa", evidence=Evidence(acr=("gold",)), window_s=1260),
        TrustedLevel(name="critical", evidence=Evidence(acr=("phr",), amr=("hwk",)), window_s=600),
    ),
    auth_time=AuthTime.REQUIRED,
)
OTHER = {
    "issuer": {"url": "https://ci.example.com", "audiences": ["ci"]},
    "claimMappings": {"username": {"claim": "sub", "prefix": "ci:"}, "groups": {"claim": "roles", "prefix": "ci:"}},
}


def existing(*entries: dict[str, Any], **members: Any) -> dict[str, Any]:
    document = {"apiVersion": "apiserver.config.k8s.io/v1beta1", "kind": "AuthenticationConfiguration"}
    return {**document, "jwt": list(entries), **members}


def groups_of(document: dict[str, Any], at: int = 0) -> str:
    found: str = document["jwt"][at]["claimMappings"]["groups"]["expression"]
    return found


def test_both_audiences_one_entry() -> None:
    document = configuration(TRUST, version="v1")

    assert document["apiVersion"] == "apiserver.config.k8s.io/v1"
    (entry,) = document["jwt"]
    assert entry["issuer"] == {
        "url": ISSUER,
        "audiences": ["kubectl", "kubectl-elevated"],
        "audienceMatchPolicy": "MatchAny",
    }
    assert [one["key"].rpartition("/")[2] for one in entry["claimMappings"]["extra"]] == [
        "issuer", "acr", "amr", "auth-time",
    ]  # fmt: skip


def test_a_time_beyond_all_integers_costs_no_login() -> None:
    extra = configuration(TRUST, version="v1")["jwt"][0]["claimMappings"]["extra"]
    (time,) = [one["valueExpression"] for one in extra if one["key"].endswith("/auth-time")]

    # `int` fails on what does not fit, and an expression that fails is a 401 for whoever signs in.
    condition, _, converted = time.partition(" ? ")
    assert condition.endswith("< 1000000000000000.0 && double(claims[?'auth_time'].orValue(0)) > -1000000000000000.0")
    assert converted.startswith("string(int(")


def test_a_stronger_level_has_the_weaker_ones_groups() -> None:
    written = groups_of(configuration(TRUST, version="v1"))

    assert "? ['stepup:critical', 'stepup:mfa']" in written
    assert "'hwk' in dyn(" in written
    assert written.index("<= 600.0") < written.index("<= 1260.0")  # the strongest first


def test_one_client_for_both_is_told_by_evidence_alone() -> None:
    document = configuration(replace(TRUST, elevated="kubectl"), version="v1")

    assert document["jwt"][0]["issuer"] == {"url": ISSUER, "audiences": ["kubectl"]}
    assert "claims.azp" not in groups_of(document)


@pytest.mark.parametrize("trusted", [AuthTime.ABSENT, AuthTime.UNTRUSTED])
def test_where_auth_time_is_not_to_be_trusted_the_tokens_life_counts(trusted: AuthTime) -> None:
    written = groups_of(configuration(replace(TRUST, auth_time=trusted), version="v1"))

    assert "claims[?'iat']" in written
    assert "claims[?'auth_time']" not in written


@pytest.mark.parametrize(
    ("evidence", "written"),
    [
        (Evidence(acrs=("c1", "c2")), ".exists(v, v in ['c1', 'c2'])"),
        (Evidence(aud=("api",)), ".exists(v, v in ['api'])"),
        (Evidence(amr=("pwd", "otp")), "'otp' in dyn("),
        (Evidence(scope=("elevated",)), "'elevated' in ("),
    ],
)
def test_every_kind_of_evidence(evidence: Evidence, written: str) -> None:
    trust = replace(TRUST, levels=(TrustedLevel(name="mfa", evidence=evidence, window_s=900),))

    assert written in groups_of(configuration(trust, version="v1"))


def test_without_levels_the_groups_are_only_cleaned() -> None:
    written = groups_of(configuration(replace(TRUST, levels=()), version="v1"))

    assert "['stepup:" not in written
    assert "!string(g).startsWith('stepup:')" in written


def test_the_break_glass_group_cannot_come_from_a_token() -> None:
    written = groups_of(configuration(replace(TRUST, reserved=("sre",)), version="v1"))

    assert "!(string(g) in ['sre'])" in written


def test_another_issuer_stays_and_is_refused_our_groups() -> None:
    document = configuration(TRUST, version="v1", existing=existing(OTHER, anonymous={"enabled": False}))

    other, ours = document["jwt"]
    assert {**other, "userValidationRules": None} == {**OTHER, "userValidationRules": None}
    assert "!g.startsWith('stepup:')" in other["userValidationRules"][0]["expression"]
    assert ours["issuer"]["url"] == ISSUER
    assert document["anonymous"] == {"enabled": False}


def test_an_existing_entry_keeps_its_names_and_rules() -> None:
    rule = {"claim": "hd", "requiredValue": "example.com"}
    entry = {
        "issuer": {"url": ISSUER, "audiences": ["old"], "certificateAuthority": "PEM"},
        "claimValidationRules": [rule],
        "claimMappings": {
            "username": {"expression": "claims.email"},
            "groups": {"claim": "roles", "prefix": "oidc:"},
            "uid": {"claim": "sub"},
            "extra": [{"key": "example.com/team", "valueExpression": "claims.team"}],
        },
    }
    (made,) = configuration(replace(TRUST, ca_pem="OTHER"), version="v1", existing=existing(entry))["jwt"]

    assert made["issuer"]["audiences"] == ["old", "kubectl", "kubectl-elevated"]
    assert made["issuer"]["certificateAuthority"] == "PEM"
    assert made["claimValidationRules"] == [rule]
    mappings = made["claimMappings"]
    assert (mappings["username"], mappings["uid"]) == ({"expression": "claims.email"}, {"claim": "sub"})
    assert mappings["extra"][0]["key"] == "example.com/team"
    assert "claims[?'roles']" in mappings["groups"]["expression"]
    assert ".map(g, 'oidc:' + g)" in mappings["groups"]["expression"]


def test_an_expression_of_their_own_is_what_ours_begins_with() -> None:
    entry = {
        "issuer": {"url": ISSUER, "audiences": ["kubectl"]},
        "claimMappings": {"username": {"claim": "sub", "prefix": ""}, "groups": {"expression": "claims.roles"}},
    }
    written = groups_of(configuration(TRUST, version="v1", existing=existing(entry)))

    assert base_of(written) == "dyn(type((claims.roles)) == list ? (claims.roles) : [(claims.roles)])"


def test_merging_twice_changes_nothing() -> None:
    claims = ClaimNames(groups="roles", groups_prefix="oidc:")
    once = configuration(replace(TRUST, claims=claims), version="v1", existing=existing(OTHER))

    assert configuration(TRUST, version="v1", existing=once) == once


def test_what_was_given_is_not_changed() -> None:
    given = existing(OTHER)
    configuration(TRUST, version="v1", existing=given)

    assert given == existing(OTHER)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"kind": "Config", "apiVersion": "v1"}, "this is Config of v1"),
        (existing({"issuer": {}}), "has no issuer.url"),
        (existing({}), "has no issuer.url"),
        (
            existing({**OTHER, "claimMappings": {"extra": [{"key": "kubectl-stepup.github.io/issuer"}]}}),
            "issuer https://ci.example.com sets the extra key kubectl-stepup.github.io/issuer",
        ),
    ],
)
def test_what_cannot_be_merged_is_refused(document: dict[str, Any], message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        configuration(TRUST, version="v1", existing=document)


@pytest.mark.parametrize(
    ("window", "life", "seconds"),
    [(None, 300, 1260), (None, 3600, 1860), (4560, 3600, 4560)],
    ids=["sign-in, life, a minute", "no more than a quarter of an hour of life", "as the level says"],
)
def test_the_window_of_a_level(window: int | None, life: int, seconds: int) -> None:
    level = Level(name="mfa", signed_in_within_s=900, ask_again_after_s=600, server_window_s=window)

    assert window_of(level, life) == seconds
