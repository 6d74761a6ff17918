"""The main job on real servers: each provider, each kubectl, and what the API server's own record says of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.system.lab.authentication import OURS
from tests.system.lab.lab import Desk, Lab, enrolled_desk
from tests.system.lab.objects import GATE, is_gated
from tests.system.parts import kubectls

pytestmark = pytest.mark.system


@pytest.fixture(params=kubectls.NAMES)
def story(request: pytest.FixtureRequest, lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Return a desk of alice with one kubectl."""
    with enrolled_desk(tmp_path_factory.mktemp("desk"), lab, kubectls.kubectl(request.param)) as opened:
        yield opened


def deletes_of(desk: Desk, name: str) -> list[dict[str, Any]]:
    """Return the API server's audit events of kubectl's deletes of a pod; other tests of the lab have theirs too."""
    events = desk.lab.api.audit_events(verb="delete", resource="pods", name=name)
    return [event for event in events if "kubectl" in event["userAgent"]]


def test_the_story(story: Desk) -> None:
    before = len(deletes_of(story, "web-0"))

    # Everyday work works, and cannot hurt.
    assert story.run("kubectl", "get", "pods").code == 0
    refused = story.run("kubectl", "delete", "pod", "web-0")
    assert refused.code == 1
    assert f"pods \"web-0\" is forbidden: ValidatingAdmissionPolicy '{GATE}'" in refused.screen
    assert (
        f'error="insufficient_user_authentication", acr_values="{story.lab.provider.mfa}", max_age="900"'
        in refused.screen
    )
    assert "run: kubectl stepup exec -- delete pods web-0 -n prod" in refused.screen
    assert "secrets is forbidden" in story.run("kubectl", "get", "secrets").screen

    # One approval with a one-time code, and the pod is gone.
    first = story.stepup("exec", "--", "delete", "pod", "web-0", decide="approve")
    assert (first.code, 'pod "web-0" deleted' in first.screen) == (0, True), first.screen
    assert not story.has_pod("web-0")

    # The session is good for a while, also for a read that only the elevated identity may do.
    second = story.stepup("exec", "--", "delete", "pod", "web-1")
    assert (second.code, "Compare code" in second.screen) == (0, False), second.screen
    assert "database" in story.stepup("exec", "--", "get", "secrets").screen
    assert "mfa" in story.stepup("status").screen
    assert "delete pod web-1" in story.stepup("audit", "list").screen
    # Logout takes it back; the next approval is denied, and nothing is hurt.
    assert "Ended mfa in prod; access token revoked" in story.stepup("logout").screen
    denied = story.stepup("exec", "--", "delete", "pod", "db-0", decide="deny")
    assert (denied.code, "error: step-up denied by localhost" in denied.screen) == (125, True), denied.screen
    assert story.has_pod("db-0")

    everyday, elevated = deletes_of(story, "web-0")[before:]
    assert everyday["responseStatus"]["code"] == 403
    assert everyday["user"]["groups"] == ["dev", "system:authenticated"]
    assert everyday["user"]["extra"][f"{OURS}/acr"] == [story.lab.provider.password_only]
    assert elevated["responseStatus"]["code"] == 200
    assert elevated["user"]["username"] == "alice"
    assert elevated["user"]["groups"] == ["dev", "stepup:mfa", "stepup:mfa:dev", "system:authenticated"]
    assert elevated["user"]["extra"][f"{OURS}/acr"] == [story.lab.provider.mfa]
    assert elevated["user"]["extra"][f"{OURS}/issuer"] == [story.lab.provider.issuer]
    assert int(elevated["user"]["extra"][f"{OURS}/auth-time"][0]) >= int(
        everyday["user"]["extra"][f"{OURS}/auth-time"][0]
    )
    assert [event["objectRef"]["name"] for event in deletes_of(story, "db-0")] == []


def test_draining_and_scaling_are_gated_as_the_policy_says(desk: Desk) -> None:
    # An eviction is a create, no delete: the gate must know it, and so must the client.
    path = "/api/v1/namespaces/prod/pods/db-0/eviction?dryRun=All"
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "db-0", "namespace": "prod"}}
    everyday = desk.lab.api.as_bearer(desk.lab.everyday_token())
    assert is_gated(everyday.request("POST", path, eviction))
    elevated = desk.lab.api.as_bearer(desk.lab.elevated_token())
    assert elevated.request("POST", path, eviction).status_code == 201

    stopped = desk.stepup("policy", "check", "-o", "json", "--", "scale", "deployment", "web", "--replicas=0")
    assert (stopped.code, '"level": "mfa"' in stopped.screen) == (4, True), stopped.screen
    scaled = desk.stepup("exec", "--", "scale", "deployment", "web", "--replicas=0", decide="approve")
    assert (scaled.code, "deployment.apps/web scaled" in scaled.screen) == (0, True), scaled.screen


def test_another_person_approves(desk: Desk) -> None:
    desk.person.name = "bob"
    ran = desk.stepup("exec", "--", "delete", "pod", "web-0", decide="approve")

    assert ran.code == 125, ran.screen
    assert "approved as someone else: wanted" in ran.screen
    assert desk.has_pod("web-0")


def test_a_static_entry_serves_plain_kubectl(desk: Desk) -> None:
    written = desk.stepup("setup", "--yes", "--elevated-context", "prod-elevated")
    assert written.code == 0, written.screen
    assert desk.stepup("login", "--context", "prod", "--scope", "user", decide="approve").code == 0

    whoami = desk.run("kubectl", "--context", "prod-elevated", "auth", "whoami")
    assert "stepup:mfa:dev" in whoami.screen, whoami.screen
    deleted = desk.run("kubectl", "--context", "prod-elevated", "-n", "prod", "delete", "pod", "web-0")
    assert (deleted.code, desk.has_pod("web-0")) == (0, False), deleted.screen
