"""The arguments of the commands that enter or start pods, treat nodes, make objects from flags, or only ask."""

from __future__ import annotations

from collections.abc import Mapping

from tests.system.differential.drawing import Drawn
from tests.system.differential.shapes import Maker, Shape, files, objects
from tests.system.differential.vocabulary import WORKLOADS

PODS = ("web-0", "web-1", "on-node", "other")


def _pod(d: Drawn) -> list[str]:
    """Name a pod, or something that has pods."""
    if d.chance(60):
        return [d.pick(PODS)]
    plural = d.resource((*WORKLOADS, "services"))
    return [f"{d.spelled(plural)}/{d.name(plural)}"]


def _exec(d: Drawn) -> Shape:
    shape = Shape(words=_pod(d), after_dash=["ls", "-n", "prod"] if d.chance(40) else ["date"])
    if d.chance(10):
        shape.words, shape.after_dash = [*shape.words, "date"], None
    for name, percent in {"container": 20, "stdin": 20, "tty": 15}.items():
        shape.flags += [(name, None)] if d.chance(percent) else []
    return shape if d.chance(95) else files(d, Shape(after_dash=["date"]))


def _attach(d: Drawn) -> Shape:
    return Shape(words=_pod(d), flags=[("stdin", None)] if d.chance(30) else [])


def _copy(d: Drawn) -> Shape:
    place = d.pick(("web-0:/x", "prod/web-0:/x", "shop/web-1:x", "other:/x", "web-0:", "pod/web-0:/x", "a/b/c:/x"))
    here = d.pick(("man/pod.yaml", "copied", "./copied", "C:/x", "web-1:/y"))
    return Shape(words=[place, here] if d.chance(50) else [here, place])


def _forward(d: Drawn) -> Shape:
    return Shape(words=[*_pod(d), d.pick(("0:80", ":80", "0:http"))], flags=[("pod-running-timeout", "1s")])


def _logs(d: Drawn) -> Shape:
    shape = Shape(words=_pod(d)) if d.chance(75) else Shape(flags=[("selector", None)])
    if d.chance(20):
        shape.words.append("web")
    return shape


def _debug(d: Drawn) -> Shape:
    what = d.weighted({"pod": 6, "type": 2, "node": 3, "files": 1})
    shape = Shape(after_dash=["date"] if d.chance(30) else None)
    if what == "pod":
        shape.words = [d.pick(PODS)]
    elif what == "type":
        shape.words = d.some_objects(("pods", "nodes", "deployments"))
    elif what == "node":
        shape.words = [f"{d.spelled('nodes')}/{d.pick(('worker-1', 'other'))}"]
    else:
        files(d, shape)
    shape.flags += [("image", None)] if d.chance(85) else []
    chances = {"copy-to": 35, "set-image": 12, "profile": 25, "target": 10, "stdin": 12, "tty": 8, "attach": 6}
    chances |= {"replace": 10, "same-node": 5, "custom": 8, "container": 15, "share-processes": 5}
    for name, percent in chances.items():
        shape.flags += [(name, None)] if d.chance(percent) else []
    return shape


def _run(d: Drawn) -> Shape:
    shape = Shape(words=[d.pick(("made", "web-0"))], after_dash=["date"] if d.chance(30) else None)
    shape.flags += [("image", None), ("pod-running-timeout", "1s")]
    chances = {"restart": 30, "expose": 8, "rm": 10, "attach": 10, "stdin": 12, "tty": 8, "overrides": 12}
    chances |= {"override-type": 8, "privileged": 8, "labels": 8, "env": 8, "command": 8, "port": 15, "quiet": 4}
    for name, percent in chances.items():
        shape.flags += [(name, None)] if d.chance(percent) else []
    return shape


def _node(d: Drawn) -> Shape:
    if d.chance(25):
        return Shape(flags=[("selector", None)])
    word = d.pick(("worker-1", "other", f"{d.spelled('nodes')}/worker-1"))
    return Shape(words=[word])


def _drain(d: Drawn) -> Shape:
    shape = _node(d)
    shape.flags += [("force", None)] if d.chance(85) else []
    shape.flags.append(("timeout", "2s"))
    for name in ("ignore-daemonsets", "delete-emptydir-data", "disable-eviction", "pod-selector"):
        shape.flags += [(name, None)] if d.chance(25) else []
    return shape


def _taint(d: Drawn) -> Shape:
    words = [d.spelled("nodes"), d.pick(("worker-1", "other"))]
    shape = Shape(words=words) if d.chance(70) else Shape(words=words[:1], flags=[(d.pick(("all", "selector")), None)])
    shape.words += [
        d.pick(("a=b:NoSchedule", "a-", "a:NoExecute", "a:NoSchedule-", "a=b")) for _ in range(d.number(1, 2))
    ]
    shape.flags += [("overwrite", None)] if d.chance(50) else []
    return shape


def _certificate(d: Drawn) -> Shape:
    if d.chance(12):
        return files(d, Shape())
    return Shape(words=[d.pick(("request-1", "other", "csr/request-1", "certificatesigningrequests/request-1"))])


def _autoscale(d: Drawn) -> Shape:
    shape = objects(d, "deployments", "statefulsets", "replicasets", selecting=())
    shape.flags += [
        (name, None) for name in ("max", "min", "cpu-percent", "name") if d.chance(95 if name == "max" else 30)
    ]
    return shape


def _expose(d: Drawn) -> Shape:
    shape = objects(d, "pods", "services", "deployments", selecting=())
    shape.flags.append(("port", None))
    for name, percent in {"name": 60, "selector": 20, "overrides": 15, "type": 0}.items():
        shape.flags += [(name, None)] if d.chance(percent) else []
    return shape


def _made(*needed: str, words: int = 1) -> Maker:
    """`create KIND NAME` with the flags that it needs."""

    def make(d: Drawn) -> Shape:
        shape = Shape(words=[d.pick(("made", "web", "database")) for _ in range(words)])
        shape.flags += [(name, None) for name in needed]
        return shape

    return make


def _made_with(values: Mapping[str, str], *needed: str) -> Maker:
    def make(d: Drawn) -> Shape:
        shape = _made(*needed)(d)
        shape.flags += list(values.items())
        return shape

    return make


def _job(d: Drawn) -> Shape:
    flag = ("from", d.pick(("cronjob/nightly", "cj/nightly", "cronjob/other"))) if d.chance(50) else ("image", None)
    return Shape(words=["made"], flags=[flag])


def _can_i(d: Drawn) -> Shape:
    if d.chance(20):
        return Shape(flags=[("list", None)])
    return Shape(
        words=[d.pick(("get", "delete", "*")), d.pick(("pods", "secrets/database", "deployments.apps", "/healthz"))]
    )


def _explain(d: Drawn) -> Shape:
    return Shape(words=[d.spelled(d.resource()) + d.pick(("", ".spec", ".metadata.name"))])


def _complete(d: Drawn) -> Shape:
    """What a shell asks kubectl when somebody presses the tab key."""
    command = d.pick(("get", "delete", "describe", "exec", "logs", "scale", "edit", "rollout restart", "create token"))
    words = [*command.split(), *d.pick((("-n", "prod"), (), ("-A",)))]
    return Shape(
        words=[
            *words,
            *d.pick(((d.spelled(d.resource()), ""), (d.resource() + "/",), ("",), ("-n", ""), ("web-0", ""))),
        ]
    )


def _nothing(d: Drawn) -> Shape:
    return Shape()


def _maybe_pod(d: Drawn) -> Shape:
    return Shape(words=["web-0"] if d.chance(40) else [])


OTHERS: Mapping[str, Maker] = {
    "__complete": _complete,
    "__completeNoDesc": _complete,
    "api-resources": _nothing,
    "api-versions": _nothing,
    "attach": _attach,
    "auth can-i": _can_i,
    "auth whoami": _nothing,
    "autoscale": _autoscale,
    "certificate approve": _certificate,
    "certificate deny": _certificate,
    "cluster-info": _nothing,
    "cluster-info dump": _nothing,
    "cordon": _node,
    "cp": _copy,
    "create clusterrole": _made("verb", "resource"),
    "create clusterrolebinding": _made("clusterrole", "user"),
    "create configmap": _made("from-literal"),
    "create cronjob": _made("image", "schedule"),
    "create deployment": _made("image"),
    "create ingress": _made("rule"),
    "create job": _job,
    "create namespace": _made(),
    "create poddisruptionbudget": _made_with({"selector": "app=web"}, "min-available"),
    "create priorityclass": _made("value"),
    "create quota": _made("hard"),
    "create role": _made("verb", "resource"),
    "create rolebinding": _made("clusterrole", "group"),
    "create secret docker-registry": _made("docker-username", "docker-password"),
    "create secret generic": _made("from-literal"),
    "create secret tls": _made_with({"cert": "tls/cert.pem", "key": "tls/key.pem"}),
    "create service clusterip": _made("tcp"),
    "create service externalname": _made("external-name"),
    "create service loadbalancer": _made("tcp"),
    "create service nodeport": _made("tcp"),
    "create serviceaccount": _made(),
    "create token": lambda d: Shape(words=[d.pick(("builder", "default", "other"))]),
    "debug": _debug,
    "drain": _drain,
    "events": _nothing,
    "exec": _exec,
    "explain": _explain,
    "expose": _expose,
    "logs": _logs,
    "port-forward": _forward,
    "run": _run,
    "taint": _taint,
    "top node": _nothing,
    "top pod": _maybe_pod,
    "uncordon": _node,
    "version": _nothing,
}
"""All other commands that speak to the API server, but `proxy`, which runs until it is stopped."""
