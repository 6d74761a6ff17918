"""Answer SelfSubjectReview, SelfSubjectAccessReview and SelfSubjectRulesReview.

Spec: authentication.k8s.io/v1, authorization.k8s.io/v1.
"""

from __future__ import annotations

from typing import Any

from kubectl_stepup.demo.api_request import APIRequest
from kubectl_stepup.demo.authentication import User
from kubectl_stepup.demo.authorization import Authorizer
from kubectl_stepup.demo.catalogue import ReviewKind

Document = dict[str, Any]


def answer(review: ReviewKind, user: User, authorizer: Authorizer, body: Document) -> Document:
    """Return the review with its status."""
    spec = body.get("spec") or {}
    document: Document = {
        "kind": review.name,
        "apiVersion": f"{review.group}/v1",
        "metadata": {"creationTimestamp": None},
    }
    if review.name == "SelfSubjectReview":
        return document | {"status": {"userInfo": user.info()}}
    if review.name == "SelfSubjectRulesReview":
        paths = [{"verbs": ["get"], "nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/version"]}]
        rules = {"resourceRules": authorizer.rules(user), "nonResourceRules": paths, "incomplete": False}
        return document | {"spec": {}, "status": rules}
    allowed = authorizer.allows(user, _asked(spec))
    # NOTE: as on a real server the answer is RBAC's alone: a policy may still refuse the write.
    return document | {"spec": spec, "status": {"allowed": allowed}}


def _asked(spec: Document) -> APIRequest:
    path = spec.get("nonResourceAttributes")
    if isinstance(path, dict):
        return APIRequest(verb=str(path.get("verb", "")), path=str(path.get("path", "")))
    attributes = spec.get("resourceAttributes") or {}
    return APIRequest(
        verb=str(attributes.get("verb", "")),
        path="",
        group=str(attributes.get("group", "")),
        resource=str(attributes.get("resource", "")),
        subresource=str(attributes.get("subresource", "")),
        namespace=str(attributes.get("namespace", "")),
        name=str(attributes.get("name", "")),
    )
