"""An elevated run, prepared: whatever can fail is tried before a person is asked; the session is put in afterwards.

The overlay is a file and not an inherited descriptor: a plugin or a wrapper may close descriptors before it starts
kubectl, and kubectl would take whatever it has open under that number, or skip the overlay.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kubectl_stepup import environment
from kubectl_stepup.errors import KubeconfigError
from kubectl_stepup.kubeconfig.load import files_of
from kubectl_stepup.kubeconfig.overlay import USER_PREFIX, elevated_environment, overlay_document
from kubectl_stepup.kubectl.everyday_programs import with_everyday_programs
from kubectl_stepup.stepup.elevated_checks import require_safe_kubectl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from kubectl_stepup.kubeconfig.context import ResolvedContext
    from kubectl_stepup.kubectl.installed import InstalledKubectl
    from kubectl_stepup.kubectl.run_directory import RunDirectory
    from kubectl_stepup.stepup.app import App
    from kubectl_stepup.stepup.elevate import Elevation
    from kubectl_stepup.stepup.request import StepUpRequest

OVERLAY = "overlay"
_CA, _CA_DATA, _ROOTS = "certificate-authority", "certificate-authority-data", "roots.pem"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedRun:
    """What an elevated kubectl needs but the session.

    `path` is where the overlay is; `cluster` the cluster in it, None where its own file has it. `roots` is the file of
    the CA certificates that kubectl takes for the system's, as they are too many for client-go to tell the plugin.
    """

    resolved: ResolvedContext
    cluster: Mapping[str, object] | None
    roots: str | None
    directory: RunDirectory
    path: str
    files: Sequence[str]
    kubectl: InstalledKubectl
    hand_over: Callable[[Elevation], Sequence[str]]
    environ: Mapping[str, str]
    editor: Sequence[str]
    differ: str | None

    def elevated(self, elevation: Elevation, audit_id: str | None = None) -> dict[str, str]:
        """Hand the session over, write the overlay for it, and return the environment of the elevated child.

        Raises:
            CommandRefused: others can replace the kubectl that gets it.
            KubectlFailed: it is no longer the kubectl that was checked before, or the overlay is not writable any more.
            StoreUnavailable: the session cannot be handed over.
        """
        require_safe_kubectl(self.kubectl)
        if self.roots is not None:
            # The pin of this process tree: the same server, and no CA named, as it is in the file of the system's.
            handed = replace(elevation.session, pin=elevation.session.pin.replaced(ca_sha256=None), exec_info=())
            elevation = replace(elevation, session=handed)
        command = self.hand_over(elevation)
        self.directory.write(OVERLAY, self.document(elevation.session.level, command))
        return self.environment(audit_id or elevation.session.id)

    def environment(self, nested_in: str) -> dict[str, str]:
        """Return the environment of the elevated child; what it starts for the person runs with the everyday login.

        Raises:
            KubeconfigError: a file cannot stand in a list.
        """
        elevated = elevated_environment(
            self.environ, overlay_path=self.path, kubeconfig_files=self.files, session_id=nested_in
        )
        if self.roots is not None:
            # Instead of the system's: Go reads the directory too, so one that is not there is named.
            elevated |= {environment.SSL_CERT_FILE: self.roots, environment.SSL_CERT_DIR: f"{self.roots}.none"}
        return with_everyday_programs(elevated, self.environ, editor=self.editor, differ=self.differ)

    def document(self, level: str, command: Sequence[str]) -> bytes:
        """Return the overlay for a level."""
        return overlay_document(
            self.resolved,
            user_name=f"{USER_PREFIX}{level}",
            exec_command=command[0],
            exec_args=command[1:],
            cluster=self.cluster,
        )


@contextmanager
def prepared_run(
    request: StepUpRequest, kubeconfig: str | None, app: App, *, level: str, keeps_session: bool
) -> Iterator[PreparedRun]:
    """Prepare an elevated run; `kubeconfig` is the flag of that name, `level` that of the session.

    Raises:
        NotEnrolled: the request is for no context.
        KubeconfigError: kubectl could not read the overlay, or not start its credential plugin.
        KubectlFailed, StoreUnavailable: there is no place for the overlay, or no way to hand a session over.
    """
    resolved = request.required_context
    ca_pem = app.large_ca(resolved)
    with ExitStack() as stack:
        directory = stack.enter_context(app.kubectl.run_directory())
        files = tuple(files_of(app.environ, kubeconfig))
        run = PreparedRun(
            resolved=resolved,
            cluster=_cluster(resolved, files, ca_pem, directory),
            roots=None if ca_pem is None else directory.write(_ROOTS, ca_pem),
            directory=directory,
            path=os.path.join(directory.path, OVERLAY),
            files=_listable(files, directory),
            kubectl=app.kubectl,
            # A stored session has the pin of the enrolment.
            hand_over=stack.enter_context(
                app.hand_over(directory.path, keeps_session=keeps_session and ca_pem is None)
            ),
            environ=app.environ,
            editor=app.editor,
            differ=app.differ,
        )
        # As it will be, but for the session: what could not be written or listed afterwards is found out here.
        directory.write(OVERLAY, run.document(level, ("kubectl-stepup",)))
        run.environment("")
        yield run


@contextmanager
def elevated_child(
    request: StepUpRequest, elevation: Elevation, kubeconfig: str | None, app: App
) -> Iterator[dict[str, str]]:
    """Hand a session that is there already to the children of the block; yield their environment."""
    with prepared_run(request, kubeconfig, app, level=elevation.session.level, keeps_session=elevation.stored) as run:
        yield run.elevated(elevation, elevation.audit_id)


def _listable(files: Sequence[str], directory: RunDirectory) -> tuple[str, ...]:
    """Return the files, by a link where a name holds the separator of lists."""
    return tuple(
        directory.link(f"kubeconfig-{number}", file) if os.pathsep in file else file
        for number, file in enumerate(files)
    )


def _cluster(
    resolved: ResolvedContext, files: Sequence[str], ca_pem: bytes | None, directory: RunDirectory
) -> Mapping[str, object] | None:
    """Return the cluster for the overlay where it cannot stay as it is in its own file.

    That is where its CA certificates come by another file, or its own file is reached by a link: client-go would read a
    relative path against that.

    Raises:
        KubeconfigError: it holds a password, which is not written into the overlay.
    """
    raw = {name: value for name, value in resolved.cluster_raw.items() if name not in (_CA, _CA_DATA)}
    if ca_pem is None:
        authority = resolved.cluster_raw.get(_CA)
        linked = resolved.cluster_file in files and os.pathsep in resolved.cluster_file
        inline = bool(resolved.cluster_raw.get(_CA_DATA))
        if not linked or inline or not isinstance(authority, str) or not authority or os.path.isabs(authority):
            return None
        raw[_CA] = directory.link(_CA, os.path.join(os.path.dirname(resolved.cluster_file), authority))
    if "@" in (resolved.pin.proxy_url or ""):
        raise KubeconfigError(
            f"{resolved.cluster_file}: the proxy-url of cluster {resolved.cluster} holds a password, so the cluster is "
            "not copied for an elevated command, which many CA certificates need, or a path with "
            f"{os.pathsep!r} in it",
            hint="export HTTPS_PROXY=URL, leave proxy-url out, and run kubectl stepup setup again",
        )
    return raw
