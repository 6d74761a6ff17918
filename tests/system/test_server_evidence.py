"""Each kind of evidence on a real server, which reads a new AuthenticationConfiguration while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.system.guarded.cluster import (
    ELEVATED,
    EVERYDAY,
    Guarded,
    compile_policy,
    replace_authentication,
    write_config,
)
from tests.system.guarded.policies import LADDER

pytestmark = pytest.mark.system

AUTHENTICATION = "authentication-configuration.yaml"
API, POWER = "https://api.example", "https://power.example"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How a provider proves levels: fields of its entry, claims that prove each, and claims that prove none."""

    provider: Mapping[str, Any]
    mfa: tuple[Mapping[str, Any], ...]
    critical: tuple[Mapping[str, Any], ...]
    neither: tuple[Mapping[str, Any], ...]
    everyday: Mapping[str, Any] = field(default_factory=lambda: {"aud": EVERYDAY})
    """What an everyday token has beside a proof."""


def both(mfa: Mapping[str, Any], critical: Mapping[str, Any]) -> dict[str, Any]:
    return {"evidence": {"mfa": mfa, "critical": critical}}


KINDS = {
    "acr": Kind(
        provider=both({"acr": ["gold", "silver-and-phone"]}, {"acr": ["phr"]}),
        mfa=({"acr": "gold"}, {"acr": "silver-and-phone"}),
        critical=({"acr": "phr"},),
        neither=({"acr": "silver"}, {"acr": None}, {"acr": ["gold"]}, {"amr": ["gold"]}),
    ),
    "amr": Kind(
        provider=both({"amr": ["pwd", "otp"]}, {"amr": ["hwk"]}),
        mfa=({"amr": ["pwd", "otp"]}, {"amr": ["otp", "x", "pwd", 7]}),
        critical=({"amr": ["hwk"]}, {"amr": "hwk"}, {"amr": ["pwd", "otp", "hwk"]}),
        neither=({"amr": ["otp"]}, {"amr": "pwd otp"}, {"amr": None}, {"amr": 7}, {"amr": {"hwk": True}}),
    ),
    "acrs": Kind(
        provider=both({"acrs": ["c1", "c2"]}, {"acrs": ["c9"]}),
        mfa=({"acrs": ["c1"]}, {"acrs": "c2"}, {"acrs": ["c2", "c5", None]}),
        critical=({"acrs": ["c9"]}, {"acrs": ["c1", "c9"]}),
        neither=({"acrs": ["C1"]}, {"acrs": []}, {"acrs": None}, {"acrs": {"c1": 1}}, {"acr": "c1"}),
    ),
    "aud": Kind(
        provider=both({"aud": [API]}, {"aud": [POWER]}),
        mfa=({"aud": [ELEVATED, API], "azp": ELEVATED},),
        critical=({"aud": [POWER, ELEVATED], "azp": ELEVATED}, {"aud": [API, POWER, ELEVATED], "azp": ELEVATED}),
        neither=({"aud": [ELEVATED]}, {"aud": [ELEVATED, API]}, {"aud": [ELEVATED, API], "azp": EVERYDAY}),
        everyday={"aud": [EVERYDAY, API, POWER], "azp": EVERYDAY},
    ),
    "scope": Kind(
        provider=both({"scope": ["elevated"]}, {"scope": ["power", "openid"]}),
        mfa=({"scope": "openid elevated"}, {"scp": ["elevated"]}, {"scp": "elevated"}, {"scope": ["elevated", 7]}),
        critical=({"scope": "power openid"}, {"scp": ["openid", "power"]}, {"scope": "openid", "scp": "power"}),
        neither=({"scope": "elevatedx"}, {"scope": None}, {"scope": 7}, {"scope": "openid,elevated"}, {"scp": {}}),
    ),
    # No auth_time: the client proves the level, and the token's own life is what counts.
    "dex": Kind(
        provider={"preset": "dex", "accountClaim": "sub", "evidence": {"mfa": {"aud": [ELEVATED]}}},
        mfa=({"auth_time": None}, {"auth_time": 7}, {"auth_time": None, "acr": None}),
        critical=(),
        neither=({"auth_time": None, "iat": 1_000_000_000}, {"auth_time": None, "exp": 9_999_999_999}),
    ),
}


@pytest.fixture(scope="module")
def cluster(guarded_by: Callable[[str], Guarded]) -> Iterator[Guarded]:
    guarded = guarded_by(LADDER)
    before = guarded.api.authentication.read_text()
    yield guarded
    replace_authentication(guarded, before)


@pytest.fixture(scope="module", params=list(KINDS))
def kind(request: pytest.FixtureRequest, cluster: Guarded) -> Kind:
    """Put a kind of evidence in force."""
    chosen = KINDS[request.param]
    put(cluster, chosen.provider)
    return chosen


def put(guarded: Guarded, provider: Mapping[str, Any], **options: Any) -> str:
    """Compile for a provider and let the server read the result; return what the compiler said."""
    write_config(guarded.directory, guarded.provider, **provider)
    compiled = compile_policy(guarded.directory, "--target", "authentication", **options)
    assert compiled.returncode == 0, compiled.stderr
    assert replace_authentication(guarded, (guarded.bundle / AUTHENTICATION).read_text()) == "success"
    return compiled.stderr


def levels(guarded: Guarded, claims: Mapping[str, Any]) -> list[str]:
    groups = guarded.api.as_bearer(guarded.token(**{"acr": None, **claims})).whoami()["groups"]
    return sorted(group for group in groups if group.startswith("stepup:"))


MFA = ["stepup:mfa", "stepup:mfa:dev"]
CRITICAL = ["stepup:critical", "stepup:critical:dev", *MFA]


def test_the_proof_gives_its_level_and_nothing_else_does(cluster: Guarded, kind: Kind) -> None:
    assert [levels(cluster, claims) for claims in kind.mfa] == [MFA] * len(kind.mfa)
    assert [levels(cluster, claims) for claims in kind.critical] == [CRITICAL] * len(kind.critical)
    assert [(claims, levels(cluster, claims)) for claims in kind.neither] == [(claims, []) for claims in kind.neither]


def test_an_everyday_sign_in_with_the_same_proof_is_not_elevated(cluster: Guarded, kind: Kind) -> None:
    for claims in (*kind.mfa, *kind.critical):
        assert levels(cluster, {**claims, **kind.everyday}) == []


def test_tokens_that_live_for_an_hour(cluster: Guarded) -> None:
    """They are elevated only where somebody wrote so, and the compiler says what that means."""
    now = int(time.time())
    hour = {"acr": "gold", "auth_time": now - 2, "exp": now + 3600}
    put(cluster, {}, token_life_s=3600)
    assert levels(cluster, hour) == []

    policy = cluster.directory / "policy.yaml"
    before = policy.read_text()
    policy.write_text(before.replace("signedInWithin: 15m", "signedInWithin: 15m, serverWindow: 65m"))
    assert policy.read_text() != before
    said = put(cluster, {}, token_life_s=3600)
    policy.write_text(before)

    assert "level mfa: a token stays elevated for up to 65m after the sign-in" in said
    assert levels(cluster, hour) == MFA
    # The window is the token's: an older sign-in with the same life has left it.
    assert levels(cluster, {**hour, "auth_time": now - 301}) == []


def test_one_client_for_both_is_elevated_by_its_evidence_alone(cluster: Guarded) -> None:
    said = put(cluster, {"elevatedClientID": EVERYDAY})

    assert "an everyday sign-in with a second factor is elevated at once" in said
    assert levels(cluster, {"aud": EVERYDAY, "acr": "gold"}) == MFA
    assert levels(cluster, {"aud": EVERYDAY, "acr": "silver"}) == []
