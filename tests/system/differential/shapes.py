"""What people write after the words of a command: its arguments, and the flags that it is used with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.system.differential.drawing import Drawn
from tests.system.differential.vocabulary import (
    FILES,
    KUSTOMIZED,
    NAMESPACES,
    PATCHES,
    SCALABLE,
    WORKLOADS,
)


@dataclass(slots=True, kw_only=True)
class Shape:
    """Arguments in their order, those after `--`, and flags with their values (None: drawn, or a boolean's own)."""

    words: list[str] = field(default_factory=list)
    after_dash: list[str] | None = None
    flags: list[tuple[str, str | None]] = field(default_factory=list)


Maker = Callable[[Drawn], Shape]

SELECTING = ("selector", "all", "field-selector")
RBAC = ("rolebindings", "clusterrolebindings", "roles", "clusterroles")
ROLLED = ("deployments", "statefulsets", "daemonsets")


def files(d: Drawn, shape: Shape, *, kustomize: bool = True) -> Shape:
    """Add manifests."""
    if kustomize and d.chance(12):
        shape.flags.append(("kustomize", d.pick(KUSTOMIZED)))
        return shape
    for _ in range(1 if d.chance(90) else 2):
        shape.flags.append(("filename", d.pick(FILES)))
    if d.chance(15):
        shape.flags.append(("recursive", None))
    return shape


def objects(d: Drawn, *among: str, selecting: tuple[str, ...] = SELECTING, from_files: bool = True) -> Shape:
    """Name objects, let a selector choose them, or take them from manifests."""
    form = d.weighted({"named": 60, "selected": 25 if selecting else 0, "files": 15 if from_files else 0, "type": 3})
    if form == "named":
        return Shape(words=d.some_objects(among))
    if form == "files":
        return files(d, Shape())
    shape = Shape(words=[d.kinds(among)])
    if form == "selected":
        shape.flags.append((d.pick(selecting), None))
        if d.chance(10):
            shape.flags.append((d.pick(selecting), None))
    return shape


def _reading(d: Drawn) -> Shape:
    if d.chance(35):
        return Shape(words=[d.kinds()])
    return objects(d, selecting=("selector", "field-selector"))


def _get(d: Drawn) -> Shape:
    return _raw(d) if d.chance(8) else _reading(d)


def _delete(d: Drawn) -> Shape:
    if d.chance(6):
        return _raw(d)
    shape = objects(d)
    if d.chance(25):
        shape.flags += [("force", None), ("grace-period", "0")]
    if d.chance(20):
        shape.flags.append(("cascade", None))
    return shape


def _raw(d: Drawn) -> Shape:
    plural, (root, *_) = d.pick(
        (
            ("pods", ("api/v1",)),
            ("secrets", ("api/v1",)),
            ("deployments", ("apis/apps/v1",)),
            ("widgets", ("apis/example.com/v1",)),
            ("nodes", ("api/v1",)),
            ("namespaces", ("api/v1",)),
        )
    )
    within = "" if plural in ("nodes", "namespaces") or d.chance(10) else f"namespaces/{d.pick(NAMESPACES)}/"
    name = d.pick(
        (
            "",
            f"/{d.name(plural)}",
            f"/{d.name(plural)}/{d.pick(('status', 'proxy', 'proxy/x', 'log', 'exec', 'scale', 'finalize'))}",
        )
    )
    query = d.pick(("", "", "?watch=1", "?watch=false", "?limit=5", "?fieldSelector=metadata.name%3Dweb-0", "?watch=0"))
    path = f"/{root}/{d.pick(('', '', '', 'watch/', 'proxy/'))}{within}{plural}{name}"
    path = d.pick(
        (
            *([path] * 6),
            path.replace("e", "%65", 1),
            path + "/",
            path.replace("/", "//", 1),
            path.replace(plural, f"x/../{plural}"),
            path.replace("/v1", "/v1/."),
            path.replace(plural, plural.upper()),
            path.replace(f"/{plural}", f"%2F{plural}"),
            path[1:],
            "/healthz",
        )
    )
    return Shape(flags=[("raw", path + query)])


def _body(d: Drawn) -> Shape:
    """`create --raw` and `replace --raw` send one file."""
    shape = _raw(d)
    shape.flags.append(("filename", d.pick(FILES[:4])))
    return shape


def _patch(d: Drawn) -> Shape:
    kind = d.pick(tuple(PATCHES))
    shape = objects(d, "pods", "deployments", "nodes", "widgets", "services", selecting=())
    shape.flags += [("type", kind)] if kind != "strategic" or d.chance(30) else []
    shape.flags.append(("patch", d.pick(PATCHES[kind])) if d.chance(90) else ("patch-file", None))
    if d.chance(12):
        shape.flags.append(("subresource", None))
    return shape


def _pairs(d: Drawn) -> Shape:
    shape = objects(d)
    shape.words += [d.pick(("a=b", "a-", "example.com/a=b", "app=web", "a=")) for _ in range(d.number(1, 2))]
    shape.flags += [("overwrite", None)] if d.chance(50) else []
    return shape


def _set(*pairs: str) -> Maker:
    def make(d: Drawn) -> Shape:
        shape = objects(d, *WORKLOADS, selecting=("selector", "all"))
        shape.words.append(d.pick(pairs))
        return shape

    return make


def _env(d: Drawn) -> Shape:
    shape = objects(d, *WORKLOADS, selecting=("selector", "all"))
    what = d.weighted({"pair": 5, "flag": 2, "from": 3, "list": 2, "nothing": 1})
    if what == "pair":
        shape.words.append(d.pick(("A=b", "A-", "A=", "-")))
    elif what == "flag":
        shape.flags.append(("env", None))
    elif what == "from":
        shape.flags.append(("from", None))
    elif what == "list":
        shape.flags += [("list", None), *([("resolve", None)] if d.chance(50) else [])]
    return shape


def _resources(d: Drawn) -> Shape:
    shape = objects(d, *WORKLOADS, selecting=("selector", "all"))
    shape.flags.append((d.pick(("limits", "requests")), None))
    return shape


def _subject(d: Drawn) -> Shape:
    shape = objects(d, *RBAC[:2], selecting=("selector", "all"))
    shape.flags.append((d.pick(("user", "group", "serviceaccount")), None))
    return shape


def _scale(d: Drawn) -> Shape:
    shape = objects(d, *SCALABLE, selecting=("selector", "all"))
    shape.flags.append(("replicas", None))
    for name in ("current-replicas", "resource-version"):
        shape.flags += [(name, None)] if d.chance(12) else []
    return shape


def _rollout(d: Drawn) -> Shape:
    return objects(d, *ROLLED, selecting=("selector",))


def _status(d: Drawn) -> Shape:
    shape = _rollout(d)
    shape.flags.append(d.pick((("watch", "false"), ("timeout", "1s"))))
    return shape


def _files(d: Drawn) -> Shape:
    return files(d, Shape())


def _apply(d: Drawn) -> Shape:
    shape = files(d, Shape())
    for name, percent in {"server-side": 20, "force": 8, "force-conflicts": 5, "validate": 10}.items():
        shape.flags += [(name, None)] if d.chance(percent) else []
    if d.chance(8):
        shape.flags += [("prune", None), d.pick((("all", None), ("selector", "app=web")))]
    return shape


def _create(d: Drawn) -> Shape:
    return _body(d) if d.chance(12) else files(d, Shape())


def _replace(d: Drawn) -> Shape:
    if d.chance(8):
        return _body(d)
    shape = files(d, Shape())
    shape.flags += [("force", None)] if d.chance(35) else []
    return shape


def _either(d: Drawn) -> Shape:
    return objects(d, selecting=("selector",))


def _wait(d: Drawn) -> Shape:
    shape = objects(d)
    shape.flags += [("for", None), ("timeout", "1s")]
    return shape


CHANGES: Mapping[str, Maker] = {
    "annotate": _pairs,
    "apply": _apply,
    "apply edit-last-applied": _either,
    "apply set-last-applied": lambda d: files(d, Shape(), kustomize=False),
    "apply view-last-applied": _either,
    "auth reconcile": _files,
    "create": _create,
    "delete": _delete,
    "describe": _reading,
    "diff": _files,
    "edit": _either,
    "get": _get,
    "label": _pairs,
    "patch": _patch,
    "replace": _replace,
    "rollout history": _rollout,
    "rollout pause": _rollout,
    "rollout restart": _rollout,
    "rollout resume": _rollout,
    "rollout status": _status,
    "rollout undo": _rollout,
    "scale": _scale,
    "set env": _env,
    "set image": _set("web=web:3", "*=busybox", "web=a=b"),
    "set resources": _resources,
    "set selector": _set("app=web", "a=b,c=d"),
    "set serviceaccount": _set("builder", "default"),
    "set subject": _subject,
    "wait": _wait,
}
"""Commands whose arguments are objects."""
