"""Who the server takes a login for, evaluated."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_stepup.enforce.issuer_trust import Trust, TrustedLevel
from kubectl_stepup.enforce.verify.logins import UserInfo, evaluated, user_of
from kubectl_stepup.enforce.verify.results import ENFORCED, GAP, Login
from kubectl_stepup.oidc.requirement import AuthTime, Evidence

ISSUER = "https://login.example.com"
TRUST = Trust(
    issuer=ISSUER,
    everyday="kubectl",
    elevated="kubectl-elevated",
    levels=(
        TrustedLevel(name="mfa", evidence=Evidence(acr=("gold",)), window_s=1260),
        TrustedLevel(name="critical", evidence=Evidence(acr=("phr",)), window_s=660),
    ),
    auth_time=AuthTime.REQUIRED,
)
EVERYDAY, MFA, CRITICAL = Login(level=None), Login(level="mfa", rank=0), Login(level="critical", rank=1)


def user(*groups: str, name: str = "alice", issuer: str | None = ISSUER) -> UserInfo:
    extra: dict[str, Any] = {} if issuer is None else {"kubectl-stepup.github.io/issuer": [issuer]}
    info = {"username": name, "groups": [*groups, "system:authenticated"], "extra": extra}
    found = user_of({"status": {"userInfo": info}})
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("login", "found", "state", "detail"),
    [
        (EVERYDAY, user("dev"), ENFORCED, "user alice"),
        (EVERYDAY, user("dev", "stepup:mfa"), GAP, "the everyday login has group stepup:mfa"),
        (EVERYDAY, user("dev", issuer=None), GAP, "alice is not known as a person"),
        (EVERYDAY, user("dev", issuer="https://evil.example"), GAP, "is https://evil.example, not"),
        (MFA, user("dev", "stepup:mfa", "stepup:mfa:dev"), ENFORCED, "user alice"),
        (MFA, user("dev", "stepup:mfa"), GAP, "has no group stepup:mfa:dev"),
        (MFA, user("dev"), GAP, "has no group stepup:mfa; has no group stepup:mfa:dev"),
        (MFA, user("stepup:mfa", "stepup:critical"), GAP, "has group stepup:critical, which mfa does not give"),
        (
            MFA,
            user("sre", "stepup:mfa", "stepup:mfa:sre"),
            GAP,
            "gains group sre, which the everyday login does not have",
        ),
        (MFA, user("stepup:mfa", name="bob"), GAP, "is bob here and alice every day"),
        (CRITICAL, user("stepup:critical", "stepup:mfa"), ENFORCED, "user alice"),
        (CRITICAL, user("stepup:critical"), GAP, "has no group stepup:mfa"),
    ],
)
def test_a_login(login: Login, found: UserInfo, state: str, detail: str) -> None:
    row = evaluated(login, found, TRUST, everyday=None if login is EVERYDAY else user("dev"), fix="do it")

    assert row.state == state
    assert detail in row.detail
    assert row.fix == ("do it" if state == GAP else "")
    assert row.subject == login.name


@pytest.mark.parametrize("review", [None, {}, {"status": {}}, {"status": {"userInfo": "x"}}])
def test_what_is_no_review(review: dict[str, Any] | None) -> None:
    assert user_of(review) is None
