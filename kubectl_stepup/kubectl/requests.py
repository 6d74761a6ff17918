"""From a command line to the requests that kubectl would send: one function a command."""

from __future__ import annotations

from kubectl_stepup.kubectl import connect_requests as connect
from kubectl_stepup.kubectl import read_requests as reads
from kubectl_stepup.kubectl import write_requests as writes
from kubectl_stepup.kubectl.create_requests import create
from kubectl_stepup.kubectl.raw_path import raw_requests
from kubectl_stepup.kubectl.request import READS, UNREAD, ObjectRef, ResourceAttributes
from kubectl_stepup.kubectl.resources import Resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from kubectl_stepup.kubectl.command_line import CommandLine

    Builder = Callable[[CommandLine, Sequence[ObjectRef] | None], Iterator[ResourceAttributes]]

LOCAL = frozenset({"", "alpha", "completion", "config", "help", "kuberc", "kustomize", "options", "plugin"})
"""First words of commands that never speak to the API server; the empty one is kubectl without a command."""

CONTAINERS = frozenset({"auth", "certificate", "create secret", "create service", "rollout", "set", "top"})
"""Commands that only print their help."""

BUILDERS: Mapping[str, Builder] = {
    "annotate": writes.change,
    "api-resources": reads.discovery,
    "api-versions": reads.discovery,
    "apply": writes.apply,
    "apply edit-last-applied": writes.change,
    "apply set-last-applied": writes.change,
    "apply view-last-applied": reads.look,
    "attach": connect.attach,
    "auth can-i": reads.can_i,
    "auth reconcile": writes.reconcile,
    "auth whoami": reads.whoami,
    "autoscale": writes.autoscale,
    "certificate approve": writes.certificate,
    "certificate deny": writes.certificate,
    "cluster-info": reads.cluster_info,
    "cluster-info dump": reads.cluster_info_dump,
    "cordon": writes.cordon,
    "cp": connect.cp,
    "debug": connect.debug,
    "delete": writes.delete,
    "describe": reads.get,
    "diff": writes.diff,
    "drain": writes.cordon,
    "edit": writes.change,
    "events": reads.events,
    "exec": connect.exec_,
    "explain": reads.discovery,
    "expose": writes.expose,
    "get": reads.get,
    "label": writes.change,
    "logs": connect.logs,
    "patch": writes.change,
    "port-forward": connect.port_forward,
    "proxy": connect.proxy,
    "replace": writes.replace,
    "rollout history": reads.look,
    "rollout pause": writes.change,
    "rollout restart": writes.change,
    "rollout resume": writes.change,
    "rollout status": reads.wait,
    "rollout undo": writes.change,
    "run": connect.run,
    "scale": writes.scale,
    "set env": writes.change,
    "set image": writes.change,
    "set resources": writes.change,
    "set selector": writes.change,
    "set serviceaccount": writes.change,
    "set subject": writes.change,
    "taint": writes.taint,
    "top node": reads.top,
    "top pod": reads.top,
    "uncordon": writes.cordon,
    "version": reads.discovery,
    "wait": reads.wait,
}

_IMPERSONATED = {
    "as": ("", "users"),
    "as-group": ("", "groups"),
    "as-uid": ("authentication.k8s.io", "uids"),
    "as-user-extra": ("authentication.k8s.io", "userextras"),
}
_REPEATED = ("as-group", "as-user-extra")
_NOTHING_READ = ("create", "replace", "run")


def builder_of(line: CommandLine) -> Builder | None:
    """Return the function that builds a command's requests; None where there is none, as for a newer command."""
    return create if line.path[:1] == ("create",) else BUILDERS.get(line.name)


def requests_of(
    line: CommandLine, builder: Builder, expanded: Sequence[ObjectRef] | None, dry_run: str
) -> tuple[ResourceAttributes, ...]:
    """Return the requests, each once and in order; `dry_run` is none, client (which changes nothing) or server.

    Raises: command_line.Malformed where kubectl would reject the line.
    """
    raw = line.last("raw") if "raw" in line.own else None
    found = list(builder(line, expanded)) if raw is None else list(raw_requests(line.path[0], raw))
    if dry_run == "client" and raw is None:
        found = [entry for entry in found if _is_read_in_dry_run(line, entry)]
    return tuple(dict.fromkeys((*found, *_impersonations(line))))


def _is_read_in_dry_run(line: CommandLine, entry: ResourceAttributes) -> bool:
    """Return which requests a client-side dry run still sends; a manifest that nobody has read does not count."""
    if line.path[0] in _NOTHING_READ or entry.verb not in READS or UNREAD in entry.marks:
        return False
    return line.path[0] != "delete" or entry.verb == "list"


def _impersonations(line: CommandLine) -> Iterator[ResourceAttributes]:
    for flag, (group, name) in _IMPERSONATED.items():
        values = line.all(flag)
        for value in values if flag in _REPEATED else values[-1:]:
            yield ResourceAttributes(
                verb="impersonate",
                resource=Resource(group=group, name=name, namespaced=False, built_in=True),
                everywhere=True,
                name=value,
            )


def completion_requests(line: CommandLine) -> tuple[ResourceAttributes, ...]:
    """Return the requests of `__complete`."""
    return tuple(dict.fromkeys(reads.completion(line)))
