"""A step-up opens a gate and grants nothing: a team's developer with a second factor stays a team's developer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.system.guarded.cluster import Guarded, wait_for_guards
from tests.system.guarded.policies import LADDER
from tests.system.guarded.roles import EVERY_VERB, bind

pytestmark = pytest.mark.system

TEAMS = {"shop": "prod", "prod": "shop"}
"""Each team's namespace, and the other one's."""

DEVELOPERS = [
    {"apiGroups": [""], "resources": ["pods", "configmaps", "services"], "verbs": EVERY_VERB},
    {"apiGroups": [""], "resources": ["pods/exec", "pods/eviction"], "verbs": ["get", "create"]},
    {"apiGroups": ["apps"], "resources": ["*"], "verbs": EVERY_VERB},
]
SECRETS = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "watch"]}]
LEVELS = ("mfa", "critical")


@pytest.fixture(scope="module")
def guarded(guarded_by: Callable[[str], Guarded]) -> Guarded:
    found = guarded_by(LADDER)
    admin = found.api.admin
    for team in TEAMS:
        bind(admin, f"developers-{team}", f"team-{team}", DEVELOPERS, namespace=team)
    # The policy's `grants` bind it to stepup:mfa:<team>, in the team's namespace.
    admin.create(
        "/apis/rbac.authorization.k8s.io/v1/clusterroles", {"metadata": {"name": "secret-reader"}, "rules": SECRETS}
    )
    bind(admin, "guarded-deleters", "probe", DEVELOPERS)
    path = "/api/v1/namespaces/shop/pods/web-0?dryRun=All"
    wait_for_guards(found, "DELETE", path, rule="hurts", group="probe")
    return found


def pods_of(team: str, name: str = "web-0") -> str:
    return f"/api/v1/namespaces/{team}/pods/{name}"


def secrets_of(team: str) -> str:
    return f"/api/v1/namespaces/{team}/secrets"


@pytest.mark.parametrize("team", list(TEAMS))
@pytest.mark.parametrize("level", LEVELS)
def test_a_team_reads_its_secrets_after_a_step_up_and_no_others(guarded: Guarded, team: str, level: str) -> None:
    everyday = guarded.everyday(groups=[f"team-{team}"])
    elevated = guarded.elevated(level, groups=[f"team-{team}"])
    own, others = (secrets_of(one) for one in (team, TEAMS[team]))

    assert everyday.request("GET", own).status_code == 403
    assert elevated.request("GET", own).status_code == 200
    assert elevated.request("GET", f"{own}/database").json()["data"]["password"]
    for path in (others, f"{others}/database", f"{others}?watch=true", secrets_of("kube-system"), "/api/v1/secrets"):
        refused = elevated.request("GET", path)
        assert (refused.status_code, refused.json()["reason"]) == (403, "Forbidden"), path


@pytest.mark.parametrize("team", list(TEAMS))
@pytest.mark.parametrize("level", LEVELS)
def test_a_team_deletes_its_objects_after_a_step_up_and_no_others(guarded: Guarded, team: str, level: str) -> None:
    everyday = guarded.everyday(groups=[f"team-{team}"])
    elevated = guarded.elevated(level, groups=[f"team-{team}"])
    dry = "?dryRun=All"

    assert "step-up to mfa needed" in everyday.request("DELETE", pods_of(team) + dry).text
    assert elevated.request("DELETE", pods_of(team) + dry).status_code == 200
    other = TEAMS[team]
    for path in (
        pods_of(other),
        f"/api/v1/namespaces/{other}/pods",
        f"{secrets_of(other)}/database",
        f"/apis/apps/v1/namespaces/{other}/deployments/web",
        f"/api/v1/namespaces/{other}",
        "/api/v1/nodes/worker-1",
    ):
        refused = elevated.request("DELETE", path + dry)
        assert (refused.status_code, "kubectl-stepup-" in refused.text) == (403, False), refused.text
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "web-0", "namespace": other}}
    assert elevated.request("POST", f"{pods_of(other)}/eviction{dry}", eviction).status_code == 403
    assert elevated.request("GET", f"{pods_of(other)}/exec?command=ls&stdout=true").status_code == 403


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_alone_gives_no_right_at_all(guarded: Guarded, level: str) -> None:
    nobody = guarded.elevated(level, groups=[], sub="mallory")

    rules = nobody.request(
        "POST",
        "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": "kube-public"},
        },
    ).json()["status"]["resourceRules"]
    everyday = [
        {"verbs": ["create"], "apiGroups": ["authorization.k8s.io"]},
        {"verbs": ["create"], "apiGroups": ["authentication.k8s.io"]},
        {"verbs": ["get"], "apiGroups": [""], "resourceNames": ["kubectl-stepup-policy"]},
    ]
    found = [{key: rule[key] for key in ("verbs", "apiGroups", "resourceNames") if key in rule} for rule in rules]
    assert sorted(map(repr, found)) == sorted(map(repr, everyday))
    for path in (secrets_of("shop"), pods_of("shop"), "/api/v1/namespaces"):
        assert nobody.request("GET", path).status_code == 403


def test_a_team_in_the_other_teams_derived_group_by_name_alone_is_not(guarded: Guarded) -> None:
    forged = guarded.elevated(groups=["team-shop", "stepup:mfa:team-prod", "stepup:critical"])

    assert forged.request("GET", secrets_of("prod")).status_code == 403
