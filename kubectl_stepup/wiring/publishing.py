"""Ports for what clusters publish: fetched after a step-up, kept beside the audit record."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kubectl_stepup.config import places
from kubectl_stepup.kubectl import process
from kubectl_stepup.policy import published_file
from kubectl_stepup.stepup.published_policy import WITHIN_S, PublishedPorts, refresh

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kubectl_stepup.config.model import Cluster
    from kubectl_stepup.kubeconfig.context import ResolvedContext
    from kubectl_stepup.stepup.app import App
    from kubectl_stepup.stepup.elevate import Elevation
    from kubectl_stepup.stepup.run import RunPorts


def refresh_policy(
    app: App,
    run_ports: Callable[[], RunPorts],
    cluster: Cluster,
    resolved: ResolvedContext,
    elevation: Elevation,
    kubeconfig: str | None,
) -> None:
    """See what a cluster publishes (flows.published).

    Raises:
        PolicyTooNew: the cluster wants a later version of this program.
    """
    ports = run_ports()
    path = places.published_policies(app.environ, platform=sys.platform)

    def answer(words: Sequence[str], environ: Mapping[str, str]) -> tuple[int, bytes, bytes]:
        return process.answer(app.kubectl.path(), words, environ, within_s=WITHIN_S)

    def keep(cluster_name: str, text: str | None) -> bool:
        if path is None:
            return False
        if text is not None:
            published_file.parsed(text, cluster_name)
        return published_file.keep(path, cluster_name, text, clock=app.clock)

    refresh(cluster, resolved, elevation, kubeconfig, ports, PublishedPorts(answer=answer, keep=keep))
