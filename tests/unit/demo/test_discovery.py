"""What the cluster says it can do."""

from __future__ import annotations

import json
from email.message import Message
from typing import Any

import pytest

from kubectl_stepup.demo.discovery import document
from kubectl_stepup.demo.https_server import HTTPRequest

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
KUBECTL = f"{AGGREGATED},application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"


def ask(path: str, accept: str = "application/json") -> tuple[str, Any]:
    headers = Message()
    headers["Accept"] = accept
    request = HTTPRequest(method="GET", path=path, query={}, headers=headers, body=b"", client="127.0.0.1")
    found = document(request)
    assert found is not None
    return dict(found.headers)["Content-Type"], json.loads(found.body)


def test_aggregated_discovery_for_who_asks_for_it() -> None:
    content_type, core = ask("/api", KUBECTL)
    _, named = ask("/apis", KUBECTL)
    assert content_type == AGGREGATED
    assert [item["metadata"]["name"] for item in core["items"]] == [""]
    groups = [item["metadata"]["name"] for item in named["items"]]
    assert groups == ["apps", "authentication.k8s.io", "authorization.k8s.io"]
    deployments = named["items"][0]["versions"][0]["resources"][0]
    assert deployments["responseKind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert deployments["subresources"][0]["responseKind"] == {"group": "autoscaling", "version": "v1", "kind": "Scale"}


def test_plain_discovery_for_everybody_else() -> None:
    assert ask("/api")[1]["versions"] == ["v1"]
    assert ask("/apis")[1]["groups"][0]["name"] == "apps"
    names = [resource["name"] for resource in ask("/api/v1")[1]["resources"]]
    assert {"pods", "pods/log", "pods/exec", "pods/eviction", "secrets", "namespaces"} <= set(names)


def test_kubectl_finds_that_the_server_validates_fields() -> None:
    paths = ask("/openapi/v3")[1]["paths"]
    spec = ask(paths["apis/apps/v1"]["serverRelativeURL"])[1]
    patch = spec["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert "fieldValidation" in [parameter["name"] for parameter in patch["parameters"]]
    assert patch["x-kubernetes-group-version-kind"]["kind"] == "Deployment"


@pytest.mark.parametrize("path", ["/version", "/version/"])
def test_the_version(path: str) -> None:
    assert ask(path)[1]["gitVersion"].startswith("v1.36.")
