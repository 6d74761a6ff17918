"""The requests of the commands that enter, or start, pods: exec, attach, cp, port-forward, logs, debug, run, proxy."""

from __future__ import annotations

from kubectl_stepup.kubectl.command_line import Malformed
from kubectl_stepup.kubectl.objects import instances, manifests, namespace_of, objects
from kubectl_stepup.kubectl.request import (
    DEBUGS_NODE,
    PROXIES,
    RUNS_AS,
    ObjectRef,
    ResourceAttributes,
    request,
)
from kubectl_stepup.kubectl.resources import UNKNOWN, resources_named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kubectl_stepup.kubectl.command_line import CommandLine

POD = resources_named("pods")[0]
_PLAIN_PROFILES = ("legacy", "baseline", "restricted")
"""Those that give a container no further rights; what kubectl takes where none is named depends on its version."""


def exec_(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`exec POD -- COMMAND`."""
    if line.dash_at is None or line.dash_at == len(line.words):
        raise Malformed("the command to execute must follow --")
    if line.dash_at == 0 and not manifests(line):
        raise Malformed("a pod is required")
    yield from _enter(line, expanded, "exec", line.words[:1] if not manifests(line) else ())


def attach(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`attach POD`."""
    yield from _enter(line, expanded, "attach", line.words[:1])


def port_forward(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`port-forward TYPE/NAME PORT…`."""
    if len(line.words) < 2:
        raise Malformed("TYPE/NAME and the ports are required")
    yield from _enter(line, expanded, "portforward", line.words[:1])


def cp(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`cp SOURCE TARGET`, one of them `[NAMESPACE/]POD:PATH`: an exec of tar, in either direction."""
    if len(line.words) != 2:
        raise Malformed("source and target are required")
    places = [word.partition(":") for word in line.words]
    pods = [place for place, colon, _ in places if colon and place and place.count("/") <= 1]
    if not pods:
        raise Malformed("neither source nor target is in a pod")
    for place in pods:
        namespace, slash, name = place.rpartition("/")
        pod = ObjectRef(resource=POD, name=name, namespace=namespace if slash else namespace_of(line))
        yield from _connect(pod, "exec")


def logs(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`logs POD` or `logs TYPE/NAME` or `logs -l SELECTOR`."""
    targets = instances("pods", line.words[:1], namespace_of(line))
    if not targets and line.last("selector"):
        targets = (ObjectRef(resource=POD, namespace=namespace_of(line)),)
    for target in targets:
        yield request("get" if target.name else "list", target)
        pod = _pod_of(target)
        if pod.name is None:
            yield request("list", pod)
        yield request("get", pod, subresource="log")


def debug(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`debug POD`, `debug POD --copy-to=NAME` or `debug node/NAME`."""
    words = line.before_dash()
    targets = (*instances("pods", words, namespace_of(line)), *objects(line, (), expanded))
    if not targets:
        raise Malformed("a pod or a node is required")
    if not any(line.last(name) for name in ("image", "copy-to", "set-image", "custom")):
        raise Malformed("--image is required")
    plain = line.last("profile") in _PLAIN_PROFILES and not line.last("custom")
    marks = frozenset() if plain else frozenset({RUNS_AS})
    for target in targets:
        yield request("get", target)
        yield from _debugged(line, target, marks)


def run(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`run NAME --image=IMAGE`."""
    if not line.words or not line.last("image"):
        raise Malformed("NAME and --image are required")
    overridden = bool(line.last("overrides"))
    gains_rights = line.on("privileged") or overridden
    # The overrides may give the pod another name.
    pod = ObjectRef(resource=POD, name=None if overridden else line.words[0], namespace=namespace_of(line))
    yield request("create", pod, marks=frozenset({RUNS_AS}) if gains_rights else frozenset())
    if line.on("expose"):
        yield request("create", pod.replace(resource=resources_named("services")[0]))
    if _attaches(line):
        yield from _connect(pod, "attach")
        yield request("get", pod, subresource="log")
    if line.on("rm"):
        yield request("delete", pod)


def proxy(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`proxy`: whoever reaches its port can send any request."""
    yield ResourceAttributes(verb="*", resource=UNKNOWN, everywhere=True, marks=frozenset({PROXIES}))


def _enter(
    line: CommandLine, expanded: Sequence[ObjectRef] | None, subresource: str, words: Sequence[str]
) -> Iterator[ResourceAttributes]:
    targets = (*instances("pods", words, namespace_of(line)), *objects(line, (), expanded))
    if not targets:
        raise Malformed("a pod is required")
    for target in targets:
        if target.resource != POD:
            yield request("get" if target.name or target.resource == UNKNOWN else "list", target)
        yield from _connect(_pod_of(target), subresource)


def _connect(pod: ObjectRef, subresource: str) -> Iterator[ResourceAttributes]:
    """Return the requests of a streaming connection: WebSocket is a GET, SPDY a POST, newer servers ask for both."""
    yield request("get" if pod.name else "list", pod)
    yield request("get", pod, subresource=subresource)
    yield request("create", pod, subresource=subresource)


def _pod_of(target: ObjectRef) -> ObjectRef:
    """Return the pod: the target itself, or one that the server picks among those of a workload."""
    if target.resource == POD:
        return target
    return ObjectRef(resource=POD, namespace=target.namespace)


def _debugged(line: CommandLine, target: ObjectRef, marks: frozenset[str]) -> Iterator[ResourceAttributes]:
    made = ObjectRef(resource=POD, namespace=target.namespace)
    copied = made.replace(name=line.last("copy-to") or None)
    is_node = (target.resource.group, target.resource.name) == ("", "nodes")
    if is_node or target.resource == UNKNOWN:
        # This pod runs in the node's namespaces with its file system mounted; --copy-to does not name it.
        yield request("create", made, marks=marks | {DEBUGS_NODE, RUNS_AS})
    if not is_node and copied.name:
        yield request("create", copied, marks=marks | {RUNS_AS})  # it has whatever the pod has
        if line.on("replace"):
            yield request("delete", _pod_of(target))
    elif not is_node:
        yield request("patch", _pod_of(target), subresource="ephemeralcontainers", marks=marks)
    if _attaches(line):
        is_made = is_node or target.resource == UNKNOWN
        yield from _connect(made if is_made else copied if copied.name else _pod_of(target), "attach")


def _attaches(line: CommandLine) -> bool:
    """Whether the terminal is connected to the new container."""
    return line.on("attach", default=line.on("stdin") or line.on("tty"))
