"""The cluster stand-in over HTTPS: who is let in as whom."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.request import Request

import pytest

from kubectl_stepup.demo.authentication import JWTAuthenticator
from kubectl_stepup.demo.cluster import DemoCluster
from kubectl_stepup.demo.https_client import HTTPAnswer
from kubectl_stepup.demo.identity_provider import IdentityProvider
from kubectl_stepup.demo.tokens import Signer
from kubectl_stepup.secret import Secret
from tests.support.demo_lab.lab import Lab, document

PODS = "/api/v1/namespaces/prod/pods"


def ask(lab: Lab, path: str, token: Secret | str | None, method: str = "GET", **headers: str) -> HTTPAnswer:
    text = token.reveal() if isinstance(token, Secret) else token
    if text is not None:
        headers["Authorization"] = f"Bearer {text}"
    request = Request(f"{lab.cluster.url}{path}", method=method, headers=headers)
    return lab.client.send(request)


def whoami(lab: Lab, token: Secret) -> dict[str, Any]:
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    request = Request(
        f"{lab.cluster.url}{path}",
        data=b"{}",
        method="POST",
        headers={"Authorization": f"Bearer {token.reveal()}", "Content-Type": "application/json"},
    )
    found = document(lab.client.send(request))["status"]["userInfo"]
    assert isinstance(found, dict)
    return found


def test_the_everyday_login_is_a_member_of_its_groups_and_no_more(lab: Lab) -> None:
    user = whoami(lab, lab.provider.issue_everyday_token("alice"))
    assert (user["username"], user["groups"]) == ("oidc:alice", ["dev", "system:authenticated"])


def test_an_approval_gives_the_level(lab: Lab) -> None:
    user = whoami(lab, Secret(lab.approved()["id_token"]))
    assert user["groups"] == ["dev", "stepup:mfa", "stepup:mfa:dev", "system:authenticated"]


def test_a_forged_level_in_the_groups_claim_is_stripped(lab: Lab) -> None:
    user = whoami(lab, lab.token(acr="pwd", groups=["dev", "stepup:mfa", "stepup:mfa:dev"]))
    assert user["groups"] == ["dev", "system:authenticated"]


def unsigned(lab: Lab) -> str:
    _, payload, _ = lab.token().reveal().split(".")
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).rstrip(b"=").decode()
    return f"{none}.{payload}."


def test_tokens_that_are_refused(lab: Lab) -> None:
    now = int(lab.clock())
    refused: dict[str, Secret | str] = {
        "not a token": "nonsense",
        "empty": "",
        "expired": lab.token(exp=now),
        "not yet valid": lab.token(nbf=now + 10),
        "another audience": lab.token(aud="grafana"),
        "another issuer": lab.token(iss="https://login.example.com"),
        "no expiry": lab.token(exp=None),
        "expiry in words": lab.token(exp="later"),
        "no subject": lab.token(sub=None),
        "another key": lab.token(Signer()),
        "no signature": unsigned(lab),
        "changed": lab.token().reveal()[:-6] + "AAAAAA",
    }
    for case, token in refused.items():
        answer = ask(lab, PODS, token)
        assert answer.status == 401, case
        assert document(answer) == {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": "Unauthorized",
            "reason": "Unauthorized",
            "code": 401,
        }
        assert lab.cluster.audit[-1].why, case


def test_an_expired_token_is_refused_at_its_very_second(lab: Lab) -> None:
    token = lab.token(lifetime_s=300)
    lab.clock.now += 299
    assert ask(lab, PODS, token).status == 200
    lab.clock.now += 1
    assert ask(lab, PODS, token).status == 401


def test_a_token_whose_sign_in_is_too_old_for_its_life_has_no_level(lab: Lab) -> None:
    assert "stepup:mfa" in whoami(lab, lab.token(auth_time=int(lab.clock()) - 960))["groups"]
    assert "stepup:mfa" not in whoami(lab, lab.token(auth_time=int(lab.clock()) - 961))["groups"]


def test_nobody_is_anonymous_and_sees_the_version_alone(lab: Lab) -> None:
    assert ask(lab, "/version", None).status == 200
    answer = ask(lab, PODS, None)
    assert answer.status == 403
    assert document(answer)["message"] == (
        'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "prod"'
    )


def test_impersonation_is_refused(lab: Lab) -> None:
    answer = ask(lab, PODS, lab.token(), **{"Impersonate-User": "bob", "Impersonate-Group": "stepup:mfa"})
    assert answer.status == 403
    assert 'cannot impersonate resource "users"' in document(answer)["message"]


def test_the_record_names_who_did_what(lab: Lab) -> None:
    ask(lab, f"{PODS}/web-0", lab.provider.issue_everyday_token("alice"), "DELETE")
    ask(lab, f"{PODS}/web-0", lab.token(), "DELETE")
    refused, done = lab.cluster.audit
    assert [(e.request.verb, e.request.resource, e.request.name, e.code) for e in (refused, done)] == [
        ("delete", "pods", "web-0", 403),
        ("delete", "pods", "web-0", 200),
    ]
    assert "stepup:mfa" in done.user.groups
    assert done.user.extra["kubectl-stepup.github.io/acr"] == ("mfa",)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/v1/widgets", 403), ("/apis/apps/v1/namespaces/prod/deployments/web/nope", 403), (f"{PODS}/nope", 404)],
)
def test_what_is_not_there(lab: Lab, path: str, status: int) -> None:
    assert ask(lab, path, lab.token()).status == status


def test_any_issuer_can_be_trusted_by_its_own_names(lab: Lab) -> None:
    context = lab.authority.server_context(lab.clock())
    with IdentityProvider(context, [lab.other], clock=lab.clock) as second:
        foreign = JWTAuthenticator(
            issuer=second.issuer,
            ca_pem=lab.authority.pem,
            audiences=("kubectl",),
            elevated_audience="kubectl",
            level_acr={"mfa": ("urn:stepup:mfa", "pwd")},
            window_s=900,
            username_claim="email",
            username_prefix="",
            groups_claim="roles",
        )
        with DemoCluster(context, [foreign], clock=lab.clock) as cluster:
            request = Request(
                f"{cluster.url}/apis/authentication.k8s.io/v1/selfsubjectreviews",
                data=b"{}",
                method="POST",
                headers={
                    "Authorization": f"Bearer {second.issue_everyday_token('bob', lifetime_s=300).reveal()}",
                    "Content-Type": "application/json",
                },
            )
            user = document(lab.client.send(request))["status"]["userInfo"]
    assert (user["username"], user["groups"]) == ("bob@example.com", ["stepup:mfa", "system:authenticated"])


def test_a_provider_that_cannot_be_reached_lets_nobody_in(lab: Lab) -> None:
    token = lab.token()
    lab.provider.close()
    assert ask(lab, PODS, token).status == 401
    assert "refused" in lab.cluster.audit[-1].why.lower()
