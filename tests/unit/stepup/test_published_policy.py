"""After a step-up the cluster's own policy is looked for; whatever comes of it, nothing is forgotten in silence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from kubectl_stepup.errors import PolicyError, PolicyTooNew, StepUpError
from kubectl_stepup.policy import published_file
from kubectl_stepup.stepup.elevate import Elevation
from kubectl_stepup.stepup.login import login
from kubectl_stepup.stepup.options import StepUpOptions, TargetOptions
from kubectl_stepup.stepup.published_policy import refresh
from kubectl_stepup.trusted_file import Untrusted
from tests.support.fakes import FakeKubectl
from tests.support.values import CLUSTER, RESOLVED, asked, session
from tests.support.world import World

ANSWER = json.dumps({"data": {"policy.yaml": "a policy"}}).encode()


@dataclass
class Cluster:
    """What a cluster answers, and what is kept of it."""

    answers: tuple[int, bytes, bytes] = (0, ANSWER, b"")
    refuses: StepUpError | None = None
    world: World = field(default_factory=World)
    kept: list[tuple[str, str | None]] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=dict)

    def answer(self, words: Sequence[str], environ: Mapping[str, str], *, within_s: float) -> tuple[int, bytes, bytes]:
        assert list(words[:3]) == ["get", "configmap", "kubectl-stepup-policy"]
        self.environ = dict(environ)
        return self.answers

    def keep(self, path: str, name: str, text: str | None, *, clock: object) -> bool:
        if self.refuses is not None:
            raise self.refuses
        self.kept.append((name, text))
        return True

    def refresh(self) -> list[str]:
        """Return what the person was told."""
        elevation = Elevation(session=session(), reused=False, stored=True)
        self.world.kubectl.answer = self.answer
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(published_file, "parsed", lambda text, name: None)
            patch.setattr(published_file, "keep", self.keep)
            refresh(asked(resolved=RESOLVED), elevation, None, self.world)
        return self.world.terminal.said


def test_a_kubectl_that_others_can_replace_does_not_fetch_it() -> None:
    """Whoever leads here, `login` or a command."""
    fault = Untrusted("/opt/bin", "can be changed by other users", "chmod go-w /opt/bin")
    cluster = Cluster(world=World(kubectl=FakeKubectl(writable=fault)))
    cluster.refresh()
    assert (cluster.environ, cluster.kept, cluster.world.lent) == ({}, [], [])


def test_it_is_fetched_with_the_elevated_login_and_kept() -> None:
    cluster = Cluster()

    assert cluster.refresh() == []
    overlay, *others = cluster.environ["KUBECONFIG"].split(":")
    assert (overlay, others) == ("/run/user/1000/kubectl-stepup/run-1/overlay", ["/home/alice/.kube/config"])
    assert cluster.kept == [(CLUSTER.name, "a policy")]


@pytest.mark.parametrize(
    "err",
    [
        b'Error from server (NotFound): configmaps "kubectl-stepup-policy" not found',
        b'Warning: old API\nError from server (NotFound): configmaps "kubectl-stepup-policy" not found\n',
        b'Error from server (Forbidden): configmaps "kubectl-stepup-policy" is forbidden: User "alice" cannot get '
        b'resource "configmaps" in API group "" in the namespace "kube-public"\n',
    ],
)
def test_what_the_server_says_was_taken_back_is_forgotten(err: bytes) -> None:
    cluster = Cluster((1, b"", err))

    assert cluster.refresh() == []
    assert cluster.kept == [(CLUSTER.name, None)]


@pytest.mark.parametrize(
    "answers",
    [
        (1, b"", b"Error from server (Forbidden): no"),
        # Of a proxy on the way, of no network, of a sign-in that is not known, of another object.
        (1, b"", b"Error from server (Forbidden): <html>forbidden by policy</html>"),
        (1, b"", b"Error from server (NotFound): the server could not find the requested resource"),
        (1, b"", b"error: You must be logged in to the server (Unauthorized)"),
        (1, b"", b"Unable to connect to the server: dial tcp 127.0.0.1:1: connect: connection refused"),
        (1, b"", b'x Error from server (NotFound): configmaps "kubectl-stepup-policy" not found'),
        (1, b"", b'Error from server (NotFound): configmaps "kubectl-stepup-policy-2" not found'),
        (124, b"", b""),
        (0, b"no JSON", b""),
        (0, b"[]", b""),
        (0, b'{"data": {}}', b""),
        (0, b'{"data": {"policy.yaml": 7}}', b""),
        (0, json.dumps({"data": {"policy.yaml": "x" * (1 << 21)}}).encode(), b""),
    ],
)
def test_where_it_cannot_be_read_what_was_kept_goes_on_counting(answers: tuple[int, bytes, bytes]) -> None:
    cluster = Cluster(answers)

    assert (cluster.refresh(), cluster.kept) == ([], [])


def test_what_is_no_policy_is_ignored_and_said() -> None:
    cluster = Cluster(refuses=PolicyError("prod (published):3: 'x' is unknown"))

    assert cluster.refresh() == ["warning: the published policy is ignored: prod (published):3: 'x' is unknown"]


def test_a_cluster_that_wants_a_later_client_is_obeyed() -> None:
    with pytest.raises(PolicyTooNew):
        Cluster(refuses=PolicyTooNew("needs 99.0")).refresh()


def test_it_is_looked_for_once_a_step_up() -> None:
    world = World(approve=lambda asked: session())

    world.execute("delete", "pod", "web-0")
    world.execute("delete", "pod", "web-1")

    assert len(world.refreshed) == 1
    login(TargetOptions(), StepUpOptions(fresh=True), world, scope=world.scope)
    assert len(world.refreshed) == 2


def test_a_command_does_not_run_where_the_cluster_wants_a_later_client() -> None:
    world = World(approve=lambda asked: session())
    world.too_new = PolicyTooNew("prod (published):1: this policy needs kubectl-stepup 99.0 or later")

    with pytest.raises(PolicyTooNew):
        world.execute("delete", "pod", "web-0")

    assert world.kubectl.ran == []
    assert world.audit.events[-1].result == "client-too-old"
