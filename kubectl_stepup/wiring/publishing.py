"""Ports for what clusters publish: fetched after a step-up, kept beside the audit record."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kubectl_stepup.config import places
from kubectl_stepup.enforcement import names
from kubectl_stepup.flows.published import PublishedPorts
from kubectl_stepup.kube import kubeconfig, published_object
from kubectl_stepup.kube.lent_file import lend
from kubectl_stepup.policy import published_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from kubectl_stepup.flows.elevate import Elevation
    from kubectl_stepup.flows.ports import LentSession
    from kubectl_stepup.wiring.application import Application


def published_ports(
    application: Application,
    kubectl: Callable[[], str],
    lend_session: Callable[[Elevation], AbstractContextManager[LentSession]],
) -> PublishedPorts:
    """Give what fetching and keeping takes; `kubectl` is where the program is."""
    path = places.published_policies(application.environ, platform=sys.platform)

    def fetch(environ: Mapping[str, str], pass_fds: Sequence[int]) -> str | None:
        return published_object.read(
            kubectl(),
            environ,
            namespace=names.PUBLISHED_NAMESPACE,
            name=names.PUBLISHED_NAME,
            key=names.PUBLISHED_KEY,
            pass_fds=pass_fds,
        )

    def keep(cluster: str, text: str | None) -> bool:
        if path is None:
            return False
        if text is not None:
            published_file.parsed(text, cluster)
        return published_file.keep(path, cluster, text, clock=application.clock)

    return PublishedPorts(
        terminal=application.terminal,
        environ=application.environ,
        kubeconfig_files=lambda flag: kubeconfig.files_of(application.environ, flag),
        lend_file=lambda content: lend(content, directory=str(application.runtime_directory)),
        lend_session=lend_session,
        fetch=fetch,
        keep=keep,
    )
