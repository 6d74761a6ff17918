"""After a step-up: see what policy the cluster publishes, and keep it for the decisions to come."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_stepup.errors import ConfigError, PolicyTooNew, StepUpError
from kubectl_stepup.kube.overlay import USER_PREFIX, elevated_environment, overlay_document
from kubectl_stepup.terminal.notices import policy_ignored_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from kubectl_stepup.config.model import Cluster
    from kubectl_stepup.flows.elevate import Elevation
    from kubectl_stepup.flows.ports import LentFile, LentSession, Terminal
    from kubectl_stepup.kube.context import ResolvedContext


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedPorts:
    """What it takes: `fetch` gives the text, None where there is none; `keep` stores it and tells whether it is new.

    `keep` raises PolicyError for what is no policy.
    """

    terminal: Terminal
    environ: Mapping[str, str]
    kubeconfig_files: Callable[[str | None], Sequence[str]]
    lend_file: Callable[[bytes], AbstractContextManager[LentFile]]
    lend_session: Callable[[Elevation], AbstractContextManager[LentSession]]
    fetch: Callable[[Mapping[str, str], Sequence[int]], str | None]
    keep: Callable[[str, str | None], bool]


def refresh(
    cluster: Cluster, resolved: ResolvedContext, elevation: Elevation, kubeconfig: str | None, ports: PublishedPorts
) -> None:
    """Fetch and keep what the cluster publishes, with the elevated login: the everyday one might have to ask.

    `kubeconfig` is what the command line's flag names.

    Where that fails, what was kept before goes on counting; the command is none the worse for it.

    Raises:
        PolicyTooNew: the cluster wants a later version of this program.
    """
    try:
        with ExitStack() as stack:
            lent = stack.enter_context(ports.lend_session(elevation))
            document = overlay_document(
                resolved,
                user_name=f"{USER_PREFIX}{elevation.session.level}",
                exec_command=lent.credential_command[0],
                exec_args=lent.credential_command[1:],
            )
            overlay = stack.enter_context(ports.lend_file(document))
            environ = elevated_environment(
                ports.environ,
                overlay_path=overlay.path,
                kubeconfig_files=ports.kubeconfig_files(kubeconfig),
                session_id=elevation.session.id,
            )
            text = ports.fetch(environ, overlay.pass_fds)
    except StepUpError as exc:
        ports.terminal.detail(f"no published policy: {exc.message}")
        return
    try:
        if ports.keep(cluster.name, text):
            ports.terminal.detail(f"the policy that {cluster.name} publishes has changed")
    except PolicyTooNew:
        raise
    except ConfigError as exc:
        ports.terminal.line(policy_ignored_line(exc.message))
