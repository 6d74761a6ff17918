"""`doctor --rehearse` as different people, against a server that only answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from kubectl_stepup.enforce.verify.answers import KubectlAnswer
from kubectl_stepup.kubeconfig.context import ResolvedContext
from kubectl_stepup.stepup.rehearse import rehearse, runbook
from kubectl_stepup.trusted_file import Untrusted
from kubectl_stepup.ui.doctor_screens import FAIL, OK, WARN, Check
from tests.support.fakes import FakeKubectl
from tests.support.values import CLUSTER, RESOLVED, repinned
from tests.support.world import World
from tests.unit.enforce.test_answers import DENIED

GROUP = "kubectl-stepup.github.io/break-glass"
FILE = "/safe/break-glass.yaml"


class Cluster:
    """The cluster as the owner of the kubeconfig sees it."""

    def __init__(
        self,
        *,
        groups: Sequence[str] = ("sre",),
        extra: Mapping[str, list[str]] | None = None,
        annotations: Mapping[str, str] | None = None,
        allowed: bool = True,
        resolved: ResolvedContext = RESOLVED,
        wrong: Callable[[Sequence[str]], KubectlAnswer | None] = lambda _: None,
        kubectl: FakeKubectl | None = None,
    ) -> None:
        self._kubectl = kubectl or FakeKubectl()
        self._user = {"username": "carol", "groups": list(groups), "extra": dict(extra or {})}
        self._annotations = {GROUP: "sre"} if annotations is None else dict(annotations)
        self._allowed, self._resolved, self._wrong = allowed, resolved, wrong
        self.sent: list[str] = []

    def checks(self) -> dict[str, Check]:
        """Rehearse and give the checks by name."""
        app: Any = World(environ={"PATH": "/bin"}, kubectl=self._kubectl)
        app.kubeconfig = lambda _: self
        self._kubectl.answer = self._answer
        return {one.name: one for one in rehearse(CLUSTER, FILE, app)}

    def resolve(self, context: str | None) -> ResolvedContext:
        """Stand in for the kubeconfig."""
        assert context is None
        return self._resolved

    def _answer(
        self, words: Sequence[str], environ: Mapping[str, str], *, stdin: bytes, within_s: float
    ) -> tuple[int, bytes, bytes]:
        assert f"--kubeconfig={FILE}" in words
        assert (environ["KUBERC"], environ["PATH"]) == ("off", "/bin")
        self.sent.append(" ".join(words))
        found = self._wrong(words) or self._right(words, stdin.decode())
        return found.code, found.out.encode(), found.err.encode()

    def _right(self, words: Sequence[str], stdin: str) -> KubectlAnswer:
        found: Any = None
        if words[0] == "create" and "--raw" in words:
            found = {"status": {"userInfo": self._user}}
        elif words[0] == "create":
            reviews = [{**one, "status": {"allowed": self._allowed}} for one in json.loads(stdin)["items"]]
            return KubectlAnswer(code=0, out="\n".join(map(json.dumps, reviews)))
        elif words[0] == "get":
            found = {"metadata": {"annotations": self._annotations}}
        return KubectlAnswer(code=0, out="deleted (server dry run)\n" if found is None else json.dumps(found))


def test_a_kubectl_that_others_can_replace_never_gets_the_kubeconfig() -> None:
    fault = Untrusted("/opt", "can be changed by other users", "chmod go-w /opt")
    cluster = Cluster(kubectl=FakeKubectl(writable=fault))
    check = cluster.checks()["kubectl"]
    assert (check.state, check.fix, cluster.sent) == (FAIL, "chmod go-w /opt", [])
    assert check.detail == "/opt can be changed by other users, so /usr/bin/kubectl is not run with it"


def states(cluster: Cluster) -> dict[str, str]:
    return {name: one.state for name, one in cluster.checks().items()}


def test_a_way_out_that_works() -> None:
    assert states(Cluster()) == dict.fromkeys(
        ("kubeconfig", "login", "passes policies", "removes policies", "repairs policies", "rights"), OK
    )


def test_nothing_that_is_sent_could_have_an_effect() -> None:
    cluster = Cluster()
    cluster.checks()
    harmless = ("get ", "--dry-run=server", "selfsubjectreviews", "create -f - -o json --validate=false")

    assert len(cluster.sent) == 6
    assert [one for one in cluster.sent if not any(mark in one for mark in harmless)] == []


REFUSED = KubectlAnswer(code=1, err=DENIED)
FORBIDDEN = KubectlAnswer(
    code=1, err='Error from server (Forbidden): x is forbidden: User "carol" cannot delete resource "x"'
)


@pytest.mark.parametrize(
    ("cluster", "name", "state", "detail"),
    [
        (Cluster(groups=("other",)), "login", WARN, "not in sre"),
        (Cluster(annotations={}), "login", WARN, "the admission policies name no break-glass group"),
        (
            Cluster(extra={"kubectl-stepup.github.io/issuer": ["https://login.example.com"]}),
            "login",
            FAIL,
            "comes with a token of https://login.example.com",
        ),
        (
            Cluster(wrong=lambda words: FORBIDDEN if "--raw" in words else None),
            "login",
            FAIL,
            "the server does not accept it",
        ),
        (
            Cluster(wrong=lambda words: REFUSED if words[0] == "label" else None),
            "passes policies",
            FAIL,
            "cannot do it: rule deletes refuses it",
        ),
        (
            Cluster(wrong=lambda words: FORBIDDEN if words[0] == "delete" else None),
            "removes policies",
            FAIL,
            "cannot do it: Error from server (Forbidden)",
        ),
        (
            Cluster(
                wrong=lambda words: KubectlAnswer(code=0, out="No resources found") if words[0] == "delete" else None
            ),
            "removes policies",
            WARN,
            "there is no binding of our admission policies",
        ),
        (Cluster(allowed=False), "rights", FAIL, "RBAC does not allow: delete pods, get secrets"),
        (
            Cluster(wrong=lambda words: FORBIDDEN if words[1] == "-f" else None),
            "rights",
            FAIL,
            "the server does not say what it may",
        ),
    ],
)
def test_what_would_fail_then_is_found_now(cluster: Cluster, name: str, state: str, detail: str) -> None:
    check = cluster.checks()[name]

    assert check.state == state
    assert detail in check.detail


def test_another_cluster_is_never_asked() -> None:

    cluster = Cluster(resolved=repinned(RESOLVED, server="https://evil.example.com"))

    assert states(cluster) == {"kubeconfig": FAIL}
    assert cluster.sent == []


def test_a_login_of_the_provider_is_tried_no_further() -> None:
    cluster = Cluster(extra={"kubectl-stepup.github.io/issuer": ["https://login.example.com"]})
    cluster.checks()

    assert not [one for one in cluster.sent if "label" in one]


def test_the_runbook_names_file_and_cluster() -> None:
    steps = "\n".join(runbook(CLUSTER, "/safe/break glass.yaml"))

    assert "kubectl --kubeconfig '/safe/break glass.yaml' delete validatingadmissionpolicybindings -l" in steps
    assert "kubectl stepup policy verify --cluster prod-eu" in steps
