"""What the cluster stand-in says it can do: legacy and aggregated discovery, OpenAPI enough for kubectl to validate.

Spec: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
"""

from __future__ import annotations

from kubectl_stepup.demo.catalogue import GROUPS, KINDS, REVIEWS, ResourceKind
from kubectl_stepup.demo.https_server import HTTPRequest, HTTPResponse, json_response

GIT_VERSION = "v1.36.2+stepup.demo"
_PATCHES = ("application/strategic-merge-patch+json", "application/merge-patch+json", "application/apply-patch+yaml")
_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def document(request: HTTPRequest) -> HTTPResponse | None:
    """Answer a request for discovery, the version, health or OpenAPI; None for any other path."""
    path = request.path.rstrip("/") or "/"
    if path in ("/healthz", "/livez", "/readyz"):
        return HTTPResponse(body=b"ok", headers=(("Content-Type", "text/plain; charset=utf-8"),))
    accepted = request.headers.get("Accept", "").replace(" ", "").split(",")
    if path in ("/api", "/apis") and _AGGREGATED in accepted:
        groups = [""] if path == "/api" else [group for group in GROUPS if group]
        return _aggregated(groups)
    found = _documents().get(path)
    return None if found is None else json_response(found)


def _documents() -> dict[str, object]:
    named = [group for group in GROUPS if group]
    documents: dict[str, object] = {
        "/version": {
            "major": "1",
            "minor": "36",
            "gitVersion": GIT_VERSION,
            "gitCommit": "0" * 40,
            "gitTreeState": "clean",
            "buildDate": "2026-01-01T00:00:00Z",
            "goVersion": "none",
            "compiler": "none",
            "platform": "demo/none",
        },
        "/api": {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(group) for group in named]},
        "/openapi/v3": {"paths": {_root(g).lstrip("/"): {"serverRelativeURL": _openapi_url(g)} for g in GROUPS}},
        "/openapi/v2": {"swagger": "2.0", "info": {"title": "Kubernetes", "version": GIT_VERSION}, "paths": {}},
    }
    for group in GROUPS:
        documents[_root(group)] = _resource_list(group)
        documents[_openapi_url(group)] = _openapi(group)
    for group in named:
        documents[f"/apis/{group}"] = {"kind": "APIGroup", "apiVersion": "v1", **_group(group)}
    return documents


def _root(group: str) -> str:
    return f"/apis/{group}/v1" if group else "/api/v1"


def _openapi_url(group: str) -> str:
    return f"/openapi/v3{_root(group)}"


def _group(group: str) -> dict[str, object]:
    version = {"groupVersion": f"{group}/v1", "version": "v1"}
    return {"name": group, "versions": [version], "preferredVersion": version}


def _resource_list(group: str) -> dict[str, object]:
    resources: list[dict[str, object]] = []
    for kind in KINDS:
        if kind.group == group:
            resources.append(_legacy(kind))
            resources += [
                {
                    "name": f"{kind.resource}/{name}",
                    "singularName": "",
                    "namespaced": kind.namespaced,
                    "kind": spoken,
                    "verbs": list(verbs),
                }
                for name, spoken, verbs in kind.subresources
            ]
    resources += [
        {"name": r.resource, "singularName": r.name.lower(), "namespaced": False, "kind": r.name, "verbs": ["create"]}
        for r in REVIEWS
        if r.group == group
    ]
    version = f"{group}/v1" if group else "v1"
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources}


def _legacy(kind: ResourceKind) -> dict[str, object]:
    return {
        "name": kind.resource,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.name,
        "verbs": list(kind.verbs),
        "shortNames": list(kind.short_names),
        "categories": list(kind.categories),
    }


def _aggregated(groups: list[str]) -> HTTPResponse:
    items = [
        {
            "metadata": {"name": group},
            "versions": [{"version": "v1", "freshness": "Current", "resources": _aggregated_resources(group)}],
        }
        for group in groups
    ]
    listing = {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}
    answer = json_response(listing)
    return HTTPResponse(body=answer.body, headers=(("Content-Type", _AGGREGATED),))


def _aggregated_resources(group: str) -> list[dict[str, object]]:
    resources: list[dict[str, object]] = [
        {
            "resource": kind.resource,
            "responseKind": _gvk(kind.group, kind.name),
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "singularResource": kind.singular,
            "verbs": list(kind.verbs),
            "shortNames": list(kind.short_names),
            "categories": list(kind.categories),
            "subresources": [
                {"subresource": name, "responseKind": _spoken(kind, spoken), "verbs": list(verbs)}
                for name, spoken, verbs in kind.subresources
            ],
        }
        for kind in KINDS
        if kind.group == group
    ]
    return resources + [
        {
            "resource": review.resource,
            "responseKind": _gvk(review.group, review.name),
            "scope": "Cluster",
            "singularResource": review.name.lower(),
            "verbs": ["create"],
        }
        for review in REVIEWS
        if review.group == group
    ]


def _gvk(group: str, kind: str) -> dict[str, str]:
    return {"group": group, "version": "v1", "kind": kind}


def _spoken(kind: ResourceKind, spoken: str) -> dict[str, str]:
    return _gvk({"Scale": "autoscaling", "Eviction": "policy"}.get(spoken, kind.group), spoken)


def _openapi(group: str) -> dict[str, object]:
    # kubectl asks here whether PATCH and POST know `fieldValidation`; if not it validates by itself, which would
    # need the schemas of every field.
    parameters = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in ("fieldValidation", "dryRun")]
    paths = {}
    for kind in KINDS:
        if kind.group != group:
            continue
        gvk = _gvk(group, kind.name)
        base = f"{_root(group)}/namespaces/{{namespace}}" if kind.namespaced else _root(group)
        operation = {"x-kubernetes-group-version-kind": gvk, "parameters": parameters, "responses": {}}
        content = dict[str, object]((name, {}) for name in _PATCHES)
        body = {"content": content}
        paths[f"{base}/{kind.resource}"] = {"post": operation}
        paths[f"{base}/{kind.resource}/{{name}}"] = {"put": operation, "patch": operation | {"requestBody": body}}
    info = {"title": "Kubernetes", "version": GIT_VERSION}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": {}}}
