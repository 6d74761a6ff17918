"""The static elevated context that `setup` writes: its entries, and the kubeconfig file that they go into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup.errors import KubeconfigError, UsageError
from kubectl_stepup.kubeconfig.exec_credential import smaller_ca_hint
from kubectl_stepup.kubeconfig.overlay import USER_PREFIX, exec_entry
from kubectl_stepup.kubeconfig.static_entry import static_entry, with_entry, without_entry
from kubectl_stepup.stepup.request import session_id_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_stepup.config.model import Cluster, Provider
    from kubectl_stepup.kubeconfig.context import ResolvedContext
    from kubectl_stepup.stepup.setup import EnrolPorts

    Edit = tuple[str, Callable[[bytes | None], bytes]]
    """A file, and what makes its new bytes of the old ones."""

_EMPTY = b"apiVersion: v1\nkind: Config\n"


def static_edit(
    name: str,
    level_name: str | None,
    cluster: Cluster,
    provider: Provider,
    resolved: ResolvedContext,
    ports: EnrolPorts,
) -> Edit:
    """Return the edit that puts a static context in.

    Raises:
        UsageError: the level is asked for each command.
        KubeconfigError: client-go could not start a credential plugin for the cluster.
    """
    policy = ports.policy.for_cluster(cluster.name)
    level = policy.levels[0] if level_name is None else policy.level(level_name)
    if level.ask_again_after_s <= 0 or level.reason_required:
        raise UsageError(f"level {level.name} cannot stand in a kubeconfig: it is asked for each command")
    reason = ports.too_large(resolved)
    if reason is not None:
        raise KubeconfigError(f"{resolved.cluster_file}: {reason}", hint=smaller_ca_hint(resolved.cluster))
    session = ("--session", session_id_of(cluster, provider, level))
    entry = static_entry(
        resolved,
        context_name=name,
        user_name=f"{USER_PREFIX}{level.name}@{cluster.name}",
        exec_entry=exec_entry(
            command=ports.credential_command[0],
            args=(*ports.credential_command[1:], *session, *ports.store_arguments),
        ),
    )
    file = _file_for(name, resolved, ports)
    return file, lambda data: with_entry(data or _EMPTY, file, entry, parse=ports.parse)


def removal_edit(name: str, resolved: ResolvedContext, ports: EnrolPorts) -> Edit:
    """Return the edit that takes a static context out, which changes nothing where there is none."""
    file = _file_with(name, resolved, ports) or resolved.file
    return file, lambda data: without_entry(data or _EMPTY, file, name, parse=ports.parse)


def _file_for(name: str, resolved: ResolvedContext, ports: EnrolPorts) -> str:
    """Return the kubeconfig file for a static context: where it is, else where the context is, else one of ours.

    The entries name the cluster, which may stand in another file of the list.
    """
    found = _file_with(name, resolved, ports)
    if found is not None:
        return found
    return next((file for file in (resolved.file, *ports.kubeconfig_files) if ports.can_change(file)), resolved.file)


def _file_with(name: str, resolved: ResolvedContext, ports: EnrolPorts) -> str | None:
    """Return the first file that has a context of this name, which is the one that counts."""
    for file in ports.kubeconfig_files or (resolved.file,):
        data = ports.read(file)
        document = ports.parse(data, file) if data else None
        contexts = document.get("contexts") if isinstance(document, dict) else None
        for item in contexts if isinstance(contexts, list) else []:
            if isinstance(item, dict) and item.get("name") == name:
                return file
    return None
