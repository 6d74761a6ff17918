"""The App: what is outside this program, handed to every use case. Each part is made when it is first used."""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import sys
import uuid
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_stepup import environment
from kubectl_stepup.clock import SystemClock
from kubectl_stepup.config import files, places
from kubectl_stepup.config.document import config_of
from kubectl_stepup.errors import ConfigError, KubeconfigError, NotEnrolled
from kubectl_stepup.kubeconfig import config_v1
from kubectl_stepup.kubeconfig import load as kubeconfig_edge
from kubectl_stepup.sessions import scope
from kubectl_stepup.wiring.files_in_force import files_in_force
from kubectl_stepup.yaml_edit import yaml_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_stepup.audit.sinks.absent import NoAuditLog
    from kubectl_stepup.audit.sinks.file import AuditLog
    from kubectl_stepup.config.model import Cluster, Config, Provider
    from kubectl_stepup.kubeconfig.context import ResolvedContext
    from kubectl_stepup.kubeconfig.load import Kubeconfig
    from kubectl_stepup.oidc.provider import OIDCProvider
    from kubectl_stepup.policy.model import Policy
    from kubectl_stepup.sessions.denial_cache import DenialCache
    from kubectl_stepup.sessions.session import ElevationSession
    from kubectl_stepup.sessions.stores.interface import SessionStore
    from kubectl_stepup.stepup.elevate import ElevatePorts
    from kubectl_stepup.stepup.recorder import Recorder
    from kubectl_stepup.stepup.request import Asked
    from kubectl_stepup.ui.terminal import Terminal
    from kubectl_stepup.wiring.real_kubectl import RealKubectl
    from kubectl_stepup.yaml_edit.node import Node


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the command line says about this program itself."""

    config: str | None = None
    policy: str | None = None
    quiet: bool = False
    verbose: int = 0
    no_input: bool = False
    from_credential: bool = False


class App:
    """What is outside: clock, terminal, transport, store, kubectl, audit sink, environment; and the files in force.

    Each part is made when it is first used. A test puts its own in place of one by assigning the attribute.
    """

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self.settings = settings
        self.environ = environ
        self.clock = SystemClock()
        # Before any of these files is read: one that is changed meanwhile is another one then.
        self.rests_on = files_in_force(environ, config=settings.config, policy=settings.policy)

    # -- files ----------------------------------------------------------------------------------------------------

    @cached_property
    def config(self) -> Config:
        """The enrolled providers and clusters."""
        return self.read_config()

    def read_config(self) -> Config:
        """Read the config files as they are now."""
        pair = files.config_files(self.environ, self.settings.config)
        return config_of(_node(pair.system), _node(pair.user))

    @cached_property
    def policy(self) -> Policy:
        """The policy in force: this machine's files, and what clusters publish."""
        from kubectl_stepup.wiring.policies import policy_in_force

        return policy_in_force(self.environ, self.settings.policy)

    @cached_property
    def own_policy(self) -> Policy:
        """The policy of this machine's files alone: what a server's objects are made of."""
        from kubectl_stepup.wiring.policies import own_policy

        return own_policy(self.environ, self.settings.policy)

    def kubeconfig(self, flag: str | None) -> Kubeconfig:
        """Read the kubeconfig files for their names: users are without credentials where a file was read before."""
        from kubectl_stepup.wiring.kubeconfig_names import NamesParse

        directory = places.cache_directory(self.environ, platform=sys.platform)
        parse = config_v1.parse if directory is None else NamesParse(directory, config_v1.parse)
        return kubeconfig_edge.load(self.environ, flag, parse=parse)

    def whole_kubeconfig(self, flag: str | None) -> Kubeconfig:
        """Read the kubeconfig files with all that is in them."""
        return kubeconfig_edge.load(self.environ, flag)

    @cached_property
    def state_directory(self) -> Path:
        """Where the audit record lives."""
        named = places.state_directory(self.environ, platform=sys.platform)
        if named is None:
            raise ConfigError("there is no place for the audit record: neither HOME nor XDG_STATE_HOME is set")
        return Path(named)

    @cached_property
    def runtime_directory(self) -> Path:
        """Where locks and short-lived files live."""
        from kubectl_stepup.kubeconfig import run_directory
        from kubectl_stepup.sessions.runtime_directory import clear_away, runtime_directory

        directory = runtime_directory(self.environ, state_directory=self.state_directory)
        clear_away(directory)
        run_directory.clear_away(str(directory))
        return directory

    @cached_property
    def kubectl(self) -> RealKubectl:
        """The kubectl of this process."""
        from kubectl_stepup.wiring.real_kubectl import RealKubectl

        return RealKubectl(self.environ)

    # -- people ---------------------------------------------------------------------------------------------------

    @cached_property
    def terminal(self) -> Terminal:
        """Where people read and are read."""
        from kubectl_stepup.ui.terminal import Terminal

        return Terminal(
            environ=self.environ,
            quiet=self.settings.quiet,
            verbose=self.settings.verbose > 0,
            no_input=self.settings.no_input,
            controlling=self.settings.from_credential,
        )

    @cached_property
    def recorder(self) -> Recorder:
        """The record of what was asked, proven and run."""
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

    # -- sessions -------------------------------------------------------------------------------------------------

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
        if chosen.notice and not quietly and not self.settings.from_credential:
            self.terminal.line(chosen.notice)
        return chosen.store

    @cached_property
    def denials(self) -> DenialCache:
        """What was refused or ended lately."""
        from kubectl_stepup.sessions.denial_cache import DenialCache

        return DenialCache(lambda: self.runtime_directory, scope.process_started_boottime(), scope.moment)

    # -- providers ------------------------------------------------------------------------------------------------

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

    def authenticate(self, asked: Asked, resolved: ResolvedContext | None) -> ElevationSession:
        """Ask the provider and prove the answer."""
        from kubectl_stepup.oidc.id_token import verify
        from kubectl_stepup.stepup.authenticate import AuthenticatePorts, authenticate
        from kubectl_stepup.wiring.exec_info import digests

        client = self.provider(asked.provider)
        if resolved is None:  # a static entry: client-go names the cluster, but not byte by byte as it will be
            with contextlib.suppress(KubeconfigError):
                resolved = self.kubeconfig(None).resolve(asked.context)
        return authenticate(
            asked,
            AuthenticatePorts(
                device_provider=client,
                provider=client,
                verify=verify,
                terminal=self.terminal,
                clock=self.clock,
                moment=scope.moment,
                random=secrets.token_urlsafe,
                exec_info=() if resolved is None else digests(resolved),
            ),
        )

    def elevate_ports(self, resolved: ResolvedContext | None) -> ElevatePorts:
        """Return what stepping up needs; `resolved` is the context that the session is for, where it is known."""
        from kubectl_stepup.stepup.elevate import ElevatePorts
        from kubectl_stepup.wiring.single_flight import single_flight

        return ElevatePorts(
            store=self.store,
            terminal=self.terminal,
            denials=self.denials,
            recorder=self.recorder,
            moment=scope.moment,
            single_flight=lambda session_id, find: single_flight(
                session_id, find, directory=self.runtime_directory, terminal=self.terminal, clock=self.clock
            ),
            rests_on=self.rests_on,
            authenticate=lambda asked: self.authenticate(asked, resolved),
        )

    def clusters(self, context: str | None) -> tuple[Cluster, ...]:
        """Return the enrolled clusters, or the one of a context.

        Raises:
            NotEnrolled: the context is none of them.
        """
        if context is None:
            return self.config.clusters
        cluster = self.config.cluster_for_context(context) or self.config.cluster(context)
        if cluster is None:
            raise NotEnrolled(
                f"context {context} is not enrolled",
                hint=f"kubectl stepup setup --context {shlex.quote(context)} --issuer URL --client-id ID",
            )
        return (cluster,)


def _node(file: files.TrustedFile | None) -> Node | None:
    return None if file is None else yaml_file.parse(file.data, file.path)
