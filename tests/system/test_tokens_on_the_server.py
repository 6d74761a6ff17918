"""What a real API server makes of tokens: who is let in, and who gets the level, by the configuration of our pages."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from kubectl_stepup.oidc.claims import IDTokenClaims
from kubectl_stepup.oidc.evidence import shortfalls
from kubectl_stepup.oidc.requirement import AuthTime, Evidence, StepUpRequirement
from tests.support.provider.keys import rsa_key
from tests.support.provider.server import Provider
from tests.support.provider.tokens import signed
from tests.system.lab.authentication import ELEVATED, EVERYDAY, OURS, WINDOW_S
from tests.system.lab.lab import opened_cluster
from tests.system.lab.objects import wait_for_gate
from tests.system.parts import control_plane
from tests.system.parts.kube_api import KubeAPI
from tests.system.parts.kube_apiserver import KubeAPIServer
from tests.system.parts.oauth_client import claims_of
from tests.system.parts.processes import wait_until
from tests.system.parts.provider import RunningProvider

pytestmark = pytest.mark.system

POD = "/api/v1/namespaces/prod/pods/web-0?dryRun=All"
PODS = "/api/v1/namespaces/prod/pods"
CACHED_S = 10
"""How long the API server remembers that a token was good (`TokenSuccessCacheTTL`)."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """An API server that trusts an issuer whose key we have."""

    api: KubeAPIServer
    issuer: str

    def token(self, *, key: str = "main", lifetime_s: int = 300, age_s: int = 2, **claims: Any) -> str:
        """Sign a token of the elevated client from a sign-in `age_s` ago; a claim that is None is left out."""
        now = int(time.time())
        proper: dict[str, object] = {
            "iss": self.issuer,
            "sub": "alice",
            "aud": ELEVATED,
            "iat": now,
            "auth_time": now - age_s,
            "exp": now - age_s + lifetime_s,
            "acr": "gold",
            "groups": ["dev"],
        }
        return signed(
            {name: one for name, one in {**proper, **claims}.items() if one is not None}, rsa_key(key), kid=key
        )

    def asks(self, **claims: Any) -> KubeAPI:
        """Return the API as the holder of such a token sees it."""
        return self.api.as_bearer(self.token(**claims))

    @property
    def log(self) -> str:
        """What the server has logged so far."""
        return self.api.server.log.read_text()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, no_orphans: None) -> Iterator[Server]:
    control_plane.require()
    directory = tmp_path_factory.mktemp("own-issuer")
    with Provider(directory) as ours:
        trusted = RunningProvider(
            name="ours",
            issuer=ours.issuer,
            ca_file=ours.ca_file,
            preset="generic",
            mfa="gold",
            password_only="silver",
            username_claim="sub",
            scope="openid",
        )
        with opened_cluster(directory, trusted) as api:
            opened = Server(api=api, issuer=ours.issuer)
            wait_for_gate(opened.asks(aud=EVERYDAY, acr="silver"))
            yield opened


def test_a_fresh_elevated_token_passes(server: Server) -> None:
    elevated = server.asks()

    assert elevated.whoami()["groups"] == ["dev", "stepup:mfa", "stepup:mfa:dev", "system:authenticated"]
    assert elevated.request("DELETE", POD).status_code == 200


def test_an_everyday_token_reads_and_deletes_nothing(server: Server) -> None:
    everyday = server.asks(aud=EVERYDAY, acr="silver")

    assert everyday.request("GET", PODS).status_code == 200
    refused = everyday.request("DELETE", POD).json()
    assert (refused["code"], refused["reason"]) == (403, "Forbidden")
    assert "insufficient_user_authentication" in refused["details"]["causes"][0]["message"]


def test_an_everyday_sign_in_with_mfa_gives_no_level(server: Server) -> None:
    assert server.asks(aud=EVERYDAY).whoami()["groups"] == ["dev", "system:authenticated"]


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": int(time.time()) - 60}, "oidc: token is expired"),
        ({"aud": "another-client"}, 'got [\\"another-client\\"]'),
        # Nobody is there for such an issuer, so nobody says more.
        ({"iss": "https://login.example.com"}, 'err="invalid bearer token"'),
        ({"key": "rotated"}, "failed to verify id token signature"),
        ({"sub": None}, "claim not present"),
        ({"nbf": int(time.time()) + 86_400}, "before the nbf"),
    ],
    ids=["expired", "wrong audience", "wrong issuer", "unknown key", "no name", "not yet"],
)
def test_who_is_nobody_gets_401_and_the_reason_is_in_the_log_alone(
    server: Server, claims: dict[str, Any], reason: str
) -> None:
    before = len(server.log)
    answer = server.asks(**claims).request("GET", PODS)

    assert (answer.status_code, answer.json()["message"]) == (401, "Unauthorized")
    assert reason in server.log[before:]


def test_a_stale_sign_in_is_somebody_without_a_level(server: Server) -> None:
    stale = server.asks(auth_time=int(time.time()) - WINDOW_S)

    assert stale.whoami()["groups"] == ["dev", "system:authenticated"]
    assert stale.request("GET", PODS).status_code == 200
    assert stale.request("DELETE", POD).status_code == 403


def test_the_window_is_a_property_of_the_token(server: Server) -> None:
    now = int(time.time())
    inside, outside = (server.asks(auth_time=now, exp=now + WINDOW_S + beyond) for beyond in (0, 1))

    assert "stepup:mfa" in inside.whoami()["groups"]
    # A token that lives for an hour never gets the level, however fresh and strong the sign-in.
    assert "stepup:mfa" not in outside.whoami()["groups"]


@pytest.mark.parametrize(
    "claims",
    [
        {"acr": ["gold"]},
        {"acr": 2},
        {"acr": None},
        {"acr": "silver"},
        {"auth_time": None},
        {"auth_time": "1795000000"},
        {"auth_time": True},
        {"auth_time": 10_000_000_000},
        {"auth_time": 1_795_000_000_000},  # milliseconds
        {"auth_time": {"seconds": 1}},
    ],
    ids=repr,
)
def test_an_odd_claim_costs_the_level_and_never_the_login(server: Server, claims: dict[str, Any]) -> None:
    assert server.asks(**claims).whoami()["groups"] == ["dev", "system:authenticated"]


@pytest.mark.parametrize(
    ("groups", "seen"),
    [
        (7, []),
        ({"name": "dev"}, []),
        (None, []),
        (["dev", 7], ["dev", "stepup:mfa:dev"]),
        ("dev", ["dev", "stepup:mfa:dev"]),
        (["dev", "stepup:critical", "stepup:mfa:admins"], ["dev", "stepup:mfa:dev"]),
    ],
    ids=repr,
)
def test_odd_and_forged_groups(server: Server, groups: object, seen: list[str]) -> None:
    found = server.asks(groups=groups).whoami()["groups"]

    assert sorted(found) == sorted([*seen, "stepup:mfa", "system:authenticated"])


@pytest.mark.parametrize(
    ("audiences", "party", "elevated"),
    [
        ([EVERYDAY, ELEVATED], ELEVATED, True),
        # A mapper at the provider may add the elevated client to everyday tokens' audiences.
        ([EVERYDAY, ELEVATED], EVERYDAY, False),
        ([EVERYDAY, ELEVATED], None, False),
        ([ELEVATED], None, True),
        (ELEVATED, EVERYDAY, False),
        (ELEVATED, 7, False),
    ],
)
def test_the_token_must_have_been_given_to_the_elevated_client(
    server: Server, audiences: object, party: object, elevated: bool
) -> None:
    assert ("stepup:mfa" in server.asks(aud=audiences, azp=party).whoami()["groups"]) is elevated


def test_extra_tells_people_and_their_sign_in(server: Server) -> None:
    now = int(time.time())
    extra = server.asks(auth_time=now - 7, exp=now + 293, jti="a1").whoami()["extra"]

    assert extra[f"{OURS}/issuer"] == [server.issuer]
    assert extra[f"{OURS}/acr"] == ["gold"]
    # A whole number, although claims are doubles in 1.34 and later.
    assert extra[f"{OURS}/auth-time"] == [str(now - 7)]
    assert extra["authentication.kubernetes.io/credential-id"] == ["JTI=a1"]


def test_a_token_dies_soon_after_it_expires(server: Server) -> None:
    token = server.token(age_s=0, lifetime_s=4)
    api, expires = server.api.as_bearer(token), claims_of(token)["exp"]
    assert api.request("GET", PODS).status_code == 200

    wait_until(lambda: api.request("GET", PODS).status_code == 401, "end of the token", within_s=CACHED_S + 10)
    assert time.time() >= expires
    assert time.time() <= expires + CACHED_S + 5


@pytest.mark.parametrize("age_s", [0, 8, 840, 899, 960, 1261])
@pytest.mark.parametrize("life_s", [60, 300, 301, 900, 3600])
def test_what_the_client_approves_the_server_honours(server: Server, age_s: int, life_s: int) -> None:
    now = int(time.time())
    claims: dict[str, Any] = {"auth_time": now - age_s, "iat": now, "exp": now + life_s}
    token = server.token(**claims)
    wanted = StepUpRequirement(
        level="mfa",
        account="alice",
        evidence=Evidence(acr=("gold",)),
        signed_in_within_s=900,
        server_window_s=WINDOW_S,
        auth_time=AuthTime.REQUIRED,
        account_claim="sub",
    )
    read = IDTokenClaims.from_payload(claims_of(token))
    approved = not shortfalls(wanted, read, granted_scope=("openid",), flow_start=now, now=now)
    honoured = "stepup:mfa" in server.api.as_bearer(token).whoami()["groups"]

    assert honoured or not approved
    # And the client is no stricter than it must be: what it turns down beyond the server's test is an old sign-in.
    assert approved == (honoured and age_s <= 900 + 5)
