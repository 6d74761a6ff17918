"""DenialCache in the server's words."""

from __future__ import annotations

import pytest

from kubectl_stepup.demo.admission import Attempt, standard_policies
from kubectl_stepup.demo.api_request import APIRequest
from kubectl_stepup.demo.authentication import User
from kubectl_stepup.demo.authorization import Authorizer, team_grants
from kubectl_stepup.demo.statuses import StatusError
from kubectl_stepup.names import OWN_GROUP

POLICIES = standard_policies(level="mfa", max_age_s=900, exempt=("sandbox",))
PERSON = {f"{OWN_GROUP}/issuer": ("https://login.example.com",)}
ALICE = User(name="oidc:alice", groups=("dev", "system:authenticated"), extra=PERSON)
ELEVATED = User(name="oidc:alice", groups=("dev", "stepup:mfa", "stepup:mfa:dev"), extra=PERSON)
ROBOT = User(name="system:serviceaccount:ci:robot", groups=("system:authenticated",))


def asked(
    verb: str, resource: str = "pods", namespace: str = "prod", name: str = "web-0", group: str = ""
) -> APIRequest:
    resource, _, subresource = resource.partition("/")
    return APIRequest(
        verb=verb, path="", group=group, resource=resource, subresource=subresource, namespace=namespace, name=name
    )


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            asked("get", "secrets", name="db"),
            'secrets "db" is forbidden: User "oidc:alice" cannot get resource "secrets" '
            'in API group "" in the namespace "prod"',
        ),
        (
            asked("list", "secrets", namespace="", name=""),
            'secrets is forbidden: User "oidc:alice" cannot list resource "secrets" '
            'in API group "" at the cluster scope',
        ),
        (
            asked("delete", "nodes", namespace="", name="n1"),
            'nodes "n1" is forbidden: User "oidc:alice" cannot delete resource "nodes" '
            'in API group "" at the cluster scope',
        ),
        (
            asked("create", "roles", name="", group="rbac.authorization.k8s.io"),
            'roles.rbac.authorization.k8s.io is forbidden: User "oidc:alice" cannot create resource "roles" '
            'in API group "rbac.authorization.k8s.io" in the namespace "prod"',
        ),
        (APIRequest(verb="get", path="/metrics"), 'forbidden: User "oidc:alice" cannot get path "/metrics"'),
    ],
)
def test_rbac(request_: APIRequest, message: str) -> None:
    with pytest.raises(StatusError) as caught:
        Authorizer(team_grants("dev")).check(ALICE, request_)
    assert (caught.value.code, caught.value.reason, caught.value.message) == (403, "Forbidden", message)


def test_secrets_are_read_by_elevated_members_of_the_team_alone() -> None:
    authorizer = Authorizer(team_grants("dev"))
    outsider = User(name="oidc:bob", groups=("ops", "stepup:mfa", "stepup:mfa:ops"), extra=PERSON)
    for verb in ("get", "list", "watch", "update", "patch"):  # the answer to a write shows the object too
        read = asked(verb, "secrets", name="db")
        assert authorizer.allows(ELEVATED, read)
        assert not authorizer.allows(ALICE, read)
        assert not authorizer.allows(outsider, read)


def test_a_gated_delete_tells_the_challenge_and_the_command() -> None:
    with pytest.raises(StatusError) as caught:
        POLICIES[0].check(ALICE, Attempt(request=asked("delete"), old={}))
    why = (
        "ValidatingAdmissionPolicy 'kubectl-stepup-prod-deletes' with binding 'kubectl-stepup-prod-deletes' "
        "denied request: "
        'step-up to mfa needed (rule prod-deletes); error="insufficient_user_authentication", acr_values="mfa", '
        'max_age="900"; '
        "run: kubectl stepup exec -- delete pods web-0 -n prod"
    )
    assert caught.value.document() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f'pods "web-0" is forbidden: {why}',
        "reason": "Forbidden",
        "details": {"name": "web-0", "kind": "pods", "causes": [{"message": why}]},
        "code": 403,
    }


@pytest.mark.parametrize(
    ("attempt", "gated"),
    [
        (Attempt(request=asked("delete")), True),
        (Attempt(request=asked("deletecollection", name="")), True),
        (Attempt(request=asked("create", "pods/eviction")), True),
        (Attempt(request=asked("delete", namespace="sandbox")), False),
        (Attempt(request=asked("delete", "namespaces", namespace="sandbox", name="sandbox")), False),
        (Attempt(request=asked("delete", "namespaces", namespace="prod", name="prod")), True),
        (Attempt(request=asked("get", "pods/exec")), True),
        (Attempt(request=asked("create", "pods/portforward")), True),
        (Attempt(request=asked("create", name=""), new={"spec": {"replicas": 0}}), False),
        (Attempt(request=asked("update"), old={"spec": {"replicas": 2}}, new={"spec": {"replicas": 0}}), True),
        (Attempt(request=asked("update"), old={"spec": {"replicas": 2}}, new={"spec": {"replicas": 1}}), False),
        (Attempt(request=asked("update"), old={"spec": {"replicas": 0}}, new={"spec": {"replicas": 0}}), False),
        (Attempt(request=asked("patch"), old={}, new={}), False),
    ],
)
def test_what_needs_a_level(attempt: Attempt, gated: bool) -> None:
    for user, asked_ in ((ALICE, gated), (ELEVATED, False), (ROBOT, False)):
        try:
            for policy in POLICIES:
                policy.check(user, attempt)
            refused = False
        except StatusError:
            refused = True
        assert refused is asked_


@pytest.mark.parametrize(
    ("user", "path", "allowed"),
    [
        (User(name="system:anonymous"), "/version", True),
        (User(name="system:anonymous"), "/api", False),
        (ALICE, "/apis", True),
        (ALICE, "/openapi/v3", True),
        (ALICE, "/apish", False),
        (ALICE, "/metrics", False),
    ],
)
def test_paths(user: User, path: str, allowed: bool) -> None:
    assert Authorizer(()).allows(user, APIRequest(verb="get", path=path)) is allowed
