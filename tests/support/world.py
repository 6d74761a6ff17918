"""All fakes of one command put together, as `wiring` puts the real things together."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from kubectl_stepup.config.model import Cluster, Config, Provider
from kubectl_stepup.errors import PolicyTooNew, StepUpError
from kubectl_stepup.kubeconfig.context import ResolvedContext
from kubectl_stepup.kubectl.captured_input import CapturedInput
from kubectl_stepup.kubectl.command import KubectlCommand
from kubectl_stepup.kubectl.discovery import APIResource, NamedTable
from kubectl_stepup.oidc.id_token import verify
from kubectl_stepup.policy.model import Policy
from kubectl_stepup.secret import Secret
from kubectl_stepup.sessions.scope import key
from kubectl_stepup.sessions.session import ElevationSession
from kubectl_stepup.sessions.stored_session import Moment
from kubectl_stepup.sessions.stores.memory import MemoryStore
from kubectl_stepup.stepup.authenticate import AuthenticatePorts, Verify, authenticate
from kubectl_stepup.stepup.credential import CredentialPorts
from kubectl_stepup.stepup.elevate import ElevatePorts, Elevation
from kubectl_stepup.stepup.evaluate import Flags
from kubectl_stepup.stepup.execute import ExecutePorts, Wish, execute
from kubectl_stepup.stepup.recorder import Caller, Recorder
from kubectl_stepup.stepup.request import Asked
from kubectl_stepup.stepup.run import RunPorts
from kubectl_stepup.stepup.sessions import SessionPorts
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

Approve = Callable[[Asked], ElevationSession]


class KeptStore(MemoryStore):
    """A store whose sessions outlive a command, as the kernel's do."""

    name = "kernel"


@dataclass
class World:
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
    provider: FakeProvider = field(default_factory=FakeProvider)
    verify: Verify = verify
    discovered: tuple[APIResource, ...] = ()
    named: NamedTable | None = None
    captured: CapturedInput = CapturedInput()  # noqa: RUF009 - a value that never changes
    asked: list[Asked] = field(default_factory=list)
    locked: list[str] = field(default_factory=list)
    lent: list[Elevation] = field(default_factory=list)
    handed: list[Elevation] = field(default_factory=list)
    keeps_session: list[bool] = field(default_factory=list)
    refreshed: list[tuple[str, str]] = field(default_factory=list)
    too_new: PolicyTooNew | None = None
    no_hand_over: StepUpError | None = None
    large_ca: bytes | StepUpError | None = None
    differ: str | None = "/opt/kubectl-stepup"
    reader: FakeProxyReader = field(default_factory=FakeProxyReader)
    unreadable: StepUpError | None = None
    kubeconfig_files: tuple[str, ...] = ("/home/alice/.kube/config",)
    store: MemoryStore = field(init=False)
    recorder: Recorder = field(init=False)

    def __post_init__(self) -> None:
        self.store = KeptStore(now=self.clock.now)
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

    def authenticate(self, asked: Asked) -> ElevationSession:
        self.asked.append(asked)
        return authenticate(asked, self.authenticate_ports()) if self.approve is None else self.approve(asked)

    @contextmanager
    def single_flight(self, session_id: str, answer: Callable[[], Elevation | None]) -> Iterator[Elevation | None]:
        self.locked.append(session_id)
        self.on_lock()
        try:
            yield answer()
        finally:
            self.locked.remove(session_id)

    @contextmanager
    def hand_over(self, directory: str, keeps_session: bool) -> Iterator[Callable[[Elevation], tuple[str, ...]]]:
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

    def large_ca_of(self, resolved: ResolvedContext) -> bytes | None:
        if isinstance(self.large_ca, StepUpError):
            raise self.large_ca
        return self.large_ca

    def kubeconfig(self, flag: str | None) -> FakeKubeconfig:
        return FakeKubeconfig(self.contexts, files=(flag,) if flag else self.kubeconfig_files)

    def expand(self, command: KubectlCommand) -> tuple[KubectlCommand, CapturedInput]:
        return command, self.captured

    def authenticate_ports(self, exec_info: tuple[str, ...] = ()) -> AuthenticatePorts:
        return AuthenticatePorts(
            device_provider=self.provider,
            provider=self.provider,
            verify=self.verify,
            terminal=self.terminal,
            clock=self.clock,
            moment=self.moment,
            random=lambda size: f"random-{size}",
            exec_info=exec_info,
        )

    def elevate_ports(self) -> ElevatePorts:
        return ElevatePorts(
            store=self.store,
            terminal=self.terminal,
            denials=self.denials,
            recorder=self.recorder,
            moment=self.moment,
            single_flight=self.single_flight,
            rests_on=self.rests_on,
            authenticate=self.authenticate,
        )

    def run_ports(self) -> RunPorts:
        return RunPorts(
            elevate=self.elevate_ports(),
            kubectl=self.kubectl,
            environ=self.environ,
            kubeconfig_files=lambda flag: self.kubeconfig(flag).files,
            run_directory=self.kubectl.run_directory,
            hand_over=self.hand_over,
            captured_file=self.kubectl.captured_file,
            large_ca=self.large_ca_of,
            editor=("/opt/python", "unelevated.py"),
            differ=self.differ,
            refresh_policy=self.refresh_policy,
            proxy_reader=self.proxy_reader,
        )

    def proxy_reader(self, cluster: Cluster, resolved: ResolvedContext) -> FakeProxyReader:
        """Make the reader, or fail as `unreadable` says."""
        if self.unreadable is not None:
            raise self.unreadable
        return self.reader

    def refresh_policy(
        self, cluster: Cluster, resolved: ResolvedContext, elevation: Elevation, kubeconfig: str | None
    ) -> None:
        """Note that somebody looked what the cluster publishes; `too_new` is what comes of it."""
        if self.too_new is not None:
            raise self.too_new
        self.refreshed.append((cluster.name, elevation.session.level))

    def execute_ports(self) -> ExecutePorts:
        return ExecutePorts(
            config=self.config,
            policy=self.policy,
            kubeconfig=self.kubeconfig,
            expand=self.expand,
            discover=FakeDiscovery(self.discovered, self.named),
            scope=self.scope,
            run_ports=lambda resolved: self.run_ports(),
        )

    def session_ports(self) -> SessionPorts:
        return SessionPorts(
            config=self.config,
            policy=self.policy,
            store=self.store,
            scope=self.scope,
            moment=self.moment,
            recorder=self.recorder,
            revoke=self.revoke,
            denials=self.denials,
        )

    def revoke(self, provider: Provider, token: Secret) -> bool:
        return self.provider.revoke(token, kind="access_token", client_id=provider.elevated_client_id)

    def credential_ports(self, **environ: str) -> CredentialPorts:
        return CredentialPorts(
            config=self.config,
            policy=self.policy,
            environ={**self.environ, **environ},
            scope=self.scope,
            elevate=self.elevate_ports,
            wants_cluster=lambda session_id: True,
        )

    def execute(self, *words: str, wish: Wish | None = None, flags: Flags | None = None) -> int:
        """Run `kubectl stepup exec -- WORDS`."""
        return execute(words, flags or Flags(), wish or Wish(), self.execute_ports())

    def enrolled(self, *clusters: Cluster) -> Config:
        """Return the config with these clusters."""
        return Config(providers=self.config.providers, clusters=clusters, store=self.config.store)
