"""One App of fakes: one machine, one person, one provider and one cluster."""
# What is a cached property of the App is a field here.
# mypy: disable-error-code="assignment, override, misc, arg-type"

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from kubectl_stepup.config.model import Cluster, Config
from kubectl_stepup.errors import PolicyTooNew, StepUpError
from kubectl_stepup.kubeconfig.context import ResolvedContext
from kubectl_stepup.kubectl.captured_input import CapturedInput
from kubectl_stepup.kubectl.command import KubectlCommand
from kubectl_stepup.kubectl.discovery import APIResource, NamedTable
from kubectl_stepup.policy.model import Policy
from kubectl_stepup.sessions.scope import key
from kubectl_stepup.sessions.session import ElevationSession
from kubectl_stepup.sessions.stored_session import Moment
from kubectl_stepup.sessions.stores.memory import MemoryStore
from kubectl_stepup.stepup.app import App
from kubectl_stepup.stepup.elevate import Elevation
from kubectl_stepup.stepup.options import Settings, StepUpOptions, TargetOptions
from kubectl_stepup.stepup.recorder import Caller, Recorder
from kubectl_stepup.stepup.request import StepUpRequest
from kubectl_stepup.stepup.run import run
from kubectl_stepup.stepup.sessions import StoredSessions
from tests.support.fakes import (
    FakeDiscovery,
    FakeKubeconfig,
    FakeKubectl,
    FakeProvider,
    FakeProxyReader,
    FakeTerminal,
    RecordingAuditLog,
    RefusalNotes,
)
from tests.support.provider.clock import FakeClock
from tests.support.values import BOOT_ID, CONFIG, POLICY, RESOLVED, TERMINAL_SCOPE

Approve = Callable[[StepUpRequest], ElevationSession]


class KeptStore(MemoryStore):
    """A store whose sessions outlive a command, as the kernel's do."""

    name = "kernel"


@dataclass(eq=False)
class World(App):
    """One machine, one person, one provider and one cluster.

    `approve` stands for asking the provider; None asks `provider` by the real flow. `on_lock` is called when the lock
    is got: what other processes did meanwhile.
    """

    config: Config = CONFIG
    policy: Policy = POLICY
    contexts: tuple[ResolvedContext, ...] = (RESOLVED,)
    approve: Approve | None = None
    on_lock: Callable[[], None] = lambda: None
    environ: dict[str, str] = field(default_factory=lambda: {"PATH": "/usr/bin", "HOME": "/home/alice"})
    scope: str = TERMINAL_SCOPE
    clock: FakeClock = field(default_factory=FakeClock)
    terminal: FakeTerminal = field(default_factory=FakeTerminal)
    audit: RecordingAuditLog = field(default_factory=RecordingAuditLog)
    denials: RefusalNotes = field(default_factory=RefusalNotes)
    rests_on: str = "-"
    kubectl: FakeKubectl = field(default_factory=FakeKubectl)
    provider: Any = field(default_factory=FakeProvider)
    settings: Settings = field(default_factory=Settings)
    discovered: tuple[APIResource, ...] = ()
    named: NamedTable | None = None
    captured: CapturedInput = CapturedInput()  # noqa: RUF009 - a value that never changes
    asked: list[StepUpRequest] = field(default_factory=list)
    locked: list[str] = field(default_factory=list)
    lent: list[Elevation] = field(default_factory=list)
    handed: list[Elevation] = field(default_factory=list)
    keeps_session: list[bool] = field(default_factory=list)
    refreshed: list[tuple[str, str]] = field(default_factory=list)
    too_new: PolicyTooNew | None = None
    no_hand_over: StepUpError | None = None
    many_cas: bytes | StepUpError | None = None
    differ: str | None = "/opt/kubectl-stepup"
    editor: Sequence[str] = ("/opt/python", "unelevated.py")
    reader: FakeProxyReader = field(default_factory=FakeProxyReader)
    unreadable: StepUpError | None = None
    kubeconfig_files: tuple[str, ...] = ("/home/alice/.kube/config",)
    store: MemoryStore = field(init=False)
    discovery: Any = field(init=False)
    recorder: Recorder = field(init=False)

    def __post_init__(self) -> None:
        self.store = KeptStore(now=self.clock.now)
        self.discovery = FakeDiscovery(self.discovered, self.named)
        self.random = lambda size: f"random-{size}"
        ids = itertools.count(1)
        self.recorder = Recorder(
            audit=self.audit,
            terminal=self.terminal,
            clock=self.clock,
            caller=Caller(pid=4711, terminal="/dev/pts/3"),
            new_id=lambda: f"id-{next(ids)}",
            required=lambda: self.config.record == "required",
        )

    def moment(self) -> Moment:
        return Moment(wall=self.clock.now(), boottime=self.clock.monotonic(), boot_id=BOOT_ID)

    def put(self, session: ElevationSession, scope: str | None = None) -> None:
        """Put a session into the store."""
        self.store.put(key(session.id, scope or self.scope), session.to_record(), session.token_expires_at)

    def authenticate(self, request: StepUpRequest) -> ElevationSession:
        self.asked.append(request)
        return super().authenticate(request) if self.approve is None else self.approve(request)

    @contextmanager
    def single_flight(self, session_id: str, find: Callable[[], Elevation | None]) -> Iterator[Elevation | None]:
        self.locked.append(session_id)
        self.on_lock()
        try:
            yield find()
        finally:
            self.locked.remove(session_id)

    @contextmanager
    def hand_over(self, directory: str, *, keeps_session: bool) -> Iterator[Callable[[Elevation], Sequence[str]]]:
        """Hand sessions over for as long as the context lasts; `no_hand_over` says why that cannot be."""
        if self.no_hand_over is not None:
            raise self.no_hand_over

        self.keeps_session.append(keeps_session)

        def give(elevation: Elevation) -> tuple[str, ...]:
            self.handed.append(elevation)
            self.lent.append(elevation)
            return ("/opt/kubectl-stepup", "credential", "--session", elevation.session.id)

        try:
            yield give
        finally:
            self.lent.clear()

    def large_ca(self, resolved: ResolvedContext) -> bytes | None:
        if isinstance(self.many_cas, StepUpError):
            raise self.many_cas
        return self.many_cas

    def kubeconfig(self, flag: str | None) -> FakeKubeconfig:
        return FakeKubeconfig(self.contexts, files=(flag,) if flag else self.kubeconfig_files)

    def expand(self, command: KubectlCommand, *, online: bool = False) -> tuple[KubectlCommand, CapturedInput]:
        return command, self.captured

    def exec_info(self, request: StepUpRequest) -> tuple[str, ...]:
        return ()

    def proxy_reader(self, request: StepUpRequest) -> FakeProxyReader:
        """Make the reader, or fail as `unreadable` says."""
        if self.unreadable is not None:
            raise self.unreadable
        return self.reader

    def refresh_policy(self, request: StepUpRequest, elevation: Elevation, kubeconfig: str | None) -> None:
        """Note that somebody looked what the cluster publishes; `too_new` is what comes of it."""
        if self.too_new is not None:
            raise self.too_new
        self.refreshed.append((request.cluster.name, elevation.session.level))

    def sessions(self) -> StoredSessions:
        """Return the stored sessions."""
        return StoredSessions.of(self)

    def execute(self, *words: str, options: StepUpOptions | None = None, target: TargetOptions | None = None) -> int:
        """Run `kubectl stepup exec -- WORDS`."""
        return run(words, target or TargetOptions(), options or StepUpOptions(), self)

    def enrolled(self, *clusters: Cluster) -> Config:
        """Return the config with these clusters."""
        return Config(providers=self.config.providers, clusters=clusters, store=self.config.store)
