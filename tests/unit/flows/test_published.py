"""After a step-up the cluster's own policy is looked for; whatever comes of it, nothing is forgotten in silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from kubectl_stepup.errors import KubectlFailed, PolicyError, PolicyTooNew, StepUpError
from kubectl_stepup.flows.elevate import Elevation
from kubectl_stepup.flows.execute import Wish
from kubectl_stepup.flows.login import login
from kubectl_stepup.flows.ports import LentFile, LentSession
from kubectl_stepup.flows.published import PublishedPorts, refresh
from tests.flows.fakes import FakeTerminal, Lent
from tests.flows.values import CLUSTER, RESOLVED, session
from tests.flows.world import World


@dataclass
class Cluster:
    """What a cluster publishes, and what is kept of it."""

    text: str | None = "a policy"
    fails: StepUpError | None = None
    refuses: StepUpError | None = None
    terminal: FakeTerminal = field(default_factory=FakeTerminal)
    kept: list[tuple[str, str | None]] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=dict)
    fds: tuple[int, ...] = ()

    def fetch(self, environ: Mapping[str, str], pass_fds: Sequence[int]) -> str | None:
        self.environ, self.fds = dict(environ), tuple(pass_fds)
        if self.fails is not None:
            raise self.fails
        return self.text

    def keep(self, name: str, text: str | None) -> bool:
        if self.refuses is not None:
            raise self.refuses
        self.kept.append((name, text))
        return len(self.kept) == 1

    @contextmanager
    def lend_file(self, content: bytes) -> Iterator[LentFile]:
        assert b"stepup" in content
        yield Lent(path="/overlay", pass_fds=(7,))

    @contextmanager
    def lend_session(self, elevation: Elevation) -> Iterator[LentSession]:
        yield LentSession(credential_command=("python", "credential", "--session", elevation.session.id))

    def refresh(self) -> None:
        elevation = Elevation(session=session(), reused=False, audit_id="a", stored=True)
        ports = PublishedPorts(
            terminal=self.terminal,
            environ={"PATH": "/usr/bin"},
            kubeconfig_files=lambda flag: [flag or "/home/alice/.kube/config"],
            lend_file=self.lend_file,
            lend_session=self.lend_session,
            fetch=self.fetch,
            keep=self.keep,
        )
        refresh(CLUSTER, RESOLVED, elevation, None, ports)


def test_it_is_fetched_with_the_elevated_login_and_kept() -> None:
    cluster = Cluster()
    cluster.refresh()

    assert cluster.environ["KUBECONFIG"] == "/overlay:/home/alice/.kube/config"
    assert cluster.fds == (7,)
    assert cluster.kept == [(CLUSTER.name, "a policy")]
    assert cluster.terminal.said == []


def test_what_is_not_there_is_kept_as_such() -> None:
    cluster = Cluster(text=None)
    cluster.refresh()

    assert cluster.kept == [(CLUSTER.name, None)]


def test_where_it_cannot_be_read_what_was_kept_goes_on_counting() -> None:
    cluster = Cluster(fails=KubectlFailed("no right"))
    cluster.refresh()

    assert (cluster.kept, cluster.terminal.said) == ([], [])


def test_what_is_no_policy_is_ignored_and_said() -> None:
    cluster = Cluster(refuses=PolicyError("prod (published):3: 'x' is unknown"))
    cluster.refresh()

    assert cluster.terminal.said == ["warning: the published policy is ignored: prod (published):3: 'x' is unknown"]


def test_a_cluster_that_wants_a_later_client_is_obeyed() -> None:
    with pytest.raises(PolicyTooNew):
        Cluster(refuses=PolicyTooNew("needs 99.0")).refresh()


def test_it_is_looked_for_once_a_step_up() -> None:
    world = World(approve=lambda asked: session())

    world.execute("delete", "pod", "web-0")
    world.execute("delete", "pod", "web-1")

    assert len(world.refreshed) == 1
    login(None, None, Wish(fresh=True), world.execute_ports())
    assert len(world.refreshed) == 2


def test_a_command_does_not_run_where_the_cluster_wants_a_later_client() -> None:
    world = World(approve=lambda asked: session())
    world.too_new = PolicyTooNew("prod (published):1: this policy needs kubectl-stepup 99.0 or later")

    with pytest.raises(PolicyTooNew):
        world.execute("delete", "pod", "web-0")

    assert world.kubectl.ran == []
    assert world.audit.events[-1].result == "client-too-old"
