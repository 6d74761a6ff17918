"""The requests of the commands that only read."""

from __future__ import annotations

from kubectl_stepup.kubectl.command_line import NEEDS_A_VALUE, Malformed, read_line
from kubectl_stepup.kubectl.objects import instances, namespace_of, objects
from kubectl_stepup.kubectl.request import ASKS, BULK_READ, ObjectRef, ResourceAttributes, request
from kubectl_stepup.kubectl.resources import resources_named
from kubectl_stepup.kubectl.write_requests import read_of, targets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kubectl_stepup.kubectl.command_line import CommandLine

_DUMPED = ("events", "replicationcontrollers", "services", "daemonsets", "deployments", "replicasets", "pods")


def get(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`get` and `describe`, which lists by the beginning of a name, and gets each object of a list."""
    subresource = line.last("subresource") or ""
    for target in objects(line, line.words, expanded):
        yield read_of(target, subresource)
        if line.name == "describe":
            yield request("list" if target.name is not None else "get", target)
        if line.name == "describe" and (target.resource.group, target.resource.name) == ("", "serviceaccounts"):
            # kubectl 1.32 looks for the account's tokens among all secrets of the namespace; 1.36 does not.
            yield request("list", ObjectRef(resource=resources_named("secrets")[0], namespace=target.namespace))
        if line.on("watch") or line.on("watch-only"):
            yield request("watch", target)


def wait(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`wait` and `rollout status`: read, then watch."""
    for target in targets(line, expanded):
        yield read_of(target)
        yield request("list", target)
        yield request("watch", target)


def look(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`apply view-last-applied` and `rollout history`."""
    for target in targets(line, expanded):
        yield read_of(target)
        if line.path[0] == "rollout":
            kept = "replicasets" if target.resource.name == "deployments" else "controllerrevisions"
            yield request("list", ObjectRef(resource=resources_named(kept)[0], namespace=target.namespace))


def events(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`events`."""
    target = ObjectRef(resource=resources_named("events")[0], namespace=namespace_of(line))
    yield request("list", target)
    if line.on("watch"):
        yield request("watch", target)


def top(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`top node` and `top pod`: the metrics, and the objects themselves."""
    kind = line.path[1]
    for group in ("metrics.k8s.io", ""):
        resource = resources_named(f"{kind}s.{group}" if group else kind)[0]
        for target in instances(kind, line.words, namespace_of(line)) or (
            ObjectRef(resource=resource, namespace=namespace_of(line)),
        ):
            yield read_of(target.replace(resource=resource))


def cluster_info(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`cluster-info`."""
    yield request("list", ObjectRef(resource=resources_named("services")[0], namespace="kube-system"))


def cluster_info_dump(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`cluster-info dump`: whole namespaces, with the logs of their pods."""
    marks = frozenset({BULK_READ})
    yield request("list", ObjectRef(resource=resources_named("nodes")[0]), marks=marks)
    for name in _DUMPED:
        yield ResourceAttributes(verb="list", resource=resources_named(name)[0], everywhere=True, marks=marks)
    yield ResourceAttributes(
        verb="get", resource=resources_named("pods")[0], subresource="log", everywhere=True, marks=marks
    )


def can_i(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`auth can-i`: asks the server a question; nothing is stored."""
    kind = "selfsubjectrulesreviews" if line.on("list") else "selfsubjectaccessreviews"
    yield request("create", ObjectRef(resource=resources_named(kind)[0]), marks=frozenset({ASKS}))


def whoami(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`auth whoami`."""
    yield request("create", ObjectRef(resource=resources_named("selfsubjectreviews")[0]), marks=frozenset({ASKS}))


def discovery(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`api-resources`, `api-versions`, `explain`, `version`: what the API is, and nothing that is in it."""
    return iter(())


def completion(line: CommandLine) -> Iterator[ResourceAttributes]:
    """`__complete WORDS… WORD`: kubectl lists the names that the last word could become."""
    inner = read_line(line.words[:-1])
    if inner.problem is not None:
        if inner.problem.endswith(NEEDS_A_VALUE):
            return  # it is the flag's value that is completed: contexts, namespaces
        raise Malformed(inner.problem)
    last = line.words[-1] if line.words else ""
    words = [*inner.before_dash()[:1], *(word for word in (*inner.words, last) if "/" in word)]
    kinds = [part for word in words for part in word.partition("/")[0].split(",") if part]
    if inner.path[:2] in (("create", "token"), ("exec",), ("logs",), ("attach",)):
        kinds = []
    for kind in kinds:
        for resource in resources_named(kind):
            yield request("list", ObjectRef(resource=resource, namespace=namespace_of(inner)))
