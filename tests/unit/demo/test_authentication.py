"""Levels of malformed and forged claims: never an error, never a level that was not proven."""

from __future__ import annotations

import pytest

from kubectl_stepup.demo.authentication import JWTAuthenticator, TokenRefused, unverified_issuer

AUTHENTICATOR = JWTAuthenticator(
    issuer="https://login.example.com",
    ca_pem="",
    audiences=("kubectl", "kubectl-elevated"),
    elevated_audience="kubectl-elevated",
    level_acr={"mfa": ("mfa", "phr"), "critical": ("phr",)},
    window_s=900,
)
ELEVATED: dict[str, object] = {
    "sub": "alice",
    "aud": "kubectl-elevated",
    "acr": "mfa",
    "auth_time": 1000,
    "exp": 1300,
    "groups": ["dev"],
}


def test_a_proven_level_gives_its_group_and_one_for_each_group_of_the_person() -> None:
    assert AUTHENTICATOR.level_groups(ELEVATED) == ("dev", "stepup:mfa", "stepup:mfa:dev")


def test_a_stronger_acr_gives_every_level_it_proves() -> None:
    groups = AUTHENTICATOR.level_groups(ELEVATED | {"acr": "phr", "groups": []})
    assert groups == ("stepup:mfa", "stepup:critical")


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "kubectl"},
        {"aud": ["kubectl", "other"]},
        {"acr": "pwd"},
        {"acr": ["mfa"]},
        {"acr": 1},
        {"acr": None},
        {"auth_time": None},
        {"auth_time": "1000"},
        {"auth_time": True},
        {"auth_time": 399},
        {"auth_time": 1301},
        {"auth_time": 10_000_000_000},
        {"auth_time": 1_000_000},
    ],
)
def test_no_level_without_proof(changes: dict[str, object]) -> None:
    assert AUTHENTICATOR.level_groups(ELEVATED | changes) == ("dev",)


@pytest.mark.parametrize("changes", [{"aud": ["kubectl-elevated"]}, {"auth_time": 400}, {"auth_time": 1300.0}])
def test_forms_that_prove_a_level_all_the_same(changes: dict[str, object]) -> None:
    assert "stepup:mfa" in AUTHENTICATOR.level_groups(ELEVATED | changes)


@pytest.mark.parametrize(
    ("claimed", "groups"),
    [
        (["dev", "stepup:critical", "stepup:mfa:ops"], ("dev",)),
        ("dev", ("dev",)),
        ("stepup:mfa", ()),
        (["dev", 3, None, {"a": 1}], ("dev",)),
        (3, ()),
        ({"a": 1}, ()),
        (None, ()),
    ],
)
def test_groups_of_malformed_types_and_forged_levels(claimed: object, groups: tuple[str, ...]) -> None:
    assert AUTHENTICATOR.level_groups(ELEVATED | {"acr": "pwd", "groups": claimed}) == groups


def test_the_user_carries_what_the_audit_needs() -> None:
    user = AUTHENTICATOR.user(ELEVATED | {"jti": "t1"})
    assert user.name == "oidc:alice"
    assert user.groups == ("dev", "stepup:mfa", "stepup:mfa:dev", "system:authenticated")
    assert dict(user.extra) == {
        "kubectl-stepup.github.io/issuer": ("https://login.example.com",),
        "kubectl-stepup.github.io/acr": ("mfa",),
        "kubectl-stepup.github.io/auth-time": ("1000",),
        "authentication.kubernetes.io/credential-id": ("JTI=t1",),
    }
    assert user.is_person


@pytest.mark.parametrize("claims", [{}, {"sub": ""}, {"sub": ["alice"]}])
def test_no_user_without_a_name(claims: dict[str, object]) -> None:
    with pytest.raises(TokenRefused, match=r"^claim sub is not a user name$"):
        AUTHENTICATOR.user(claims)


@pytest.mark.parametrize("token", ["", "bad", "a.b.c", "a.e30.c", "a.W10.c", "a.eyJpc3MiOjF9.c"])
def test_an_unreadable_token_has_no_issuer(token: str) -> None:
    assert unverified_issuer(token) == ""


def test_the_issuer_is_read_to_choose_who_verifies() -> None:
    assert unverified_issuer("a.eyJpc3MiOiJodHRwczovL2EuZXhhbXBsZSJ9.c") == "https://a.example"
