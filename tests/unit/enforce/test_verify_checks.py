"""The checks of `policy verify` against a server that answers as it should, with one thing wrong at a time."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from kubectl_stepup.enforce.verify import answers, read_back
from kubectl_stepup.enforce.verify.answers import KubectlAnswer
from kubectl_stepup.enforce.verify.checks import ClusterState, LiveCluster, check, read_cluster
from kubectl_stepup.enforce.verify.results import CLIENT_ONLY, ENFORCED, GAP, NOT_CHECKED, Login, VerifyResult
from kubectl_stepup.errors import KubectlFailed, LoginNeeded
from tests.unit.enforce.policies import policy
from tests.unit.enforce.test_answers import DENIED, RBAC
from tests.unit.enforce.test_bundle import compiled, request
from tests.unit.enforce.test_read_back import parse

RULES = policy("name: deletes, do: [delete, stop], needs: mfa", "name: secrets, do: [read-secrets], needs: mfa")
REQUEST, MADE = request(RULES), compiled(RULES)
POLICIES = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
BINDING = "kubectl-stepup-deletes"
ISSUER = "https://login.example.com"
EVERYDAY, MFA = Login(level=None), Login(level="mfa", rank=0)
FORBIDDEN = KubectlAnswer(
    code=1, err='Error from server (Forbidden): x is forbidden: User "alice" cannot list resource "x"'
)


@dataclass(kw_only=True)
class Server:
    """A cluster with our policies as one login sees it through kubectl; `wrong` answers first where it can."""

    groups: tuple[str, ...] = ("dev",)
    extra: Mapping[str, list[str]] = field(default_factory=lambda: {"kubectl-stepup.github.io/issuer": [ISSUER]})
    allowed: Callable[[dict[str, str]], bool] = lambda _: False
    wrong: Callable[[tuple[str, ...]], KubectlAnswer | None] = lambda _: None
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def __call__(self, words: Sequence[str], stdin: str = "") -> KubectlAnswer:
        """KubectlAnswer as the server would."""
        self.asked.append(tuple(words))
        found = self.wrong(tuple(words))
        return found if found is not None else self._right(tuple(words), stdin)

    def _right(self, words: tuple[str, ...], stdin: str) -> KubectlAnswer:
        if "selfsubjectreviews" in words[-3]:
            info = {"username": "alice", "groups": list(self.groups), "extra": self.extra}
            return _json({"status": {"userInfo": info}})
        if words[:3] == ("create", "-f", "-"):
            reviews = json.loads(stdin)["items"]
            for one in reviews:
                one["status"] = {"allowed": self.allowed(one["spec"]["resourceAttributes"])}
            return KubectlAnswer(code=0, out="\n".join(map(json.dumps, reviews)))
        if words[0] == "get":
            return _read(words)
        denied = (
            DENIED if words[0] != "label" else DENIED.replace("kubectl-stepup-deletes", "kubectl-stepup-own-objects")
        )
        return KubectlAnswer(code=1, err=denied)


def _json(value: object) -> KubectlAnswer:
    return KubectlAnswer(code=0, out=json.dumps(value))


def objects(*kinds: str) -> list[Any]:
    return [copy.deepcopy(dict(one)) for one in MADE.objects if one["kind"] in kinds]


def _read(words: tuple[str, ...]) -> KubectlAnswer:
    if words[1] == "configmap":
        return _json(objects("ConfigMap")[0])
    if words[1] == "namespaces":
        return KubectlAnswer(code=0, out="namespace/kube-system\nnamespace/prod\n")
    if "-l" in words:
        kinds = POLICIES if words[1].startswith("validating") else ("RoleBinding", "ClusterRoleBinding")
        return _json({"items": objects(*kinds)})
    return KubectlAnswer(
        code=0, out="configmap/a\npod/web-0\ndeployment.apps/web\n" if "-n" in words else "node/worker-1\n"
    )


def read(*servers: Server) -> tuple[LiveCluster, ClusterState]:
    """Read the cluster as the everyday login, and with a second server as somebody at level mfa."""
    asking: dict[Login, Any] = dict(zip((EVERYDAY, MFA), servers, strict=False))
    live = LiveCluster(cluster="prod-eu", namespace="shop", asking=asking)
    return live, read_cluster(live)


def look(everyday: Server, mfa: Server | None = None) -> list[VerifyResult]:
    live, state = read(everyday, *([] if mfa is None else [mfa]))
    text = read_back.published_text(answers.document(state.published))
    return list(check(live, state, REQUEST, MADE, None if text is None else parse(text)))


def unbound() -> list[Any]:
    return [one for one in objects(*POLICIES) if one["kind"] == POLICIES[0] or one["metadata"]["name"] != BINDING]


def _reads_policies(words: tuple[str, ...]) -> bool:
    return words[1].startswith("validating") and "-l" in words


def states(found: Sequence[VerifyResult], state: str) -> set[tuple[str, str]]:
    return {(one.subject, one.what) for one in found if one.state == state}


def elevated() -> Server:
    return Server(groups=("dev", "stepup:mfa", "stepup:mfa:dev"))


def test_a_cluster_with_our_policies_has_no_gap() -> None:
    found = look(Server(), mfa=elevated())

    assert states(found, GAP) == set()
    assert states(found, NOT_CHECKED) == {("critical", "elevated login")}
    assert states(found, CLIENT_ONLY) == {("deletes", "stop: patch")}
    assert {
        ("everyday", "no level without stepping up"),
        ("mfa", "the groups of mfa alone"),
        ("deletes", "policy and binding as compiled"),
        ("deletes", "delete a configmap"),
        ("deletes", "evict a pod"),
        ("deletes", "scale to zero"),
        ("secrets", "read-secrets: get, list, watch"),
        ("bypass", "write admission's objects"),
        ("own-objects", "change the published policy"),
        ("published", "as everybody's client gets it"),
    } <= states(found, ENFORCED)


def test_nothing_that_is_sent_could_have_an_effect() -> None:
    everyday, stronger = Server(), elevated()
    look(everyday, mfa=stronger)
    harmless = ("get", "--dry-run=server", "?dryRun=All", "selfsubjectreviews", "create -f - -o json --validate=false")

    assert [
        one for server in (everyday, stronger) for one in server.asked if not any(h in " ".join(one) for h in harmless)
    ] == []


def test_an_elevated_login_is_asked_only_what_needs_more_than_it_has() -> None:
    stronger = elevated()
    look(Server(), mfa=stronger)

    tried = [one for one in stronger.asked if "--dry-run=server" in one]
    assert [one[0] for one in tried] == ["label"]  # the published policy needs the highest level


GAPS: dict[str, tuple[Server, tuple[str, str]]] = {
    "a level every day": (Server(groups=("stepup:mfa",)), ("everyday", "no level without stepping up")),
    "not a person": (Server(extra={}), ("everyday", "no level without stepping up")),
    "lets a delete pass": (
        Server(wrong=lambda words: KubectlAnswer(code=0) if words[:2] == ("delete", "pod/web-0") else None),
        ("deletes", "delete a pod"),
    ),
    "no binding": (
        Server(wrong=lambda words: _json({"items": unbound()}) if _reads_policies(words) else None),
        ("deletes", "policy and binding as compiled"),
    ),
    "reads secrets": (
        Server(allowed=lambda asked: asked["resource"] == "secrets"),
        ("secrets", "read-secrets: get, list, watch"),
    ),
    "deletes admission policies": (
        Server(allowed=lambda asked: asked["resource"] == "validatingadmissionpolicies" and asked["verb"] == "delete"),
        ("bypass", "write admission's objects"),
    ),
    "gets a level by impersonation": (
        Server(allowed=lambda asked: asked.get("name") == "stepup:critical"),
        ("bypass", "impersonate"),
    ),
    "cannot fetch the policy": (
        Server(wrong=lambda words: FORBIDDEN if words[1] == "configmap" else None),
        ("published", "as everybody's client gets it"),
    ),
}


@pytest.mark.parametrize(("server", "gap"), GAPS.values(), ids=GAPS)
def test_one_gap_is_found_alone(server: Server, gap: tuple[str, str]) -> None:
    assert states(look(server), GAP) == {gap}


def test_every_gap_says_what_to_do() -> None:
    for server, _ in GAPS.values():
        assert all(one.fix for one in look(server) if one.state == GAP)


def test_without_a_published_policy_our_own_admission_policy_says_how_it_was_made() -> None:
    unpublished = Server(wrong=lambda words: FORBIDDEN if words[1] == "configmap" else None)
    blind = Server(wrong=lambda words: FORBIDDEN if words[1] == "configmap" or "-l" in words else None)

    assert read(unpublished)[1].annotations["kubectl-stepup.github.io/policy-digest"] == MADE.digest
    assert read(blind)[1].annotations == {}


def test_who_may_not_read_admission_policies_learns_which_right_is_missing() -> None:
    blind = Server(wrong=lambda words: FORBIDDEN if "-l" in words else None)
    (row,) = (one for one in look(blind) if one.subject == "rules")

    assert (row.state, row.what) == (NOT_CHECKED, "policies and bindings as compiled")
    assert "--verb=get,list --resource=validatingadmissionpolicies,validatingadmissionpolicybindings" in row.fix
    # A stronger login that may reads them instead.
    assert states(look(blind, mfa=elevated()), NOT_CHECKED) == {("critical", "elevated login")}


def test_one_role_reads_all_that_could_not_be_read() -> None:
    """Two commands that create a role of one name: the second fails."""
    blind = Server(wrong=lambda words: FORBIDDEN if "-l" in words else None)
    fixes = {one.fix for one in look(blind) if one.subject in ("rules", "grants")}

    (fix,) = fixes
    assert fix == (
        "kubectl create clusterrole kubectl-stepup-verify --verb=get,list --resource="
        "validatingadmissionpolicies,validatingadmissionpolicybindings,clusterrolebindings,rolebindings"
        "   (and bind it to whoever verifies)"
    )


def test_what_rbac_refuses_already_needs_no_admission_policy() -> None:
    server = Server(wrong=lambda words: KubectlAnswer(code=1, err=RBAC) if words[0] in ("delete", "scale") else None)
    rows = {one.what: one for one in look(server) if one.subject == "deletes"}

    assert (rows["delete a pod"].state, rows["delete a pod"].point) == (ENFORCED, "rbac")


def test_an_elevated_login_that_the_server_refuses_is_a_gap() -> None:
    refused = Server(
        wrong=lambda _: KubectlAnswer(code=1, err="error: You must be logged in to the server (Unauthorized)")
    )
    found = look(Server(), mfa=refused)

    assert states(found, GAP) == {("mfa", "elevated login")}
    assert len(refused.asked) == 1


@pytest.mark.parametrize(
    ("err", "error"),
    [
        ("error: You must be logged in to the server (Unauthorized)", LoginNeeded),
        ("Unable to connect to the server: dial tcp 127.0.0.1:1: connection refused", KubectlFailed),
    ],
)
def test_without_an_everyday_login_nothing_can_be_said(err: str, error: type[Exception]) -> None:
    with pytest.raises(error, match="cluster prod-eu"):
        look(Server(wrong=lambda _: KubectlAnswer(code=1, err=err)))


def test_a_server_that_answers_only_some_questions_is_not_believed() -> None:
    quiet = Server(wrong=lambda words: KubectlAnswer(code=1) if words[:3] == ("create", "-f", "-") else None)
    found = states(look(quiet), NOT_CHECKED)

    assert {("secrets", "read-secrets: get, list, watch"), ("bypass", "impersonate")} <= found
