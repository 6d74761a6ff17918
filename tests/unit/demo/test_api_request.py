"""Paths as the authorizer sees them."""

from __future__ import annotations

from email.message import Message

import pytest

from kubectl_stepup.demo.api_request import APIRequest, read
from kubectl_stepup.demo.https_server import HTTPRequest


def request(method: str, path: str, **query: str) -> HTTPRequest:
    values = {name: [value] for name, value in query.items()}
    return HTTPRequest(method=method, path=path, query=values, headers=Message(), body=b"", client="127.0.0.1")


@pytest.mark.parametrize(
    ("method", "path", "verb", "resource", "namespace", "name"),
    [
        ("GET", "/api/v1/pods", "list", "pods", "", ""),
        ("GET", "/api/v1/namespaces/prod/pods", "list", "pods", "prod", ""),
        ("GET", "/api/v1/namespaces/prod/pods/web-0", "get", "pods", "prod", "web-0"),
        ("GET", "/api/v1/namespaces/prod/pods/web-0/log", "get", "pods/log", "prod", "web-0"),
        ("POST", "/api/v1/namespaces/prod/pods/web-0/eviction", "create", "pods/eviction", "prod", "web-0"),
        ("DELETE", "/api/v1/namespaces/prod/pods", "deletecollection", "pods", "prod", ""),
        ("DELETE", "/api/v1/namespaces/prod/pods/web-0", "delete", "pods", "prod", "web-0"),
        ("PUT", "/api/v1/namespaces/prod/pods/web-0", "update", "pods", "prod", "web-0"),
        ("PATCH", "/api/v1/namespaces/prod/pods/we%2Db", "patch", "pods", "prod", "we-b"),
        ("GET", "/api/v1/namespaces", "list", "namespaces", "", ""),
        ("DELETE", "/api/v1/namespaces/prod", "delete", "namespaces", "prod", "prod"),
        ("GET", "/api/v1/nodes/n1", "get", "nodes", "", "n1"),
    ],
)
def test_core_paths(method: str, path: str, verb: str, resource: str, namespace: str, name: str) -> None:
    asked = read(request(method, path))
    assert (asked.verb, asked.full_resource, asked.namespace, asked.name) == (verb, resource, namespace, name)
    assert asked.group == ""


def test_a_named_group_and_its_subresource() -> None:
    asked = read(request("PATCH", "/apis/apps/v1/namespaces/prod/deployments/web/scale"))
    assert (asked.group, asked.full_resource, asked.verb) == ("apps", "deployments/scale", "patch")


def test_watching_is_a_verb_of_its_own() -> None:
    assert read(request("GET", "/api/v1/namespaces/prod/pods", watch="true")).verb == "watch"


@pytest.mark.parametrize("path", ["/version", "/api", "/api/v1", "/apis/apps/v1", "/apis/apps/v2/x", "/openapi/v3"])
def test_other_paths_are_no_resource(path: str) -> None:
    assert read(request("GET", path)) == APIRequest(verb="get", path=path)
