"""Ports for the flows that run kubectl, serve it, or look at sessions."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import kubectl_stepup
from kubectl_stepup import environment
from kubectl_stepup.clock import SystemClock
from kubectl_stepup.errors import KubectlFailed, StoreUnavailable
from kubectl_stepup.flows.credential import CredentialPorts
from kubectl_stepup.flows.execute import ExecutePorts
from kubectl_stepup.flows.ports import LentSession
from kubectl_stepup.flows.run import RunPorts
from kubectl_stepup.flows.sessions import SessionPorts
from kubectl_stepup.kube import kubeconfig, kubectl
from kubectl_stepup.kube.lent_file import lend
from kubectl_stepup.kube.time_limit import TimeLimit
from kubectl_stepup.policy.command import read
from kubectl_stepup.policy.spool import Spool
from kubectl_stepup.session import scope
from kubectl_stepup.session.choose import FILES
from kubectl_stepup.session.handover import handed_over
from kubectl_stepup.session.release import DIRECTORY, HANDOVER, KEYRING, STORE
from kubectl_stepup.wiring.launcher import launcher

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import NoReturn

    from kubectl_stepup.config.model import Cluster
    from kubectl_stepup.flows.elevate import Elevation
    from kubectl_stepup.flows.ports import ProxyReader, RunLimit
    from kubectl_stepup.kube.context import ResolvedContext
    from kubectl_stepup.policy.command import KubectlCommand
    from kubectl_stepup.policy.discovery import APIResource, NamedTable
    from kubectl_stepup.wiring.application import Application


def execute_ports(application: Application, *, user_scope: bool = False, online: bool = False) -> ExecutePorts:
    """Give what `exec` and `login` need.

    `user_scope` lets all of the user's terminals use a new session; `online` lets manifests be fetched.
    """
    return ExecutePorts(
        config=application.config,
        policy=application.policy,
        kubeconfig=application.kubeconfig,
        expand=lambda command: expand_manifests(command, application, online=online),
        discover=Discovered(application.environ),
        scope=scope.USER_SCOPE if user_scope else scope.terminal_scope(),
        run_ports=lambda resolved: _run_ports(application, resolved),
    )


def become_local(application: Application, words: Sequence[str]) -> None:
    """Become kubectl for a command that sends nothing: no policy is needed for that. Returns for any other."""
    command = read(words)
    if command.known and command.local:
        RealKubectl(application.environ).replace(words, application.environ)


def session_ports(application: Application) -> SessionPorts:
    """Give what `status` and `logout` need."""
    return SessionPorts(
        config=application.config,
        policy=application.policy,
        store=application.store,
        scope=scope.terminal_scope(),
        moment=scope.moment,
        recorder=application.recorder,
        refusals=application.refusals,
        revoke=lambda provider, token: application.provider(provider).revoke(
            token, kind="access_token", client_id=provider.elevated_client_id
        ),
    )


def credential_ports(application: Application) -> CredentialPorts:
    """Give what `credential` needs off the fast road."""
    return CredentialPorts(
        config=application.config,
        policy=application.policy,
        environ=application.environ,
        scope=scope.terminal_scope(),
        elevate=lambda: application.elevate_ports(None),
    )


def credential_command(where: Sequence[str] = ()) -> tuple[str, ...]:
    """Give the words that start `credential` on the fastest road there is, absolute, whatever the caller's PATH.

    `where` are the arguments that say where the session is: of a socket, which the launcher leaves to Python, the way
    is shorter without it.
    """
    native, frozen = launcher(), getattr(sys, "frozen", False)
    if native is not None and (frozen or HANDOVER not in where):
        return (native, "credential")
    if frozen:
        return (sys.executable, "credential")
    return (sys.executable, "-I", "-S", str(Path(kubectl_stepup.__file__).with_name("fast_path.py")), "credential")


def store_arguments(store: str, state_directory: Path) -> tuple[str, ...]:
    """Say to `credential` where the fast road finds a session that is not in the kernel's keyring."""
    if store == "file":
        return (DIRECTORY, str(state_directory / FILES))
    return (STORE, KEYRING) if store == KEYRING else ()


def _run_ports(application: Application, resolved: ResolvedContext | None) -> RunPorts:
    return RunPorts(
        elevate=application.elevate_ports(resolved),
        kubectl=RealKubectl(application.environ),
        environ=application.environ,
        kubeconfig_files=lambda flag: kubeconfig.files_of(application.environ, flag),
        lend_file=lambda content: lend(content, directory=str(application.runtime_directory)),
        lend_session=lambda elevation: _lend_session(application, elevation),
        refresh_policy=lambda *about: _refresh_policy(application, *about),
        proxy_reader=lambda cluster, context: _proxy_reader(application, cluster, context),
    )


def _proxy_reader(application: Application, cluster: Cluster, resolved: ResolvedContext) -> ProxyReader:
    from kubectl_stepup.wiring.proxy_reading import proxy_reader

    return proxy_reader(cluster, resolved, application.environ)


def _refresh_policy(
    application: Application, cluster: Cluster, resolved: ResolvedContext, elevation: Elevation, flag: str | None
) -> None:
    from kubectl_stepup.wiring.publishing import refresh_policy

    refresh_policy(application, lambda: _run_ports(application, resolved), cluster, resolved, elevation, flag)


class RealKubectl:
    """The kubectl of this machine."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def path(self) -> str:
        """Give its absolute path."""
        return kubectl.find(self._environ, not_this=sys.argv[0])

    def writable_by_others(self) -> str | None:
        """Name what somebody else could replace it by; None: nobody can."""
        return kubectl.writable_by_others(self.path())

    def replace(self, argv: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
        """Become kubectl."""
        kubectl.replace(self.path(), argv, environ)

    def run(
        self,
        argv: Sequence[str],
        environ: Mapping[str, str],
        *,
        pass_fds: Sequence[int] = (),
        stdin: Iterable[bytes] | None = None,
        limit: RunLimit | None = None,
    ) -> int:
        """Run kubectl as a child and give its exit code."""
        time_limit = None
        if limit is not None:
            time_limit = TimeLimit(limit.longest_s, warning_s=limit.warning_s, tell=limit.tell, clock=SystemClock())
        return kubectl.run(self.path(), argv, environ, pass_fds=pass_fds, stdin=stdin, limit=time_limit)


@contextmanager
def _lend_session(application: Application, elevation: Elevation) -> Iterator[LentSession]:
    """Hand the session to the child's process tree, whatever the store.

    kubectl asks its plugin more than once (`-f -`, after a 401), and a long command outlives the time of reuse: what
    was approved for it must then still be there. Where neither way of handing over works, the store serves.
    """
    session = elevation.session
    with ExitStack() as stack:
        try:
            arguments = stack.enter_context(handed_over(session, directory=application.runtime_directory))
        except StoreUnavailable:
            if not elevation.stored:
                raise
            arguments = store_arguments(application.store.name, application.state_directory)
        yield LentSession(credential_command=(*credential_command(arguments), "--session", session.id, *arguments))


class Discovered:
    """What kubectl wrote down about clusters; read where a command needs it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def usual(self, server: str) -> Sequence[APIResource]:
        """Return the resources of a server from kubectl's usual place."""
        from kubectl_stepup.policy import discovery_cache

        return discovery_cache.resources(server, environ=self._environ)

    def named(self, server: str | None, directory: str | None) -> NamedTable | None:
        """Return what the directory says that the command line or the environment names; None: neither does."""
        if not directory and not self._environ.get(environment.KUBECACHEDIR):
            return None
        from kubectl_stepup.policy import discovery_cache

        return discovery_cache.named(server, directory=directory, environ=self._environ)


def expand_manifests(
    command: KubectlCommand, application: Application, *, online: bool = False
) -> tuple[KubectlCommand, Spool]:
    """Add the objects of a command's manifests; without a kubectl to read them it stays as sensitive as it can be."""
    if not command.manifests:
        return command, Spool()
    from kubectl_stepup.policy.manifest import expand

    try:
        return expand(command, kubectl=RealKubectl(application.environ).path(), online=online)
    except KubectlFailed:
        return command, Spool()
