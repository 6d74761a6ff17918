"""The actions that rules name, and which requests each of them stands for."""

from __future__ import annotations

from kubectl_stepup.kubectl.request import (
    ASKS,
    BULK_READ,
    CORDONS,
    DEBUGS_NODE,
    MINTS,
    PAUSES,
    PROXIES,
    RAW,
    READS,
    ROLLS_BACK,
    RUNS_AS,
    SCALES_TO_ZERO,
    SHOWS_CREDENTIALS,
    UNCORDONS,
)
from kubectl_stepup.kubectl.resources import ANY
from kubectl_stepup.names import OWN_GROUP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kubectl_stepup.kubectl.request import ResourceAttributes

OWN_PREFIX = "kubectl-stepup"
WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})

_STREAMS = frozenset({"exec", "attach", "portforward"})
_PROXIED = frozenset({"pods", "services", "nodes"})
_GUARDS = frozenset({"apiextensions.k8s.io", "apiregistration.k8s.io"})


def _delete(entry: ResourceAttributes) -> bool:
    evicts = entry.verb == "create" and entry.subresource == "eviction"
    return evicts or entry.verb in ("delete", "deletecollection")


def _stop(entry: ResourceAttributes) -> bool:
    if entry.marks & {SCALES_TO_ZERO, ROLLS_BACK, PAUSES, CORDONS} and entry.verb in WRITES:
        return True
    return RAW in entry.marks and entry.subresource == "scale" and entry.verb in WRITES


def _shell(entry: ResourceAttributes) -> bool:
    if PROXIES in entry.marks:
        return True
    if entry.resource.group not in ("", ANY):
        return False
    if entry.subresource == "proxy":
        return entry.resource.name in _PROXIED
    if entry.resource.name != "pods":
        return False
    if entry.subresource == "ephemeralcontainers":
        return entry.verb in ("update", "patch")
    return entry.subresource in _STREAMS


def _read_secrets(entry: ResourceAttributes) -> bool:
    if entry.verb not in READS:
        return False
    return bool(entry.marks & {RAW, BULK_READ, SHOWS_CREDENTIALS}) or (entry.resource.group, entry.resource.name) == (
        "",
        "secrets",
    )


def _grant(entry: ResourceAttributes) -> bool:
    if entry.verb in ("bind", "escalate", "impersonate"):
        return True
    return entry.verb in WRITES and entry.resource.group == "rbac.authorization.k8s.io"


def _mint(entry: ResourceAttributes) -> bool:
    if entry.verb not in WRITES:
        return False
    if MINTS in entry.marks or entry.resource.name == "certificatesigningrequests":
        return True
    return (entry.resource.name, entry.subresource) == ("serviceaccounts", "token")


def _protect(entry: ResourceAttributes) -> bool:
    if entry.verb not in WRITES:
        return False
    group = entry.resource.group
    if group == "admissionregistration.k8s.io" or group in _GUARDS or group == OWN_GROUP:
        return True
    if not entry.resource.built_in and group and OWN_GROUP.startswith(group):  # kubectl reads the beginning of a group
        return True
    return (group, entry.resource.name) == ("", "configmaps") and (entry.name or "").startswith(OWN_PREFIX)


def _node(entry: ResourceAttributes) -> bool:
    if DEBUGS_NODE in entry.marks:
        return True
    if (entry.resource.group, entry.resource.name) != ("", "nodes") or entry.subresource == "proxy":
        return False
    return entry.verb in WRITES and not entry.marks & {CORDONS, UNCORDONS}


def _run_as(entry: ResourceAttributes) -> bool:
    return RUNS_AS in entry.marks and entry.verb in WRITES


ACTIONS: Mapping[str, Callable[[ResourceAttributes], bool]] = {
    "delete": _delete,
    "stop": _stop,
    "shell": _shell,
    "read-secrets": _read_secrets,
    "grant": _grant,
    "mint": _mint,
    "protect": _protect,
    "node": _node,
    "run-as": _run_as,
}
CHANGE = "change"
"""Any write that is none of the others; `run-as` and `stop` may come on top."""

NAMES = (*ACTIONS, CHANGE)


def actions_of(entry: ResourceAttributes) -> frozenset[str]:
    """Return the actions that a request is.

    A request about a manifest that nobody has read is everything that its verb could do.
    """
    if entry.resource.name == ANY and PROXIES not in entry.marks:
        return _unknown_actions(entry)
    found = {name for name, matches in ACTIONS.items() if matches(entry)}
    # What stops something may find it stopped, or not there yet, and changes something all the same. A cordon does not.
    others = found - {"run-as"} if CORDONS in entry.marks else found - {"run-as", "stop"}
    if entry.verb in WRITES and not others and ASKS not in entry.marks:
        found.add(CHANGE)
    return frozenset(found)


def _unknown_actions(entry: ResourceAttributes) -> frozenset[str]:
    # An ambiguous raw path may lead to a subresource as well: into a pod, or to its eviction.
    ambiguous = RAW in entry.marks and entry.name is None
    if entry.verb in READS:
        return frozenset({"read-secrets", "shell"} if ambiguous else {"read-secrets"})
    if entry.verb in ("delete", "deletecollection"):
        return frozenset({"delete", "grant", "mint", "protect", "node", *(("shell",) if ambiguous else ())})
    writes = frozenset({"stop", "grant", "mint", "protect", "node", "run-as", CHANGE})
    return writes | {"shell", "delete"} if ambiguous else writes
