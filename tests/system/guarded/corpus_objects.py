"""What stands in a cluster for the corpus of commands, and how it is made again after a command."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from tests.system.parts.kube_api import KubeAPI
from tests.system.parts.processes import wait_until
from tests.system.recorder.fixture import POD_SPEC, SELECTOR, TEMPLATE, things

NAMESPACES = ("x", "foo", "get")
MADE = (
    *(f"api/v1/namespaces/default/pods/{name}" for name in ("newcopy", "newp", "newpod")),
    *("api/v1/namespaces/default/secrets/newdup", "api/v1/namespaces/default/secrets/news"),
    *("api/v1/namespaces/kube-system/secrets/news", "api/v1/namespaces/kube-system/secrets/news2"),
    *(f"apis/rbac.authorization.k8s.io/v1/clusterrolebindings/{name}" for name in ("newcrb", "newcrb2", "newx")),
)
"""What commands of the corpus make or apply: an object that was applied is not sent a second time."""


def set_up(api: KubeAPI) -> None:
    """Make what the corpus names."""
    for namespace in NAMESPACES:
        api.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    for namespace in ("default", *NAMESPACES):
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
        wait_until(lambda path=path: api.request("GET", path).ok, f"service account in {namespace}")  # type: ignore[misc]
    # The corpus knows widgets by names that look like a pod and a command.
    names = {"spec": {"names": {"singular": "pod", "shortNames": ["wd", "get", "widget"]}}}
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com"
    assert api.request("PATCH", path, names, "application/merge-patch+json").ok
    wait_until(lambda: _is_known_as(api, "get"), "widgets by another name")
    restore(api)


def _is_known_as(api: KubeAPI, word: str) -> bool:
    served = api.get("/apis/example.com/v1")["resources"]
    return any(word in one.get("shortNames", []) for one in served)


def restore(api: KubeAPI, touched: Collection[str] | None = None) -> None:
    """Make what a command took away or is just being taken away, and take away what commands make.

    Of the resources `touched` alone, where they are named.
    """
    for path in MADE:
        if touched is None or path.split("/")[-2] in touched:
            _remove(api, path)
    for collection, thing in _things():
        if touched is not None and collection.rpartition("/")[2] not in touched:
            continue
        made = api.request("POST", f"/{collection}", thing)
        if made.status_code == 409 and "deletionTimestamp" in _metadata(api, collection, thing):
            _remove(api, f"{collection}/{thing['metadata']['name']}")
            made = api.request("POST", f"/{collection}", thing)
        assert made.status_code in {201, 409}, made.text
    # Nothing runs them, and kubectl forwards ports to what runs alone.
    running = {"status": {"phase": "Running"}}
    api.request("PATCH", "/api/v1/namespaces/default/pods/x/status", running, "application/merge-patch+json")


def _metadata(api: KubeAPI, collection: str, thing: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = api.request("GET", f"/{collection}/{thing['metadata']['name']}").json().get("metadata", {})
    return found


def _remove(api: KubeAPI, path: str) -> None:
    api.request("DELETE", f"/{path}", {"gracePeriodSeconds": 0})


def _things() -> Iterator[tuple[str, dict[str, Any]]]:
    core, rbac = "api/v1/namespaces/default", "apis/rbac.authorization.k8s.io/v1"
    yield "api/v1/nodes", {"metadata": {"name": "n1"}}
    for namespace in ("default", *NAMESPACES):
        pod = {"metadata": {"name": "x", "labels": {"app": "x"}}, "spec": {**POD_SPEC, "nodeName": "n1"}}
        yield f"api/v1/namespaces/{namespace}/pods", pod
    yield f"{core}/pods", {"metadata": {"name": "newpod"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    for name in ("shadow", "viaplugin"):
        yield f"{core}/pods", {"metadata": {"name": name}, "spec": POD_SPEC}
    yield f"{core}/services", {"metadata": {"name": "x"}, "spec": {"ports": [{"port": 80}]}}
    yield f"{core}/secrets", {"metadata": {"name": "s"}, "stringData": {"password": "tulip"}}
    yield f"{core}/configmaps", {"metadata": {"name": "c"}, "data": {"a": "b"}}
    yield "api/v1/namespaces/kube-system/serviceaccounts", {"metadata": {"name": "admin"}}
    for name in ("x", "y"):
        spec = {"selector": SELECTOR, "template": TEMPLATE, "replicas": 1}
        yield "apis/apps/v1/namespaces/default/deployments", {"metadata": {"name": name}, "spec": spec}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    cluster_admin = {**role, "name": "cluster-admin"}
    yield f"{rbac}/clusterrolebindings", {"metadata": {"name": "x"}, "roleRef": role, "subjects": []}
    yield f"{rbac}/clusterrolebindings", {"metadata": {"name": "newcrb"}, "roleRef": cluster_admin, "subjects": []}
    yield "apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", {"metadata": {"name": "x"}}
    yield "apis/certificates.k8s.io/v1/certificatesigningrequests", _signing_request()
    yield (
        "apis/example.com/v1/namespaces/default/widgets",
        {
            "apiVersion": "example.com/v1",
            "kind": "Widget",
            "metadata": {"name": "x"},
        },
    )


def _signing_request() -> dict[str, Any]:
    made = next(thing for path, thing in things() if path.endswith("certificatesigningrequests"))
    return {**made, "metadata": {"name": "x"}}
