"""The compiled audit policy on a real API server: what reports need is recorded, and no secret's content."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.system.guarded.cluster import Guarded, opened_guarded, wait_for_guards
from tests.system.guarded.person import POD, POLICY, settle

pytestmark = pytest.mark.system

SHOP = "/api/v1/namespaces/shop"
ROLES = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, no_orphans: None) -> Iterator[Guarded]:
    with opened_guarded(tmp_path_factory.mktemp("audit"), POLICY, own_audit=True) as opened:
        settle(opened)
        wait_for_guards(opened, "DELETE", POD)
        yield opened


def of(guarded: Guarded, name: str, **wanted: str) -> list[dict[str, Any]]:
    """Return the events of a person."""
    return [event for event in guarded.api.audit_events(**wanted) if event["user"]["username"] == name]


def test_everything_that_somebody_does_while_elevated_is_recorded_reads_too(guarded: Guarded) -> None:
    assert guarded.elevated(sub="erin").request("GET", f"{SHOP}/pods").ok

    (event,) = of(guarded, "erin", verb="list", resource="pods")
    assert event["level"] == "Metadata"
    assert event["user"]["extra"]["kubectl-stepup.github.io/acr"] == ["gold"]


def test_everyday_reads_are_not_recorded_and_writes_are(guarded: Guarded) -> None:
    everyday = guarded.everyday(sub="dave")
    assert everyday.request("GET", f"{SHOP}/pods").ok
    assert everyday.request("POST", f"{SHOP}/configmaps", {"metadata": {"name": "notes"}, "data": {"a": "tulip"}}).ok

    (event,) = of(guarded, "dave", resource="configmaps")
    assert (event["level"], "requestObject" in event) == ("Metadata", False)
    assert of(guarded, "dave", resource="pods") == []


def test_who_reads_a_secret_is_recorded_and_its_content_is_not(guarded: Guarded) -> None:
    assert guarded.elevated(sub="sam").request("GET", f"{SHOP}/secrets/database").ok
    assert guarded.everyday(sub="sam").request("GET", f"{SHOP}/secrets/database").status_code == 403

    events = of(guarded, "sam", resource="secrets")
    assert [event["responseStatus"]["code"] for event in events] == [200, 403]
    assert {event["level"] for event in events} == {"Metadata"}
    content = guarded.api.admin.get(f"{SHOP}/secrets/database")["data"]["password"]
    assert content not in guarded.api.audit_log.read_text()


def test_how_rights_were_changed_is_recorded(guarded: Guarded) -> None:
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
    critical = guarded.elevated("critical", sub="rita")
    assert critical.request("POST", ROLES, {"metadata": {"name": "made"}, "rules": [rule]}).ok

    (event,) = of(guarded, "rita", resource="roles")
    assert (event["level"], event["requestObject"]["rules"]) == ("Request", [rule])
    assert event["annotations"]["kubectl-stepup-power/step-up"] == "critical: stepped up"


def test_a_refused_connection_is_recorded_with_what_was_missing(guarded: Guarded) -> None:
    path = f"{SHOP}/pods/on-node/exec?command=ls&stdout=true"
    assert guarded.everyday(sub="olga").request("POST", path).status_code == 403

    events = of(guarded, "olga", resource="pods")
    assert events
    assert all(event["annotations"]["kubectl-stepup-shells/step-up"] == "mfa: missing" for event in events)
