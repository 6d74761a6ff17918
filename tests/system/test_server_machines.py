"""Controllers, CI accounts and administrators' certificates work on a guarded server as they did before."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.system.guarded.cluster import Guarded, enforce, wait_for_guards
from tests.system.guarded.policies import DEFAULT, LADDER, READ_ONLY, STRICT
from tests.system.guarded.roles import allow_everything
from tests.system.parts.kube_api import KubeAPI
from tests.system.parts.processes import wait_until
from tests.system.recorder import fixture
from tests.system.recorder.fixture import POD_SPEC

pytestmark = pytest.mark.system

MERGE = "application/merge-patch+json"
CORE, APPS = "/api/v1/namespaces/shop", "/apis/apps/v1/namespaces/shop"
POLICIES = {
    "strict": (STRICT, "everything"),
    "default": (DEFAULT, "deletes"),
    "read-only": (READ_ONLY, "changes"),
    "ladder": (LADDER, "hurts"),
}
"""Each policy, and a rule that the one before it has not."""

PROBES: dict[str, tuple[str, str, Any]] = {
    "changes": ("POST", f"{CORE}/configmaps?dryRun=All", {"metadata": {"name": "probe"}}),
}
DELETES: tuple[str, str, Any] = ("DELETE", f"{CORE}/pods/web-0?dryRun=All", None)


@pytest.fixture(scope="module", params=list(POLICIES))
def guarded(request: pytest.FixtureRequest, guarded_by: Callable[[str], Guarded]) -> Guarded:
    found = guarded_by(LADDER)
    allow_everything(found.api.admin, "people")
    fixture.restore(found.api.admin)
    policy, rule = POLICIES[request.param]
    enforce(found, policy)
    wait_for_guards(found, *PROBES.get(rule, DELETES), rule=rule, group="people")
    return found


@pytest.fixture
def admin(guarded: Guarded) -> KubeAPI:
    return guarded.api.admin


@pytest.fixture
def ci(guarded: Guarded) -> KubeAPI:
    """Return the API as a CI service account sees it, which may do everything in a namespace."""
    admin = guarded.api.admin
    admin.create(f"{CORE}/serviceaccounts", {"metadata": {"name": "ci"}})
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"}
    subject = {"kind": "ServiceAccount", "name": "ci", "namespace": "shop"}
    path = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings"
    admin.create(path, {"metadata": {"name": "ci"}, "roleRef": role, "subjects": [subject]})
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = admin.request("POST", f"{CORE}/serviceaccounts/ci/token", asked).json()["status"]["token"]
    return guarded.api.as_bearer(token)


def done(api: KubeAPI, method: str, path: str, body: object = None, content_type: str = "application/json") -> None:
    answer = api.request(method, path, body, content_type)
    assert answer.ok, f"{method} {path}: {answer.text}"


def pods_of(api: KubeAPI, app: str) -> list[str]:
    return [pod["metadata"]["name"] for pod in api.get(f"{CORE}/pods?labelSelector=app%3D{app}")["items"]]


def deployment(name: str, **spec: Any) -> dict[str, Any]:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {**POD_SPEC, **spec}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template},
    }


def test_a_ci_account_deploys_and_takes_down(ci: KubeAPI) -> None:
    """The controllers make its pods, one with the account's own rights and a secret, and take them away."""
    secret = {"name": "s", "secret": {"secretName": "database"}}
    done(ci, "POST", f"{APPS}/deployments", deployment("shipped", serviceAccountName="ci", volumes=[secret]))
    wait_until(lambda: len(pods_of(ci, "shipped")) == 2, "pods of a deployment")
    first = pods_of(ci, "shipped")
    image = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "web:2"}]}}}}
    strategic = "application/strategic-merge-patch+json"
    done(ci, "PATCH", f"{APPS}/deployments/shipped", image, strategic)
    wait_until(lambda: bool(set(pods_of(ci, "shipped")) - set(first)), "pods of a new revision")
    done(ci, "DELETE", f"{CORE}/pods/{pods_of(ci, 'shipped')[0]}")
    wait_until(lambda: len(pods_of(ci, "shipped")) >= 2, "a pod in place of the deleted one")
    done(ci, "PATCH", f"{APPS}/deployments/shipped/scale", {"spec": {"replicas": 0}}, MERGE)
    wait_until(lambda: pods_of(ci, "shipped") == [], "a deployment without pods")
    done(ci, "DELETE", f"{APPS}/deployments/shipped?propagationPolicy=Foreground")
    wait_until(lambda: ci.request("GET", f"{APPS}/deployments/shipped").status_code == 404, "the deployment's end")


def test_a_ci_account_evicts_execs_and_mints(ci: KubeAPI) -> None:
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "web-1", "namespace": "shop"}}
    done(ci, "POST", f"{CORE}/pods/web-1/eviction?dryRun=All", eviction)
    # No node runs it; the server got past admission.
    assert ci.request("GET", f"{CORE}/pods/on-node/exec?command=ls&stdout=true").status_code != 403
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    done(ci, "POST", f"{CORE}/serviceaccounts/ci/token", asked)
    done(ci, "DELETE", f"{CORE}/configmaps?dryRun=All")
    bound = {"metadata": {"name": "more"}, "roleRef": {"kind": "ClusterRole", "name": "view"}, "subjects": []}
    bound["roleRef"] |= {"apiGroup": "rbac.authorization.k8s.io"}  # type: ignore[operator]
    done(ci, "POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings?dryRun=All", bound)


def test_a_job_runs_by_its_controller(admin: KubeAPI) -> None:
    spec = {**POD_SPEC, "restartPolicy": "Never", "serviceAccountName": "builder", "hostNetwork": True}
    job = {"metadata": {"name": "once"}, "spec": {"template": {"spec": spec}}}
    done(admin, "POST", "/apis/batch/v1/namespaces/shop/jobs", job)
    path = f"{CORE}/pods?labelSelector=job-name%3Donce"
    wait_until(lambda: len(admin.get(path)["items"]) == 1, "the pod of a job")
    done(admin, "DELETE", "/apis/batch/v1/namespaces/shop/jobs/once?propagationPolicy=Background")
    wait_until(lambda: admin.get(path)["items"] == [], "the end of a job's pod")


def test_a_namespace_ends_with_all_that_is_in_it(admin: KubeAPI) -> None:
    name = "passing"
    done(admin, "POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    inside = f"/api/v1/namespaces/{name}"
    account = f"{inside}/serviceaccounts/default"
    wait_until(lambda: admin.request("GET", account).ok, "a service account")
    for kind, thing in (
        ("configmaps", {"metadata": {"name": "kubectl-stepup-policy"}}),
        ("secrets", {"metadata": {"name": "s"}}),
        ("pods", {"metadata": {"name": "p"}, "spec": POD_SPEC}),
    ):
        done(admin, "POST", f"{inside}/{kind}", thing)
    done(admin, "DELETE", inside)
    wait_until(lambda: admin.request("GET", inside).status_code == 404, "the end of a namespace", within_s=60)


def test_what_has_no_owner_any_more_is_collected(admin: KubeAPI) -> None:
    owner = admin.request("POST", f"{CORE}/configmaps", {"metadata": {"name": "owner"}}).json()
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    done(admin, "POST", f"{CORE}/configmaps", {"metadata": {"name": "owned", "ownerReferences": [reference]}})
    done(admin, "DELETE", f"{CORE}/configmaps/owner")
    wait_until(lambda: admin.request("GET", f"{CORE}/configmaps/owned").status_code == 404, "what is collected")


def test_a_legacy_token_is_filled_in_by_its_controller(admin: KubeAPI) -> None:
    annotations = {"kubernetes.io/service-account.name": "builder"}
    kind = "kubernetes.io/service-account-token"
    done(admin, "POST", f"{CORE}/secrets", {"metadata": {"name": "old", "annotations": annotations}, "type": kind})
    path = f"{CORE}/secrets/old"
    wait_until(lambda: "token" in (admin.get(path).get("data") or {}), "a legacy token")
    done(admin, "DELETE", path)


def test_an_administrators_certificate_does_everything(guarded: Guarded, admin: KubeAPI) -> None:
    assert "extra" not in admin.whoami() or not any("stepup" in key for key in admin.whoami()["extra"])
    done(admin, "DELETE", f"{CORE}/pods/web-0?dryRun=All")
    done(admin, "DELETE", "/api/v1/nodes/worker-1?dryRun=All")
    done(admin, "DELETE", "/apis/rbac.authorization.k8s.io/v1/clusterroles/ops?dryRun=All")
    done(admin, "PATCH", "/api/v1/nodes/worker-1?dryRun=All", {"spec": {"unschedulable": True}}, MERGE)
    path = "/api/v1/namespaces/kube-public/configmaps/kubectl-stepup-policy?dryRun=All"
    done(admin, "DELETE", path)
    done(admin, "DELETE", f"{CORE}/pods?dryRun=All")
    # Another certificate, of a machine that RBAC lets delete.
    allow_everything(admin, "backup-machines")
    machine = guarded.api.as_owner(guarded.api.certificate("backup", "backup-machines"))
    done(machine, "DELETE", f"{CORE}/pods/web-0?dryRun=All")
    assert "kubectl-stepup-" not in json.dumps(machine.get(f"{CORE}/pods/web-0"))
