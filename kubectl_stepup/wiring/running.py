"""Ports for the flows that run kubectl, serve it, or look at sessions."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import kubectl_stepup
from kubectl_stepup import environment
from kubectl_stepup.errors import KubeconfigError, KubectlFailed, StepUpError, StoreUnavailable
from kubectl_stepup.kubeconfig import load
from kubectl_stepup.kubeconfig.run_directory import run_directory
from kubectl_stepup.kubectl import process
from kubectl_stepup.kubectl.captured_file import memory_file, needs_a_path
from kubectl_stepup.kubectl.captured_input import CapturedInput
from kubectl_stepup.kubectl.command import read
from kubectl_stepup.sessions import scope
from kubectl_stepup.sessions.hand_over import prepared
from kubectl_stepup.sessions.release_credential import DIRECTORY, HANDOVER, KEYRING, STORE
from kubectl_stepup.sessions.stores.choose import FILES
from kubectl_stepup.stepup.credential import CredentialPorts
from kubectl_stepup.stepup.execute import ExecutePorts
from kubectl_stepup.stepup.ports import CapturedFile
from kubectl_stepup.stepup.run import RunPorts
from kubectl_stepup.stepup.sessions import SessionPorts
from kubectl_stepup.wiring.exec_info import large_ca
from kubectl_stepup.wiring.launcher import launcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from kubectl_stepup.config.model import Cluster
    from kubectl_stepup.kubeconfig.context import ResolvedContext
    from kubectl_stepup.kubectl.command import KubectlCommand
    from kubectl_stepup.kubectl.discovery import APIResource, NamedTable
    from kubectl_stepup.stepup.app import App
    from kubectl_stepup.stepup.elevate import Elevation
    from kubectl_stepup.stepup.ports import ProxyReader


_PLAIN_NAME = re.compile(r"(?!\.{1,2}$)[\w.@%+=:-]{1,100}")


def execute_ports(app: App, *, user_scope: bool = False, online: bool = False) -> ExecutePorts:
    """Return what `exec` and `login` need.

    `user_scope` lets all of the user's terminals use a new session; `online` lets manifests be fetched.
    """
    return ExecutePorts(
        config=app.config,
        policy=app.policy,
        kubeconfig=app.kubeconfig,
        expand=lambda command: expand_manifests(command, app, online=online),
        discover=Discovered(app.environ),
        scope=scope.USER_SCOPE if user_scope else scope.terminal_scope(),
        run_ports=lambda resolved: _run_ports(app, resolved),
    )


def become_local(app: App, words: Sequence[str]) -> None:
    """Become kubectl for a command that sends nothing: no policy is needed for that. Returns for any other."""
    command = read(words)
    if command.known and command.local:
        app.kubectl.replace(words, app.environ)


def session_ports(app: App) -> SessionPorts:
    """Return what `status` and `logout` need."""
    return SessionPorts(
        config=app.config,
        policy=app.policy,
        store=app.store,
        scope=scope.terminal_scope(),
        moment=scope.moment,
        recorder=app.recorder,
        denials=app.denials,
        revoke=lambda provider, token: app.provider(provider).revoke(
            token, kind="access_token", client_id=provider.elevated_client_id
        ),
    )


def credential_ports(app: App) -> CredentialPorts:
    """Return what `credential` needs off the fast path."""
    return CredentialPorts(
        config=app.config,
        policy=app.policy,
        environ=app.environ,
        scope=scope.terminal_scope(),
        elevate=lambda: app.elevate_ports(None),
        wants_cluster=lambda session_id: _wants_cluster(app, session_id),
    )


def _wants_cluster(app: App, session_id: str) -> bool:
    """Whether the kubeconfig's entry for a session asks for the cluster; the overlay of `exec` is in no kubeconfig."""
    try:
        users = app.whole_kubeconfig(None).users.values()
    except KubeconfigError:
        return True
    entries = [entry for user in users if isinstance(entry := user.value.get("exec"), dict)]
    ours = [entry for entry in entries if isinstance(entry.get("args"), list) and session_id in entry["args"]]
    return all(entry.get("provideClusterInfo") is True for entry in ours)


def credential_command(where: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the words that start `credential` on the fastest road there is, absolute, whatever the caller's PATH.

    `where` are the arguments that say where the session is: of a socket, which the launcher leaves to Python, the way
    is shorter without it.
    """
    native, frozen = launcher(), getattr(sys, "frozen", False)
    if native is not None and (frozen or HANDOVER not in where):
        return (native, "credential")
    if frozen:
        return (sys.executable, "credential")
    return (
        sys.executable,
        "-I",
        "-S",
        str(Path(kubectl_stepup.__file__).with_name("fastpath") / "cached_credential.py"),
        "credential",
    )


def _unelevated() -> tuple[str, ...]:
    """Return the words that start a program of the person's from an elevated kubectl, by the variable that names it."""
    if getattr(sys, "frozen", False):
        return (sys.executable, "unelevated")
    return (sys.executable, "-I", "-S", str(Path(kubectl_stepup.__file__).with_name("unelevated.py")))


def _differ() -> str | None:
    """Return the path of our own program for kubectl, which takes no path with a blank in it, and none but a program.

    It is what was installed beside our interpreter, or what was started.
    """
    beside = os.path.join(os.path.dirname(sys.executable), process.LAUNCHER)
    started = sys.executable if getattr(sys, "frozen", False) else sys.argv[0]
    for path in (launcher() or beside, beside, started):
        is_ours = path == started == sys.executable or os.path.basename(path) in (process.LAUNCHER, process.PROGRAM)
        if is_ours and os.path.isabs(path) and " " not in path and os.access(path, os.X_OK):
            return path
    return None


def store_arguments(store: str, state_directory: Path) -> tuple[str, ...]:
    """Say to `credential` where the fast path finds a session that is not in the kernel's keyring."""
    if store == "file":
        return (DIRECTORY, str(state_directory / FILES))
    return (STORE, KEYRING) if store == KEYRING else ()


def _run_ports(app: App, resolved: ResolvedContext | None) -> RunPorts:
    return RunPorts(
        elevate=app.elevate_ports(resolved),
        kubectl=app.kubectl,
        environ=app.environ,
        kubeconfig_files=lambda flag: load.files_of(app.environ, flag),
        run_directory=lambda: run_directory(str(app.runtime_directory)),
        hand_over=lambda directory, keeps_session: _hand_over(app, Path(directory), keeps_session),
        captured_file=lambda content, place: _captured_file(app, content, place),
        large_ca=large_ca,
        editor=_unelevated(),
        differ=_differ(),
        refresh_policy=lambda *about: _refresh_policy(app, *about),
        proxy_reader=lambda cluster, context: _proxy_reader(app, cluster, context),
    )


def _proxy_reader(app: App, cluster: Cluster, resolved: ResolvedContext) -> ProxyReader:
    from kubectl_stepup.wiring.proxy_reading import proxy_reader

    return proxy_reader(cluster, resolved, app.environ)


def _refresh_policy(
    app: App, cluster: Cluster, resolved: ResolvedContext, elevation: Elevation, flag: str | None
) -> None:
    from kubectl_stepup.wiring.publishing import refresh_policy

    refresh_policy(app, lambda: _run_ports(app, resolved), cluster, resolved, elevation, flag)


@contextmanager
def _hand_over(app: App, directory: Path, keeps_session: bool) -> Iterator[Callable[[Elevation], tuple[str, ...]]]:
    """Prepare to hand a session to the child's process tree, whatever the store.

    kubectl asks its plugin more than once (`-f -`, after a 401), and a long command outlives the time of reuse: what
    was approved for it must then still be there. Where neither way of handing over works, a store that keeps the
    session serves.
    """
    with ExitStack() as stack:
        hand_over, failure = None, None
        try:
            hand_over = stack.enter_context(prepared(directory=directory))
        except StoreUnavailable as exc:
            if not keeps_session or app.store.name == "memory":
                raise
            failure = exc

        def credential_for(elevation: Elevation) -> tuple[str, ...]:
            if hand_over is not None:
                where = hand_over.give(elevation.session)
            elif elevation.stored:
                where = store_arguments(app.store.name, app.state_directory)
            else:
                raise StoreUnavailable("the session can neither be handed over nor kept") from failure
            return (*credential_command(where), "--session", elevation.session.id, *where)

        yield credential_for


@contextmanager
def _captured_file(app: App, content: bytes, place: str) -> Iterator[CapturedFile]:
    """Hand captured input to kubectl as a file: in memory, with the name of the place for kubectl's messages.

    A script in kubectl's place may close descriptors, and not every system has files in memory: then it is a file of
    mode 0600 in the directory of the run.
    """
    name = os.path.basename(place.rstrip("/"))
    if not _PLAIN_NAME.fullmatch(name):
        name = "manifests"
    in_memory = not needs_a_path(app.kubectl.path())
    with ExitStack() as stack:
        number = stack.enter_context(memory_file(content)) if in_memory else None
        if number is None:
            directory = stack.enter_context(run_directory(str(app.runtime_directory)))
            yield CapturedFile(path=directory.write(name, content))
            return
        path = f"/proc/self/fd/{number}"
        with contextlib.suppress(StepUpError):  # without a place for it it has no name of its own
            path = stack.enter_context(run_directory(str(app.runtime_directory))).link(name, path)
        yield CapturedFile(path=path, pass_fds=(number,))


class Discovered:
    """What kubectl wrote down about clusters; read where a command needs it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def usual(self, server: str) -> Sequence[APIResource]:
        """Return the resources of a server from kubectl's usual place."""
        from kubectl_stepup.kubectl import discovery_cache

        return discovery_cache.resources(server, environ=self._environ)

    def named(self, server: str | None, directory: str | None) -> NamedTable | None:
        """Return what the directory says that the command line or the environment names; None: neither does."""
        if not directory and not self._environ.get(environment.KUBECACHEDIR):
            return None
        from kubectl_stepup.kubectl import discovery_cache

        return discovery_cache.named(server, directory=directory, environ=self._environ)


def expand_manifests(
    command: KubectlCommand, app: App, *, online: bool = False
) -> tuple[KubectlCommand, CapturedInput]:
    """Add the objects of a command's manifests; without a kubectl to read them it stays as sensitive as it can be."""
    if not command.manifests:
        return command, CapturedInput()
    from kubectl_stepup.kubectl.manifest import expand

    try:
        return expand(command, kubectl=app.kubectl.path(), online=online)
    except KubectlFailed:
        return command, CapturedInput()
