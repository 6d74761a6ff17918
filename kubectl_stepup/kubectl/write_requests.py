"""The requests of the commands that change objects which exist, or that a manifest describes."""

from __future__ import annotations

from kubectl_stepup.kubectl.command_line import Malformed
from kubectl_stepup.kubectl.objects import (
    instances,
    manifests,
    namespace_of,
    objects,
    selects,
    split_pairs,
    split_variables,
)
from kubectl_stepup.kubectl.patches import patch_marks, unread_patch_marks
from kubectl_stepup.kubectl.request import (
    CORDONS,
    PAUSES,
    ROLLS_BACK,
    RUNS_AS,
    SCALES_TO_ZERO,
    UNCORDONS,
    ObjectRef,
    ResourceAttributes,
    request,
)
from kubectl_stepup.kubectl.resources import UNKNOWN, resources_named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kubectl_stepup.kubectl.command_line import CommandLine

NODE = resources_named("nodes")[0]
NAMESPACE = resources_named("namespaces")[0]
_RBAC = tuple(resources_named(name)[0] for name in ("roles", "rolebindings", "clusterroles", "clusterrolebindings"))
_ROLLOUT_MARKS = {"undo": ROLLS_BACK, "pause": PAUSES}
_PAIRED = ("label", "annotate", "set image", "set env")
_CHANGED_BY = {
    "label": ("list",),
    "annotate": ("list",),
    "set image": (),
    "set resources": ("limits", "requests"),
    "set subject": ("user", "group", "serviceaccount"),
}
_LAST_WORD = ("set selector", "set serviceaccount")
_CONTROLLERS = (
    "deployments",
    "replicasets",
    "replicationcontrollers",
    "statefulsets",
    "daemonsets",
    "cronjobs",
    UNKNOWN.name,
)
"""Resources whose pods are what somebody writes in an editor."""


def targets(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> tuple[ObjectRef, ...]:
    """Return the objects of a command that takes `TYPE NAME`, `-l`, `--all` or `-f`, and maybe `KEY=VALUE` words."""
    words: Sequence[str] = line.words
    pairs: Sequence[str] = ()
    if line.name in _PAIRED:
        words, pairs = split_variables(words) if line.name == "set env" else split_pairs(words)
    if line.name in _CHANGED_BY and not pairs and not any(line.last(name) for name in _CHANGED_BY[line.name]):
        raise Malformed("nothing to change is given")
    if line.name in _LAST_WORD:
        words = words[:-1]
    return objects(line, words, expanded)


def read_of(target: ObjectRef, subresource: str = "") -> ResourceAttributes:
    """Return the request that reads an object, or lists its resource."""
    one = target.name is not None or target.resource == UNKNOWN
    return request("get" if one else "list", target, subresource=subresource)


def change(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """Commands that read an object and patch it: label, annotate, patch, edit, set …, rollout …."""
    subresource = line.last("subresource") or ""
    # With --local the objects come from the manifests and go nowhere.
    for target in targets(line, expanded) if not line.on("local") else ():
        if line.name != "patch" or not manifests(line):
            yield read_of(target, subresource)
        if not line.on("list") and (line.name != "set env" or _sets_variables(line)):
            yield request("patch", target, subresource=subresource, marks=_change_marks(line, target, subresource))
    if line.name == "set env":
        yield from _env_sources(line)


def delete(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`delete`: with a selector it lists, then deletes one by one; unless told not to it waits, reading each."""
    lists, waits = selects(line), line.on("wait", default=True)
    for target in objects(line, line.words, expanded):
        if lists:
            yield read_of(target)
        if waits:
            yield request("get", target)
        yield request("delete", target)


def apply(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`apply -f`: what it will do to an object depends on whether it exists."""
    subresource = line.last("subresource") or ""
    for target in objects(line, (), expanded):
        yield read_of(target, subresource)
        if not line.on("server-side"):
            yield request("create", target)
        yield request("patch", target, subresource=subresource)
        if line.on("force") and not line.on("server-side"):
            yield request("delete", target)
    if line.on("prune"):
        yield request("list", ObjectRef(resource=UNKNOWN))
        yield request("delete", ObjectRef(resource=UNKNOWN, namespace=namespace_of(line)))
        yield from _apply_set(line)


def _apply_set(line: CommandLine) -> Iterator[ResourceAttributes]:
    """Return the requests of `--applyset=[TYPE/]NAME`: the set is an object, which says in what namespaces to prune."""
    for kept_in in instances("secrets", line.all("applyset")[-1:], namespace_of(line)):
        yield request("get", kept_in)
        yield request("patch", kept_in)
        yield ResourceAttributes(verb="delete", resource=UNKNOWN, everywhere=True)


def replace(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`replace -f`; with `--force` it deletes and creates."""
    subresource = line.last("subresource") or ""
    for target in objects(line, (), expanded):
        if line.on("force"):  # the whole object, whatever --subresource says
            yield read_of(target)
            yield request("delete", target)
            yield request("create", target)
        else:
            yield read_of(target, subresource)
            yield request("update", target, subresource=subresource)


def diff(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`diff -f`: a server-side dry run of apply, so it needs the same rights."""
    for target in objects(line, (), expanded):
        yield read_of(target)
        yield request("create", target)
        yield request("patch", target)
    if line.on("prune"):
        yield request("list", ObjectRef(resource=UNKNOWN))


def scale(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`scale --replicas=COUNT`."""
    replicas = line.last("replicas")
    if replicas is None:
        raise Malformed("--replicas is required")
    marks = frozenset({SCALES_TO_ZERO}) if _is_zero(replicas) else frozenset()
    for target in targets(line, expanded):
        if not manifests(line):
            yield read_of(target)
        yield request("patch", target, subresource="scale", marks=marks)
        if line.last("current-replicas") or line.last("resource-version"):
            yield request("get", target, subresource="scale")
            yield request("update", target, subresource="scale", marks=marks)


def autoscale(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`autoscale`: reads a workload, creates its autoscaler."""
    if line.last("max") is None:
        raise Malformed("--max is required")
    yield from _derived(line, expanded, "horizontalpodautoscalers")


def expose(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`expose`: reads a workload, creates its service, or whatever `--overrides` makes of it."""
    if not line.last("overrides"):
        yield from _derived(line, expanded, "services")
        return
    for target in targets(line, expanded):
        yield read_of(target)
        yield request("create", ObjectRef(resource=UNKNOWN))


def reconcile(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`auth reconcile -f`: only RBAC objects are touched."""
    found = objects(line, (), expanded)
    if expanded is None and found:
        found = tuple(ObjectRef(resource=resource) for resource in _RBAC)
    for target in found:
        if target.resource not in _RBAC:
            continue
        if target.resource.namespaced:  # a namespace that is not there is made, too
            yield request("create", ObjectRef(resource=NAMESPACE, name=target.namespace))
        for verb in ("get", "create", "update", "delete"):  # a binding whose role changes is deleted and made again
            yield request(verb, target)


def certificate(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`certificate approve` and `deny`."""
    named = instances("certificatesigningrequests", line.words, None)
    for target in (*named, *objects(line, (), expanded)):
        yield request("get", target)
        yield request("update", target, subresource="approval")


def taint(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`taint node NAME KEY=VALUE:EFFECT`."""
    words, taints = split_pairs(line.words, colons=True)
    if not taints:
        raise Malformed("no taint is given")
    # With --all or a selector, names count for nothing.
    for target in objects(line, words[:1] if selects(line) else words, expanded):
        yield read_of(target)
        yield request("patch", target)


def cordon(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`cordon`, `uncordon` and `drain`, which also evicts, or deletes, the node's pods."""
    nodes = instances("nodes", line.words, None)
    if not nodes:
        if not line.last("selector"):
            raise Malformed("a node or --selector is required")
        nodes = (ObjectRef(resource=NODE),)
    mark = frozenset({UNCORDONS if line.name == "uncordon" else CORDONS})
    for node in nodes:
        yield read_of(node)
        yield request("patch", node, marks=mark)
    if line.name == "drain":
        pods = ResourceAttributes(verb="list", resource=resources_named("pods")[0], everywhere=True)
        yield pods
        if line.on("disable-eviction"):
            yield pods.replace(verb="delete")
        else:
            yield pods.replace(verb="create", subresource="eviction")


def _derived(line: CommandLine, expanded: Sequence[ObjectRef] | None, made: str) -> Iterator[ResourceAttributes]:
    for target in targets(line, expanded):
        yield read_of(target)
        name = line.last("name") or target.name
        yield request("create", ObjectRef(resource=resources_named(made)[0], name=name, namespace=target.namespace))


def _change_marks(line: CommandLine, target: ObjectRef, subresource: str) -> frozenset[str]:
    if line.name == "patch":
        patch = line.last("patch")
        if patch is None and line.last("patch-file") is None:
            raise Malformed("--patch or --patch-file is required")
        found = patch_marks(patch, target.resource) if patch else unread_patch_marks(target.resource)
        return found - {CORDONS, UNCORDONS} if subresource else found
    if line.path[0] == "rollout":
        mark = _ROLLOUT_MARKS.get(line.path[1])
        return frozenset({mark}) if mark else frozenset()
    if line.name == "set serviceaccount":
        return frozenset({RUNS_AS})
    # What somebody will write in an editor is not known yet.
    if line.name in ("edit", "apply edit-last-applied") and (
        target.resource.name in (*_CONTROLLERS, "nodes") or subresource == "scale"
    ):
        return unread_patch_marks(target.resource)
    return frozenset()


def _sets_variables(line: CommandLine) -> bool:
    """Whether `set env` sets something, or only lists."""
    return bool(split_variables(line.words)[1] or line.last("from") or line.last("env"))


def _env_sources(line: CommandLine) -> Iterator[ResourceAttributes]:
    """Return the reads of `set env --from=secret/x` and of `--resolve`, which shows what references stand for."""
    source = line.last("from") or ""
    if source:
        kind, _, name = source.partition("/")
        for resource in resources_named(kind):
            yield request("get", ObjectRef(resource=resource, name=name or None, namespace=namespace_of(line)))
    if line.on("resolve"):
        for kind in ("secrets", "configmaps"):
            yield request("get", ObjectRef(resource=resources_named(kind)[0], namespace=namespace_of(line)))


def _is_zero(number: str) -> bool:
    try:
        return int(number, 0) == 0
    except ValueError:
        return not number.strip("+-0xob_")
