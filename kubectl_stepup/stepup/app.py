"""The App: what is outside this program, handed to every use case. Each part is made when it is first used."""

from __future__ import annotations

import contextlib
import os
import secrets
import uuid
from functools import cached_property
from typing import TYPE_CHECKING

from kubectl_stepup import environment
from kubectl_stepup.clock import SystemClock
from kubectl_stepup.config import files
from kubectl_stepup.config.model import not_enrolled
from kubectl_stepup.errors import ConfigError, KubeconfigError, KubectlFailed
from kubectl_stepup.sessions import scope
from kubectl_stepup.stepup.files_in_force import FilesInForce

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from kubectl_stepup.audit.sinks.absent import NoAuditLog
    from kubectl_stepup.audit.sinks.file import AuditLog
    from kubectl_stepup.clock import Clock
    from kubectl_stepup.config.model import Cluster, Provider
    from kubectl_stepup.kubeconfig.context import ResolvedContext
    from kubectl_stepup.kubectl.captured_input import CapturedInput
    from kubectl_stepup.kubectl.command import KubectlCommand
    from kubectl_stepup.kubectl.discovery_cache import Discovery
    from kubectl_stepup.kubectl.installed import InstalledKubectl
    from kubectl_stepup.oidc.provider import OIDCProvider
    from kubectl_stepup.sessions.denial_cache import DenialCache
    from kubectl_stepup.sessions.session import ElevationSession
    from kubectl_stepup.sessions.stored_session import Moment
    from kubectl_stepup.sessions.stores.interface import SessionStore
    from kubectl_stepup.stepup.elevate import Elevation
    from kubectl_stepup.stepup.options import Settings
    from kubectl_stepup.stepup.proxy_reader import ProxyReader
    from kubectl_stepup.stepup.recorder import Recorder
    from kubectl_stepup.stepup.request import StepUpRequest
    from kubectl_stepup.ui.terminal import Terminal


class App(FilesInForce):
    """What is outside: clock, terminal, transport, store, kubectl, audit sink, environment; and the files in force.

    Each part is made when it is first used. `from_credential`: kubectl started us as its plugin, so a prompt
    goes to the terminal by its name. A test puts its own in place of a part by assigning the attribute.
    """

    def __init__(self, settings: Settings, environ: Mapping[str, str], *, from_credential: bool = False) -> None:
        super().__init__(settings, environ)
        self.from_credential = from_credential
        self.clock: Clock = SystemClock()
        self.random: Callable[[int], str] = secrets.token_urlsafe

    @cached_property
    def kubectl(self) -> InstalledKubectl:
        """The kubectl of this machine."""
        from kubectl_stepup.kubectl.installed import InstalledKubectl

        return InstalledKubectl(self.environ, lambda: self.runtime_directory)

    @cached_property
    def discovery(self) -> Discovery:
        """What kubectl wrote down about the resources of clusters."""
        from kubectl_stepup.kubectl.discovery_cache import Discovery

        return Discovery(self.environ)

    def expand(self, command: KubectlCommand, *, online: bool = False) -> tuple[KubectlCommand, CapturedInput]:
        """Add the objects of a command's manifests; without a kubectl to read them it stays as sensitive as it can be.

        `online` lets manifests be fetched.
        """
        from kubectl_stepup.kubectl.captured_input import NOTHING

        if not command.manifests:
            return command, NOTHING
        from kubectl_stepup.kubectl.manifest import expand

        try:
            return expand(command, kubectl=self.kubectl.path(), online=online)
        except KubectlFailed:
            return command, NOTHING

    @cached_property
    def terminal(self) -> Terminal:
        """Where people read and are read."""
        from kubectl_stepup.ui.terminal import Terminal

        return Terminal(
            environ=self.environ,
            quiet=self.settings.quiet,
            verbose=self.settings.verbose > 0,
            no_input=self.settings.no_input,
            controlling=self.from_credential,
        )

    @cached_property
    def recorder(self) -> Recorder:
        """Writes the audit events of what was asked, proven and run."""
        from kubectl_stepup.stepup.recorder import Caller, Recorder
        from kubectl_stepup.ui.terminal import terminal_name

        return Recorder(
            audit=self.audit,
            terminal=self.terminal,
            clock=self.clock,
            caller=Caller(
                pid=os.getpid(), terminal=terminal_name(), parent=self.environ.get(environment.NESTED) or None
            ),
            new_id=lambda: str(uuid.uuid4()),
            required=lambda: self.config.record == "required",
        )

    @cached_property
    def audit(self) -> AuditLog | NoAuditLog:
        """The audit log file; without a home there is no place for one, which is said when it is needed."""
        from kubectl_stepup.audit.sinks.absent import NoAuditLog
        from kubectl_stepup.audit.sinks.file import AuditLog

        try:
            return AuditLog(self.state_directory / "audit.jsonl", clock=self.clock)
        except ConfigError as exc:
            return NoAuditLog(exc.message)

    @cached_property
    def store(self) -> SessionStore:
        """The session store of the config, opened when it is first used; a fallback is said in one line."""
        from kubectl_stepup.sessions.stores.choose import LazyStore

        return LazyStore(self.opened_store)

    def opened_store(self, *, quietly: bool = False) -> SessionStore:
        """Open the session store of the config; `quietly` says nothing where another takes its place."""
        from kubectl_stepup.sessions.guarded_memory import guard_memory
        from kubectl_stepup.sessions.stores.choose import choose

        guard_memory()
        chosen = choose(self.config.store, state_directory=self.state_directory, environ=self.environ)
        if chosen.notice and not quietly and not self.from_credential:
            self.terminal.line(chosen.notice)
        return chosen.store

    @cached_property
    def scope(self) -> str:
        """Who may use the sessions of this process: its terminal."""
        return scope.terminal_scope()

    def moment(self) -> Moment:
        """Read the clocks that a session's time is measured by."""
        return scope.moment()

    @cached_property
    def denials(self) -> DenialCache:
        """What was denied or ended lately."""
        from kubectl_stepup.sessions.denial_cache import DenialCache

        return DenialCache(lambda: self.runtime_directory, scope.process_started_boottime(), scope.moment)

    def provider(self, provider: Provider) -> OIDCProvider:
        """Return the identity provider's client.

        Raises:
            ConfigError: its CA cannot be used, or others can replace it.
        """
        from kubectl_stepup.oidc.provider import OIDCProvider
        from kubectl_stepup.oidc.transport import Transport
        from kubectl_stepup.sessions.guarded_memory import guard_memory

        guard_memory()
        if provider.ca_file is not None:
            files.require_trusted_ca(provider.ca_file)
        return OIDCProvider(
            issuer=provider.issuer,
            transport=Transport(
                environ=self.environ,
                ca_file=provider.ca_file,
                ca_data=provider.ca_data,
                trace=self.terminal.detail if self.settings.verbose > 1 else None,
                notice=self.terminal.line,
            ),
            clock=self.clock,
            endpoint_hosts=provider.preset.endpoint_hosts,
            verification_hosts=provider.preset.verification_hosts,
        )

    def authenticate(self, request: StepUpRequest) -> ElevationSession:
        """Ask the person through the provider, and prove the answer; its libraries take longest to import."""
        from kubectl_stepup.stepup.authenticate import authenticate

        return authenticate(request, self)

    def single_flight(
        self, session_id: str, find: Callable[[], Elevation | None]
    ) -> AbstractContextManager[Elevation | None]:
        """Let one process at a time ask for a session."""
        from kubectl_stepup.stepup.single_flight import single_flight

        return single_flight(session_id, find, self)

    def hand_over(
        self, directory: str, *, keeps_session: bool
    ) -> AbstractContextManager[Callable[[Elevation], Sequence[str]]]:
        """Prepare a way to hand a session to the processes of a run."""
        from kubectl_stepup.stepup.own_programs import hand_over

        return hand_over(self, directory, keeps_session=keeps_session)

    def large_ca(self, resolved: ResolvedContext) -> bytes | None:
        """Return the CA certificates that are too many for client-go to tell a plugin, None where they are not."""
        from kubectl_stepup.kubeconfig.exec_info import large_ca

        return large_ca(resolved)

    @cached_property
    def editor(self) -> Sequence[str]:
        """The words that start our program which becomes the person's editor, with the everyday login."""
        from kubectl_stepup.stepup.own_programs import unelevated

        return unelevated()

    @cached_property
    def differ(self) -> str | None:
        """The path of our program which becomes the person's differ; None: there is none."""
        from kubectl_stepup.stepup.own_programs import differ

        return differ()

    def proxy_reader(self, request: StepUpRequest) -> ProxyReader:
        """Return what reads through a proxy subresource in kubectl's place."""
        from kubectl_stepup.stepup.proxy_reader import proxy_reader

        return proxy_reader(request.cluster, request.required_context, self.environ)

    def refresh_policy(self, request: StepUpRequest, elevation: Elevation, kubeconfig: str | None) -> None:
        """Look what the request's cluster publishes; `kubeconfig` is the flag of that name."""
        from kubectl_stepup.stepup.published_policy import refresh

        refresh(request, elevation, kubeconfig, self)

    def exec_info(self, request: StepUpRequest) -> tuple[str, ...]:
        """Return the digests of what client-go will tell `credential` of the request's cluster (fast path)."""
        from kubectl_stepup.kubeconfig.exec_info import digests

        resolved = request.resolved
        if resolved is None:  # a static entry: client-go names the cluster, but not byte by byte as it will be
            with contextlib.suppress(KubeconfigError):
                resolved = self.kubeconfig(None).resolve(request.context)
        return () if resolved is None else digests(resolved)

    def clusters(self, context: str | None) -> tuple[Cluster, ...]:
        """Return the enrolled clusters, or the one of a context.

        Raises:
            NotEnrolled: the context is none of them.
        """
        if context is None:
            return self.config.clusters
        cluster = self.config.cluster_for_context(context) or self.config.cluster(context)
        if cluster is None:
            raise not_enrolled(context)
        return (cluster,)
