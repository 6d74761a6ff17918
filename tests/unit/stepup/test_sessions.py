from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kubectl_stepup.audit.event import Activity
from kubectl_stepup.config.model import Cluster
from kubectl_stepup.errors import ConfigError, PolicyError, ProviderResponse, ProviderUnreachable, StoreUnavailable
from kubectl_stepup.oidc.requirement import Evidence
from kubectl_stepup.secret import Secret
from kubectl_stepup.sessions.scope import key
from kubectl_stepup.stepup.request import session_id_of
from kubectl_stepup.stepup.sessions import Ended, Logout, end_what_counts_no_more, live_sessions, logout
from kubectl_stepup.stepup.status import as_objects, as_rows, meets
from kubectl_stepup.ui.tables import StatusRow
from tests.flows import CLUSTER, CONFIG, POLICY, PROVIDER, FailingStore, World, cluster, policy_of, session
from tests.support.values import NOW, TERMINAL_SCOPE, repinned

US = cluster(name="prod-us", context="us", server="https://us.example.com", ca_sha256=None)
BOTH = replace(CONFIG, clusters=(CLUSTER, US))
OTHER_TERMINAL = "tty-34817-77-12"
TOKEN = Secret("access-1")


def in_us(**changes: Any) -> Any:
    return session(cluster="prod-us", server=US.server, ca_sha256=None, **changes)


def live(world: World, *clusters: Cluster) -> list[tuple[str, str]]:
    found = live_sessions(clusters or world.config.clusters, world.sessions())
    return [(item.cluster.name, item.level.name) for item in found]


def failing(world: World, *operations: str) -> FailingStore:
    store = FailingStore(*operations, now=world.clock.now)
    world.store = store
    return store


# -- live sessions ------------------------------------------------------------------------------------------------


def test_live_sessions_come_by_cluster_and_the_weakest_level_first() -> None:
    world = World(config=BOTH)
    for one in (session(level="strong"), session(), in_us()):
        world.put(one)
    assert live(world) == [("prod-eu", "mfa"), ("prod-eu", "strong"), ("prod-us", "mfa")]
    assert live(world, US) == [("prod-us", "mfa")]


@pytest.mark.parametrize(
    ("one", "scope", "shown"),
    [
        (session(age_s=599), TERMINAL_SCOPE, True),
        (session(age_s=600), TERMINAL_SCOPE, False),
        (session(level="strong", age_s=300), TERMINAL_SCOPE, False),
        (session(age_s=10, lives_s=20), TERMINAL_SCOPE, False),
        (session(level="critical", reuse_until=NOW + 600), TERMINAL_SCOPE, False),
        (session(), "user", True),
        (session(), OTHER_TERMINAL, False),
        (session(account="bob"), TERMINAL_SCOPE, False),
    ],
)
def test_only_what_a_command_here_would_reuse_is_live(one: Any, scope: str, shown: bool) -> None:
    world = World()
    world.put(one, scope)
    assert bool(live(world)) is shown


def test_a_session_for_what_the_cluster_was_before_is_not_live() -> None:
    world = World()
    world.put(session(server="https://old.example.com"))
    assert live(world) == []


def test_a_policy_that_was_shortened_ends_sessions_in_status_too() -> None:
    world = World(policy=policy_of(rules="", levels="levels:\n  - {name: mfa, signedInWithin: 1m, askAgainAfter: 1m}"))
    world.put(session(age_s=61))
    assert live(world) == []


def test_one_session_is_shown_for_a_level_even_if_both_scopes_have_one() -> None:
    world = World()
    world.put(session(age_s=60), TERMINAL_SCOPE)
    world.put(session(age_s=10), "user")
    found = list(live_sessions((CLUSTER,), world.sessions()))
    assert [item.session for item in found] == [session(age_s=60)]


def test_the_users_session_shows_behind_an_expired_one_of_the_terminal() -> None:
    world = World()
    world.put(session(age_s=601), TERMINAL_SCOPE)
    world.put(session(age_s=10), "user")
    assert [item.session for item in live_sessions((CLUSTER,), world.sessions())] == [session(age_s=10)]


def test_a_store_that_cannot_be_read_shows_nothing() -> None:
    world = World()
    failing(world, "get")
    assert live(world) == []


# -- status -------------------------------------------------------------------------------------------------------


def test_rows_have_a_line_for_each_session_and_each_cluster_without_one() -> None:
    world = World(config=BOTH)
    world.put(session(age_s=60))
    world.put(session(level="strong", age_s=30))
    found = list(live_sessions(BOTH.clusters, world.sessions()))
    assert as_rows(BOTH.clusters, found, store="kernel", now=NOW) == (
        StatusRow(
            name="prod-eu",
            level="mfa",
            user="alice",
            methods=("pwd", "otp"),
            store="kernel",
            expires_in_s=540.0,
            age_s=60.0,
        ),
        StatusRow(
            name="prod-eu",
            level="strong",
            user="alice",
            methods=("pwd", "otp"),
            store="kernel",
            expires_in_s=270.0,
            age_s=30.0,
        ),
        StatusRow(name="prod-us", level=None, user="alice"),
    )


def test_objects_say_all_but_the_token() -> None:
    world = World()
    world.put(session(age_s=60, access_token=TOKEN))
    found = list(live_sessions((CLUSTER,), world.sessions()))
    (item,) = as_objects(found, store="kernel")
    assert item == {
        "id": session().id,
        "cluster": "prod-eu",
        "context": "prod",
        "level": "mfa",
        "account": "alice",
        "issuer": "https://login.example.com",
        "acr": "mfa",
        "amr": ["pwd", "otp"],
        "approvedFor": "kubectl delete pod web-0",
        "approvedAt": "2027-01-15T07:59:00.000000Z",
        "reuseUntil": "2027-01-15T08:09:00.000000Z",
        "tokenExpiresAt": "2027-01-15T08:14:00.000000Z",
        "store": "kernel",
    }


@pytest.mark.parametrize(
    ("levels", "wanted", "met"),
    [
        ([], None, False),
        (["mfa"], None, True),
        (["mfa"], "mfa", True),
        (["mfa"], "strong", False),
        (["strong"], "mfa", True),
        (["strong"], "critical", False),
    ],
)
def test_check_takes_a_level_or_a_stronger_one(levels: list[str], wanted: str | None, met: bool) -> None:
    world = World()
    for level in levels:
        world.put(session(level=level))
    assert meets(live_sessions((CLUSTER,), world.sessions()), POLICY, wanted) is met


def test_check_knows_the_levels() -> None:
    with pytest.raises(PolicyError):
        meets([], POLICY, "gold")


# -- logout -------------------------------------------------------------------------------------------------------


def ended(world: World, *clusters: Cluster, everywhere: bool = False) -> Logout:
    return logout(clusters or world.config.clusters, world.sessions(), everywhere=everywhere)


def test_logout_ends_this_terminals_and_the_users_sessions_at_every_level() -> None:
    world = World(config=BOTH)
    world.put(session(), TERMINAL_SCOPE)
    world.put(session(level="strong"), "user")
    world.put(in_us(), TERMINAL_SCOPE)
    world.put(session(), OTHER_TERMINAL)
    done = ended(world)
    assert [(item.session.cluster, item.session.level, item.revoked) for item in done.ended] == [
        ("prod-eu", "mfa", None),
        ("prod-eu", "strong", None),
        ("prod-us", "mfa", None),
    ]
    assert done.failures == ()
    assert world.store.keys() == [key(session().id, OTHER_TERMINAL)]


def test_logout_of_one_cluster_leaves_the_others() -> None:
    world = World(config=BOTH)
    world.put(session())
    world.put(in_us())
    assert [item.session.cluster for item in ended(world, US).ended] == ["prod-us"]
    assert world.store.keys() == [key(session().id, TERMINAL_SCOPE)]


def test_logout_everywhere_ends_also_what_is_enrolled_no_more() -> None:
    world = World()
    world.put(session(), OTHER_TERMINAL)
    world.put(in_us(), TERMINAL_SCOPE)  # not in the config
    world.put(session(account="somebody-before"), "user")
    assert len(ended(world, everywhere=True).ended) == 3
    assert world.store.keys() == []


def test_logout_ends_what_is_enrolled_no_more_in_this_terminal() -> None:
    world = World()
    world.put(session(account="somebody-before"), TERMINAL_SCOPE)
    world.put(in_us(), "user")  # not in the config
    world.put(in_us(), OTHER_TERMINAL)
    assert len(ended(world).ended) == 2
    assert world.store.keys() == [key(in_us().id, OTHER_TERMINAL)]


def test_logout_of_one_cluster_ends_the_sessions_of_another_account_there() -> None:
    world = World(config=BOTH)
    world.put(session(account="somebody-before"), TERMINAL_SCOPE)
    world.put(in_us(account="somebody-before"), TERMINAL_SCOPE)
    assert [item.session.cluster for item in ended(world, US).ended] == ["prod-us"]
    assert len(world.store.keys()) == 1


WITHOUT_US = replace(CONFIG, clusters=(CLUSTER,))
CHANGES = {
    "taken out": WITHOUT_US,
    "another account": replace(BOTH, clusters=(CLUSTER, replace(US, account="bob"))),
    "another name": replace(BOTH, clusters=(CLUSTER, replace(US, name="us"))),
    "another server": replace(BOTH, clusters=(CLUSTER, repinned(US, server="https://new.example.com"))),
    "another CA": replace(BOTH, clusters=(CLUSTER, repinned(US, ca_sha256="0" * 64))),
    "a proxy": replace(BOTH, clusters=(CLUSTER, repinned(US, proxy_url="http://proxy:3128"))),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_an_enrolment_no_longer_bears_ends_in_every_terminal(change: str) -> None:
    world = World(config=BOTH)
    for scope in (TERMINAL_SCOPE, OTHER_TERMINAL, "user"):
        world.put(in_us(access_token=TOKEN), scope)
        world.put(session(), scope)
    done = end_what_counts_no_more(CHANGES[change], world.sessions())
    assert ([item.session.cluster for item in done.ended], done.failures) == (["prod-us"] * 3, ())
    assert world.store.keys() == sorted(key(session().id, one) for one in (TERMINAL_SCOPE, OTHER_TERMINAL, "user"))
    assert world.provider.revoked == [("access-1", "access_token", "kubectl-elevated")] * 3
    assert [event.activity for event in world.audit.events] == [Activity.LOGOUT] * 3


def test_another_client_or_evidence_of_a_provider_ends_its_sessions() -> None:
    for provider in (
        replace(PROVIDER, elevated_client_id="another"),
        replace(PROVIDER, issuer="https://new.example.com"),
        replace(PROVIDER, evidence={**PROVIDER.evidence, "mfa": Evidence(acr=("phr",))}),
    ):
        world = World()
        world.put(session(), OTHER_TERMINAL)
        assert len(end_what_counts_no_more(replace(CONFIG, providers=(provider,)), world.sessions()).ended) == 1
    world = World()
    world.put(session(), OTHER_TERMINAL)
    assert end_what_counts_no_more(CONFIG, world.sessions()) == Logout(ended=(), failures=())
    assert world.denials.ended_keys == []


def test_a_step_up_under_way_for_what_is_taken_out_brings_nothing_back() -> None:
    world = World(config=BOTH)
    end_what_counts_no_more(WITHOUT_US, world.sessions())
    assert world.denials.ended(key(in_us().id, OTHER_TERMINAL))
    assert not world.denials.ended(key(session().id, OTHER_TERMINAL))


@pytest.mark.parametrize(
    ("within", "one", "shown"),
    [
        ("15m", session(signed_in_within_s=900.0), True),
        ("5m", session(signed_in_within_s=900.0), False),
        ("20m", session(signed_in_within_s=900.0), True),
        ("5m", session(signed_in_within_s=900.0, auth_time=None), False),
        ("15m", session(signed_in_within_s=900.0, auth_time=None), True),
        ("5m", session(signed_in_within_s=900.0, auth_time=session().approved_at - 305), True),
        ("5m", session(signed_in_within_s=900.0, auth_time=session().approved_at - 306), False),
        ("15m", session(signed_in_within_s=None, auth_time=None), False),
    ],
)
def test_a_shorter_signed_in_within_ends_sessions_of_older_sign_ins(within: str, one: Any, shown: bool) -> None:
    levels = f"levels:\n  - {{name: mfa, signedInWithin: {within}, askAgainAfter: 10m}}"
    one = one if one.auth_time != session().auth_time else replace(one, auth_time=one.approved_at - 600)
    world = World(policy=policy_of(rules="", levels=levels))
    world.put(one)
    assert bool(live(world)) is shown


def test_logout_everywhere_of_one_cluster_leaves_the_others() -> None:
    world = World(config=BOTH)
    world.put(session(), OTHER_TERMINAL)
    world.put(in_us(), OTHER_TERMINAL)
    assert [item.session.cluster for item in ended(world, US, everywhere=True).ended] == ["prod-us"]
    assert world.store.keys() == [key(session().id, OTHER_TERMINAL)]


def test_logout_ends_also_what_is_still_being_approved() -> None:
    """CONC-10."""
    world = World()
    logout(CONFIG.clusters[:1], world.sessions(), everywhere=False)
    provider = CONFIG.provider(CONFIG.clusters[0].provider)
    ids = [session_id_of(CONFIG.clusters[0], provider, level) for level in world.policy.levels]
    assert world.denials.ended_keys == [key(one, scope) for one in ids for scope in (TERMINAL_SCOPE, "user")]
    assert world.denials.ended(key(ids[0], TERMINAL_SCOPE))
    assert not world.denials.ended(key(ids[0], OTHER_TERMINAL))

    logout(CONFIG.clusters[:1], world.sessions(), everywhere=True)
    assert all(world.denials.ended(key(one, OTHER_TERMINAL)) for one in ids)


def test_logout_without_sessions_does_nothing() -> None:
    world = World()
    assert ended(world, everywhere=True) == Logout(ended=(), failures=())
    assert world.audit.events == []


def test_logout_ends_sessions_whose_time_is_over_for_reuse() -> None:
    world = World()
    world.put(session(age_s=601))
    assert len(ended(world).ended) == 1


def test_an_odd_record_is_removed_and_not_told() -> None:
    world = World()
    world.store.put(key(session().id, TERMINAL_SCOPE), b"garbage", NOW + 600)
    world.store.put("kubectl-stepup:nonsense", b"garbage", NOW + 600)
    assert ended(world, everywhere=True) == Logout(ended=(), failures=())
    assert world.store.keys() == []


def test_each_end_is_recorded() -> None:
    world = World()
    world.put(session(level="strong"))
    ended(world)
    (event,) = world.audit.events
    assert (event.activity, event.result, event.cluster, event.account, event.level) == (
        Activity.LOGOUT,
        "logged-out",
        "prod-eu",
        "alice",
        "strong",
    )


@pytest.mark.parametrize(
    ("answer", "revoked"),
    [
        (True, True),
        (False, False),
        (ProviderUnreachable("gone"), False),
        (ProviderResponse("odd"), False),
        (ConfigError("ca"), False),
    ],
)
def test_the_access_token_is_revoked_and_the_session_is_gone_whatever_comes_of_it(answer: Any, revoked: bool) -> None:
    world = World()
    world.provider.revocation = answer
    world.put(session(access_token=TOKEN))
    assert [item.revoked for item in ended(world).ended] == [revoked]
    assert world.provider.revoked == [("access-1", "access_token", "kubectl-elevated")]
    assert world.store.keys() == []
    assert len(world.audit.events) == 1


@pytest.mark.parametrize(
    "config",
    [
        replace(CONFIG, providers=()),
        replace(CONFIG, providers=(replace(PROVIDER, preset=replace(PROVIDER.preset, revoke=False)),)),
    ],
)
def test_a_provider_that_is_gone_or_revokes_nothing_is_not_asked(config: Any) -> None:
    world = World(config=replace(config, clusters=()))
    world.put(session(access_token=TOKEN))
    assert ended(world, everywhere=True).ended == (Ended(session=session(access_token=TOKEN), revoked=None),)
    assert world.provider.revoked == []


def test_the_token_is_revoked_as_the_client_that_got_it() -> None:
    second = replace(PROVIDER, name="second", elevated_client_id="second-elevated")
    enrolled = replace(CLUSTER, provider="second")
    world = World(config=replace(CONFIG, providers=(PROVIDER, second), clusters=(enrolled,)))
    world.put(session(client="second-elevated", access_token=TOKEN))
    assert session(client="second-elevated").id == session_id_of(enrolled, second, POLICY.level("mfa"))
    assert len(ended(world).ended) == 1
    assert world.provider.revoked == [("access-1", "access_token", "second-elevated")]


def test_what_cannot_be_removed_is_told_and_the_rest_goes_on() -> None:
    world = World()
    store = failing(world)
    world.put(session())
    store.failing = {"delete"}
    done = ended(world)
    assert done.ended == ()
    assert done.failures[0] == f"{key(session().id, TERMINAL_SCOPE)}: the keyring is locked"
    assert len(done.failures) == 6  # three levels in two scopes
    assert world.audit.events == []


def test_a_store_that_cannot_list_still_ends_what_is_known_by_name() -> None:
    world = World()
    store = failing(world)
    world.put(session())
    store.failing = {"keys"}
    done = ended(world, everywhere=True)
    assert [item.session for item in done.ended] == [session()]
    assert done.failures == ("the keyring is locked",)


def test_of_three_clusters_one_cannot_be_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """CACHE-20: the others end, it is told, and its access token is revoked all the same."""
    clusters = [cluster(name=name, context=name) for name in ("prod-eu", "prod-us", "prod-asia")]
    world = World()
    world.config = world.enrolled(*clusters)
    for one in clusters:
        world.put(session(cluster=one.name, access_token=Secret(f"access-{one.name}")))
    stuck = key(session(cluster="prod-us").id, TERMINAL_SCOPE)
    delete = world.store.delete

    def failing_delete(name: str) -> bool:
        if name == stuck:
            raise StoreUnavailable("the keyring is locked")
        return delete(name)

    monkeypatch.setattr(world.store, "delete", failing_delete)
    done = logout(clusters, world.sessions(), everywhere=False)

    assert [item.session.cluster for item in done.ended] == ["prod-eu", "prod-asia"]
    assert done.failures == (f"{stuck}: the keyring is locked",)
    assert [token for token, _, _ in world.provider.revoked] == ["access-prod-eu", "access-prod-us", "access-prod-asia"]
    assert [event.cluster for event in world.audit.events] == ["prod-eu", "prod-asia"]
