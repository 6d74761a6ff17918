"""`policy verify` on a real API server: nothing to find on a guarded one, and every planted gap."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.system.guarded.cluster import BREAK_GLASS, CLUSTER, Guarded, opened_guarded, wait_for_guards
from tests.system.guarded.person import GUARDS, POD, POLICY, RBAC, READ, Person, grant, settle
from tests.system.parts.processes import wait_until

pytestmark = pytest.mark.system

ADMISSION = f"/apis/{GUARDS}/v1"
POLICIES, BINDINGS = f"{ADMISSION}/validatingadmissionpolicies", f"{ADMISSION}/validatingadmissionpolicybindings"
PUBLISHED = "/api/v1/namespaces/kube-public/configmaps/kubectl-stepup-policy"
DELETES = "kubectl-stepup-deletes"
MERGE = "application/merge-patch+json"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, no_orphans: None) -> Iterator[Guarded]:
    with opened_guarded(tmp_path_factory.mktemp("verify"), POLICY) as opened:
        yield opened


@pytest.fixture(scope="module")
def person(guarded: Guarded) -> Person:
    return settle(guarded)


def gaps(found: list[dict[str, str]]) -> set[tuple[str, str]]:
    """Return subject and thing of every gap."""
    return {(one["subject"], one["what"]) for one in found if one["state"] == "gap"}


def test_a_guarded_cluster_is_proven_under_every_login(guarded: Guarded, person: Person) -> None:
    wait_for_guards(guarded, "DELETE", POD)
    person.sign_in("mfa", "critical")
    before = state_of(guarded)
    code, found = person.verify()

    assert (code, gaps(found)) == (0, set())
    assert {one["state"] for one in found} == {"enforced", "client only"}
    rows = {(one["subject"], one["what"]): one for one in found}
    tried = ["delete a pod", "evict a pod", "scale to zero", "cordon a node"]
    assert {rows["deletes", what]["detail"] for what in tried} == {"everyday: refused"}
    assert rows["shells", "open a shell"]["detail"] == "everyday: refused"
    for what in ("grant a role", "get a token", "change a node", "change a CRD"):
        assert rows["power", what]["detail"] == "everyday: refused; mfa: refused", what
    assert rows["run-as", "mount a secret"]["detail"] == "everyday: refused; mfa: refused"
    assert rows["secrets", "read-secrets: get, list, watch"]["point"] == "rbac"
    assert rows["mass", "delete: all"]["state"] == "client only"
    assert rows["break-glass", "a way out"]["detail"].startswith(f"who has a certificate of group {BREAK_GLASS}")
    assert state_of(guarded) == before


def state_of(guarded: Guarded) -> dict[str, str]:
    """Return the versions of everything that the probes are about."""
    paths = ("api/v1/namespaces/shop/pods", "api/v1/namespaces/shop/configmaps", "apis/apps/v1/deployments")
    roles = f"{RBAC.lstrip('/')}/namespaces/shop/roles"
    found = [one for path in (*paths, roles) for one in guarded.api.admin.get(f"/{path}")["items"]]
    return {
        one["metadata"]["uid"]: f"{one['metadata']['name']} {one['spec' if 'spec' in one else 'metadata']}"
        for one in found
    }


def test_the_screen_fits_a_terminal_and_says_what_was_not_seen(guarded: Guarded, person: Person) -> None:
    wait_for_guards(guarded, "DELETE", POD)
    person.sign_in()
    done = person.stepup("policy", "verify", "--cluster", CLUSTER)

    assert done.returncode == 0, done.stderr
    assert "fix: kubectl stepup policy verify --cluster prod-eu --level critical" in done.stdout
    assert "0 gap, 2 client only, 2 not checked." in done.stdout
    assert [line for line in done.stdout.splitlines() if len(line) > 80] == []


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A gap: how the administrator makes it, what must be found, and under which levels one has to look."""

    plant: Callable[[Guarded], object]
    found: tuple[str, str]
    said: str
    levels: tuple[str, ...] = ()


def patched(path: str, change: dict[str, Any]) -> Callable[[Guarded], object]:
    return lambda guarded: guarded.api.admin.request("PATCH", path, change, MERGE).raise_for_status()


def deleted(path: str) -> Callable[[Guarded], object]:
    return lambda guarded: guarded.api.admin.request("DELETE", path).raise_for_status()


def granted(group: str, api_group: str, resource: str, verb: str, *names: str) -> Callable[[Guarded], object]:
    rule: dict[str, Any] = {"apiGroups": [api_group], "resources": [resource], "verbs": [verb]}
    if names:
        rule["resourceNames"] = list(names)
    return lambda guarded: grant(guarded, "planted", group, [rule])


def left_over(guarded: Guarded) -> None:
    for path in (POLICIES, BINDINGS):
        one = guarded.api.admin.get(f"{path}/{DELETES}")
        annotations = {**one["metadata"]["annotations"], "kubectl-stepup.github.io/rule": "old"}
        one["metadata"] = {
            "name": "kubectl-stepup-old",
            "labels": one["metadata"]["labels"],
            "annotations": annotations,
        }
        if "policyName" in one["spec"]:
            one["spec"]["policyName"] = "kubectl-stepup-old"
        guarded.api.admin.create(path, one)


def own_grant(guarded: Guarded) -> None:
    grant(guarded, "planted", "everybody", [{"apiGroups": [""], "resources": ["pods"], "verbs": READ}])
    labels = {"metadata": {"labels": {"app.kubernetes.io/managed-by": "kubectl-stepup"}}}
    patched(f"{RBAC}/clusterrolebindings/planted", labels)(guarded)


def policy_spec(**spec: Any) -> Callable[[Guarded], object]:
    return patched(f"{POLICIES}/{DELETES}", {"spec": spec})


MACHINES = "!request.userInfo.?extra[?'kubectl-stepup.github.io/issuer'].hasValue()"
AS_COMPILED = ("deletes", "policy and binding as compiled")
GAPS = {
    "a deleted binding": Planted(
        plant=deleted(f"{BINDINGS}/{DELETES}"), found=AS_COMPILED, said="the binding is not there"
    ),
    "a deleted policy": Planted(
        plant=deleted(f"{POLICIES}/{DELETES}"), found=AS_COMPILED, said="the policy is not there"
    ),
    "an old digest": Planted(
        plant=patched(
            f"{POLICIES}/{DELETES}",
            {"metadata": {"annotations": {"kubectl-stepup.github.io/policy-digest": "sha256:0"}}},
        ),
        found=AS_COMPILED,
        said="compiled from another policy (sha256:0",
    ),
    "a machine-only rule": Planted(
        plant=policy_spec(matchConditions=[{"name": "people", "expression": MACHINES}]),
        found=AS_COMPILED,
        said="spec.matchConditions[0].expression is",
    ),
    "some namespaces alone": Planted(
        plant=patched(
            f"{BINDINGS}/{DELETES}",
            {"spec": {"matchResources": {"namespaceSelector": {"matchLabels": {"guarded": "yes"}}}}},
        ),
        found=AS_COMPILED,
        said="the binding: spec.matchResources was added",
    ),
    "Deny became Audit": Planted(
        plant=patched(f"{BINDINGS}/{DELETES}", {"spec": {"validationActions": ["Audit"]}}),
        found=AS_COMPILED,
        said="the binding: spec.validationActions[0] is Audit",
    ),
    "failures are ignored": Planted(
        plant=policy_spec(failurePolicy="Ignore"), found=AS_COMPILED, said="spec.failurePolicy is Ignore"
    ),
    "a rule that always holds": Planted(
        plant=policy_spec(validations=[{"expression": "true"}]), found=AS_COMPILED, said="spec.validations[0]"
    ),
    "a policy left over": Planted(
        plant=left_over, found=("old", "policy left over"), said="rule old is not in the policy"
    ),
    "a grant left over": Planted(
        plant=own_grant,
        found=("planted", "ClusterRoleBinding left over"),
        said="nothing in the policy becomes it",
    ),
    "another policy is published": Planted(
        plant=patched(PUBLISHED, {"data": {"policy.yaml": "kind: Policy\nrules: []\n"}}),
        found=("published", "as everybody's client gets it"),
        said="what is in it is not the policy in force",
    ),
    "no policy is published": Planted(
        plant=deleted(PUBLISHED),
        found=("published", "as everybody's client gets it"),
        said="an everyday login cannot read it",
    ),
    "everybody reads secrets": Planted(
        plant=granted("dev", "", "secrets", "list"),
        found=("secrets", "read-secrets: get, list, watch"),
        said="everyday may list secrets",
    ),
    "everybody may get a level by impersonation": Planted(
        plant=granted("dev", "", "groups", "impersonate", "stepup:critical"),
        found=("bypass", "impersonate"),
        said="everyday may impersonate groups stepup:critical",
    ),
    "everybody may pass as break-glass": Planted(
        plant=granted("dev", "", "groups", "impersonate", BREAK_GLASS),
        found=("bypass", "impersonate"),
        said=f"everyday may impersonate groups {BREAK_GLASS}",
    ),
    "a lower level deletes guards": Planted(
        plant=granted("stepup:mfa:dev", GUARDS, "validatingadmissionpolicybindings", "delete"),
        found=("bypass", "write admission's objects"),
        said="mfa may delete validatingadmissionpolicybindings",
        levels=("mfa",),
    ),
    "a lower level escalates": Planted(
        plant=granted("stepup:mfa:dev", "rbac.authorization.k8s.io", "clusterroles", "escalate"),
        found=("bypass", "bind and escalate"),
        said="mfa may escalate clusterroles",
        levels=("mfa",),
    ),
}


@pytest.mark.parametrize("planted", GAPS.values(), ids=GAPS)
def test_a_planted_hole_is_found(guarded: Guarded, person: Person, planted: Planted) -> None:
    person.sign_in(*planted.levels)
    with undone(guarded):
        planted.plant(guarded)
        code, found = person.verify()

    assert code == 1
    assert planted.found in gaps(found)
    assert [what for subject, what in gaps(found) if subject == "own-objects"] == []
    (row,) = (one for one in found if (one["subject"], one["what"]) == planted.found)
    assert planted.said in row["detail"]
    assert row["fix"]


@contextmanager
def undone(guarded: Guarded) -> Iterator[None]:
    """Put everything back afterwards."""
    try:
        yield
    finally:
        for path in (f"{RBAC}/clusterrolebindings/planted", f"{RBAC}/clusterroles/planted"):
            guarded.api.admin.request("DELETE", path)
        for path in (BINDINGS, POLICIES):
            for name in ("kubectl-stepup-old", DELETES):
                guarded.api.admin.request("DELETE", f"{path}/{name}")
        applied = guarded.kubectl("apply", "-k", "server", "--server-side", "--force-conflicts")
        assert applied.returncode == 0, applied.stderr


def test_a_guard_that_bites_no_more_is_shown_by_a_dry_run(guarded: Guarded, person: Person) -> None:
    person.sign_in()
    with undone(guarded):
        deleted(f"{BINDINGS}/{DELETES}")(guarded)
        wait_until(lambda: guarded.everyday().request("DELETE", POD).ok, "a guard that is gone", within_s=60)
        code, found = person.verify("--everyday-only")

    assert code == 1
    assert {("deletes", "delete a pod"), ("deletes", "evict a pod"), ("deletes", "cordon a node")} <= gaps(found)
    assert guarded.api.admin.get("/api/v1/namespaces/shop/pods/web-0")["metadata"].get("deletionTimestamp") is None


def test_an_everyday_login_with_the_elevated_clients_token_is_found(guarded: Guarded, person: Person) -> None:
    person.sign_in(everyday={"aud": "kubectl-elevated", "acr": "gold"})
    code, found = person.verify("--everyday-only")

    assert code == 1
    (row,) = (one for one in found if one["point"] == "authentication" and one["state"] == "gap")
    assert "the everyday login has group stepup:mfa" in row["detail"]


def test_a_server_that_knows_nobody_as_a_person_is_found(guarded: Guarded, person: Person) -> None:
    person.sign_in("mfa")
    with configured(guarded, without_extras):
        wait_until(lambda: not guarded.everyday().whoami().get("extra", {}).get(ISSUER_KEY), "no extra", within_s=90)
        code, found = person.verify()

    assert code == 1
    assert {("everyday", "no level without stepping up"), ("mfa", "the groups of mfa alone")} <= gaps(found)
    assert ("deletes", "delete a pod") in gaps(found)
    details = {one["subject"]: one["detail"] for one in found if one["point"] == "authentication"}
    assert "alice is not known as a person" in details["everyday"]


def test_a_server_that_does_not_know_the_elevated_client_is_found(guarded: Guarded, person: Person) -> None:
    person.sign_in("mfa")
    with configured(guarded, without_elevated_client):
        elevated = guarded.elevated()
        path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
        wait_until(lambda: elevated.request("POST", path, {}).status_code == 401, "a refused token", within_s=90)
        code, found = person.verify()

    assert code == 1
    (row,) = (one for one in found if (one["subject"], one["what"]) == ("mfa", "elevated login"))
    assert (row["state"], row["point"]) == ("gap", "authentication")


ISSUER_KEY = "kubectl-stepup.github.io/issuer"


def without_extras(document: dict[str, Any]) -> None:
    del document["jwt"][0]["claimMappings"]["extra"]


def without_elevated_client(document: dict[str, Any]) -> None:
    document["jwt"][0]["issuer"].update(audiences=["kubectl"])
    del document["jwt"][0]["issuer"]["audienceMatchPolicy"]


@contextmanager
def configured(guarded: Guarded, change: Callable[[dict[str, Any]], None]) -> Iterator[None]:
    """Return the server another AuthenticationConfiguration for a while."""
    path = guarded.api.authentication
    before = path.read_text()
    document = yaml.safe_load(before)
    change(document)
    try:
        _renamed(path, yaml.safe_dump(document))
        yield
    finally:
        _renamed(path, before)
        wait_until(lambda: "stepup:mfa" in _groups(guarded), "the old configuration", within_s=90)
        wait_until(lambda: guarded.everyday().whoami().get("extra", {}).get(ISSUER_KEY), "extras", within_s=90)


def _renamed(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text)
    os.rename(new, path)


def _groups(guarded: Guarded) -> list[str]:
    answer = guarded.elevated().request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {})
    info = answer.json().get("status", {}) if answer.ok else {}
    groups: list[str] = info.get("userInfo", {}).get("groups", []) if isinstance(info, dict) else []
    return groups


def test_the_flags_pin_what_the_server_may_not_choose(person: Person) -> None:
    """Who can edit the guards can edit their annotations too."""
    person.sign_in()
    code, found = person.verify("--everyday-only", "--no-break-glass")

    assert code == 1
    assert ("own-objects", "policy and binding as compiled") in gaps(found)


def test_an_expired_everyday_login_needs_a_login(person: Person) -> None:
    person.sign_in(everyday={"exp": 1})
    done = person.stepup("policy", "verify", "--cluster", CLUSTER)

    assert (done.returncode, done.stdout) == (4, "")
    assert "the everyday login of cluster prod-eu is not accepted" in done.stderr


def test_a_level_without_a_session_needs_a_person(person: Person) -> None:
    person.sign_in()
    done = person.stepup("policy", "verify", "--cluster", CLUSTER, "--level", "mfa", "--no-input")

    assert (done.returncode, done.stdout) == (4, "")
    assert "kubectl stepup policy verify --cluster prod-eu" in done.stderr


def test_what_was_done_elevated_is_on_record(person: Person) -> None:
    person.sign_in("mfa")
    person.verify()
    items = json.loads(person.stepup("audit", "list", "-o", "json").stdout)["items"]

    elevated = [one for one in items if one.get("level") == "mfa" and one["activity"] == "run"]
    assert {tuple(one["command"]) for one in elevated} == {("stepup", "policy", "verify", "--cluster", CLUSTER)}
    assert {one["stage"] for one in elevated} == {"RequestReceived", "ResponseComplete"}
