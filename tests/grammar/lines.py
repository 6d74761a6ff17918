"""Command lines that kubectl accepts: a command of the grammar, words that it takes, and some of its flags."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from kubectl_stepup.kubectl.grammar import BOOLEAN, LIST, OPTIONAL, Flags
from kubectl_stepup.kubectl.grammar_table import COMMANDS, GLOBAL_FLAGS
from tests.grammar.choices import pick

if TYPE_CHECKING:
    from kubectl_stepup.kubectl.grammar import Flag
    from tests.grammar.choices import Choices

OBJECTS = [
    "pods:a",
    "services:a",
    "secrets:s",
    "deployments:web:api",
    "configmaps:c",
    "nodes:n1",
    "clusterroles:r",
    "widgets:w",
]
WORKLOADS = ["deployments:web", "statefulsets:db", "daemonsets:d", "deployments:web:api"]

SHAPES: dict[str, tuple[str, ...]] = {
    "alpha": ("",),
    "annotate": ("@OBJECTS k=v", "@OBJECTS k- --overwrite", "@pods k=v --all", "@pods k=v -l x=y", "-f x.yaml k=v"),
    "api-resources": ("",),
    "api-versions": ("",),
    "apply": ("-f x.yaml", "-f x.yaml -f y.yaml", "-k dir", "-f - --prune --all"),
    "apply edit-last-applied": ("@OBJECTS",),
    "apply set-last-applied": ("-f x.yaml",),
    "apply view-last-applied": ("@OBJECTS",),
    "attach": ("%pods:a", "%deployments:web -i -t"),
    "auth can-i": ("delete pods", "--list"),
    "auth reconcile": ("-f x.yaml",),
    "auth whoami": ("",),
    "autoscale": ("@WORKLOADS --max=3", "-f x.yaml --max=1"),
    "certificate approve": ("csr-1", "csr-1 csr-2", "-f x.yaml"),
    "certificate deny": ("csr-1",),
    "cluster-info": ("",),
    "cluster-info dump": ("", "-A"),
    "completion": ("bash",),
    "config current-context": ("",),
    "config delete-cluster": ("x",),
    "config delete-context": ("x",),
    "config delete-user": ("x",),
    "config get-clusters": ("",),
    "config get-contexts": ("",),
    "config get-users": ("",),
    "config rename-context": ("x y",),
    "config set": ("contexts.x.namespace y",),
    "config set-cluster": ("x",),
    "config set-context": ("x", "--current"),
    "config set-credentials": ("x",),
    "config unset": ("contexts.x",),
    "config use-context": ("x",),
    "config view": ("", "--raw"),
    "cordon": ("%nodes:n1", "-l x=y"),
    "cp": ("a:/x y", "x prod/a:/x"),
    "create": ("-f x.yaml", "-f - --edit", "--raw=/api/v1/namespaces/x/pods -f x.json"),
    "create clusterrole": ("x --verb=get --resource=pods",),
    "create clusterrolebinding": ("x --clusterrole=admin",),
    "create configmap": ("x",),
    "create cronjob": ("x --image=i --schedule=s",),
    "create deployment": ("x --image=i", "x --image=i -- delete pod x"),
    "create ingress": ("x --rule=a/b=c:80",),
    "create job": ("x --image=i", "x --from=cronjob/y", "x --image=i -- delete pod --all"),
    "create namespace": ("x",),
    "create poddisruptionbudget": ("x --min-available=1",),
    "create priorityclass": ("x --value=1",),
    "create quota": ("x",),
    "create role": ("x --verb=get --verb=list --resource=pods",),
    "create rolebinding": ("x --role=y", "x --clusterrole=admin --user=me"),
    "create secret docker-registry": ("x",),
    "create secret generic": ("x --from-literal=a=b", "x --type=kubernetes.io/service-account-token"),
    "create secret tls": ("x --cert=c --key=k",),
    "create service clusterip": ("x --tcp=80",),
    "create service externalname": ("x --external-name=y",),
    "create service loadbalancer": ("x --tcp=80",),
    "create service nodeport": ("x --tcp=80",),
    "create serviceaccount": ("x",),
    "create token": ("x",),
    "debug": ("%pods:a --image=i", "node/n1 --image=i -i -t", "%pods:a --copy-to=b --image=i -- sh -c ls"),
    "delete": (
        "@OBJECTS",
        "@OBJECTS --dry-run=client",
        "@pods --all",
        "@pods -A --all",
        "@pods@services -l x=y",
        "@pods --field-selector=a=b",
        "-f x.yaml -R",
        "-k dir",
        "--raw=/api/v1/namespaces/x/pods/y",
    ),
    "describe": ("@OBJECTS", "@pods", "@secrets -A", "-f x.yaml"),
    "diff": ("-f x.yaml", "-k dir"),
    "drain": ("%nodes:n1", "-l x=y --force"),
    "edit": ("@OBJECTS", "@pods", "-f x.yaml"),
    "events": ("", "-A -w", "--for=pod/x"),
    "exec": ("%pods:a -- sh", "%deployments:web -i -t -- delete pod x --all", "%pods:a -i -t -c delete -- sh -n x"),
    "explain": ("pods.spec",),
    "expose": ("@WORKLOADS --port=80", "@services:a --port=80 --overrides={}"),
    "get": (
        "@OBJECTS",
        "@secrets",
        "@pods@secrets",
        "@pods -A",
        "@pods -w -A",
        "@pods -l x=y",
        "all",
        "-f x.yaml -R",
        "--raw=/api/v1/namespaces/x/secrets",
    ),
    "kuberc set": ("--section=defaults --command=get",),
    "kuberc view": ("",),
    "kustomize": ("dir", "dir --enable-helm"),
    "label": ("@OBJECTS k=v", "@OBJECTS k-", "@pods k=v --all", "@nodes k=v -l x=y", "-f x.yaml k=v"),
    "logs": ("%pods:a", "%deployments:web -f", "-l x=y"),
    "options": ("",),
    "patch": ("@OBJECTS -p {}", '@WORKLOADS -p \'{"spec":{"replicas":0}}\'', "@OBJECTS --patch-file=x"),
    "plugin": ("",),
    "plugin list": ("",),
    "port-forward": ("%pods:a 80", "service/a 80:8080"),
    "proxy": ("", "--port=0"),
    "replace": ("-f x.yaml", "-f x.yaml --force", "--raw=/api/v1/namespaces/x/pods/y -f x.json"),
    "rollout history": ("@WORKLOADS",),
    "rollout pause": ("@deployments:web",),
    "rollout restart": ("@WORKLOADS", "-f x.yaml"),
    "rollout resume": ("@deployments:web",),
    "rollout status": ("@WORKLOADS",),
    "rollout undo": ("@WORKLOADS",),
    "run": ("a --image=i", "a --image=i -i -t --rm", "a --image=i -- delete pod x", "a --image=i --command -- sh"),
    "scale": ("@WORKLOADS --replicas=0", "@WORKLOADS --replicas=2", "@deployments --all --replicas=0"),
    "set env": ("@WORKLOADS A=b", "@WORKLOADS --list", "@WORKLOADS --from=secret/s", "@deployments --all A-"),
    "set image": ("@WORKLOADS c=i", "@deployments --all c=i"),
    "set resources": ("@WORKLOADS --limits=cpu=1",),
    "set selector": ("@services:a x=y",),
    "set serviceaccount": ("@WORKLOADS sa",),
    "set subject": ("@clusterrolebindings:x --user=me", "@rolebindings:x --group=g --group=h"),
    "taint": ("@nodes:n1 k=v:NoSchedule", "@nodes k:NoSchedule- --all"),
    "top node": ("", "n1"),
    "top pod": ("", "a", "-A"),
    "uncordon": ("%nodes:n1",),
    "version": ("", "--client"),
    "wait": ("@OBJECTS --for=delete", "@pods --all --for=condition=Ready"),
}
"""What each command takes: `@TYPE:NAME…` are objects, `%TYPE:NAME` is one whose type need not be said."""

PATHS = tuple(COMMANDS)
"""All commands; one without a shape takes no words."""

BY_SHAPE = {
    *("all", "all-namespaces", "field-selector", "filename", "kustomize", "raw", "selector"),
    *("custom", "copy-to", "kuberc", "patch", "patch-file"),
}
"""Flags that must fit the words, or one another: only shapes have them."""

VALUES: dict[str, tuple[str, ...]] = {
    "cascade": ("background", "orphan", "foreground"),
    "dry-run": ("none", "client", "server"),
    "grace-period": ("0", "-1", "30"),
    "namespace": ("prod", "delete", "get", "kube-system", "-x", "a=b", ""),
    "output": ("yaml", "name", "jsonpath={.items[*].data}"),
    "overrides": ("", "{}"),
    "profile": ("general", "sysadmin", "netadmin"),
    "replicas": ("0", "1"),
    "subresource": ("status", "scale"),
    "type": ("merge", "json", "kubernetes.io/service-account-token"),
    "validate": ("strict", "ignore"),
}
_ENDS = str.maketrans(dict.fromkeys(",=?!", " "))
OTHER_VALUES = ("x", "1", "delete", "a-b", "a=b", "-x", "pod/x", "true")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A command line by what it means.

    `flags` has each flag once, with its values (several only where they add up); `words` are in the notation of
    `SHAPES`; `behind` are the words behind a `--` that means something.
    """

    path: str
    flags: tuple[tuple[str, tuple[str, ...]], ...]
    words: tuple[str, ...]
    behind: tuple[str, ...] | None = None


@cache
def adding_up(path: str) -> frozenset[str]:
    """Return the flags of a command whose values add up; of the others the last one wins."""
    entries = f"{GLOBAL_FLAGS} {COMMANDS[path]}".split()
    return frozenset(entry.translate(_ENDS).split()[0] for entry in entries if entry.endswith(("=,", "=+")))


@cache
def flags_of(path: str) -> Flags:
    """Return the flags of a command, `--help` included."""
    return Flags(path).with_help()


def line_from(choices: Choices, path: str) -> Line:
    """Make a command line of the command `path`."""
    known = flags_of(path)
    words, given = _shaped(pick(choices, SHAPES.get(path, ("",))), known)
    behind = words.index("--") if "--" in words else len(words)
    names = [name for name in flag_names(path) if name not in given]
    for _ in range(choices.below(6)):
        name = pick(choices, names)
        flag = known.named(name)
        if flag is not None and name not in given:
            count = 1 + (choices.below(3) if name in adding_up(path) else 0)
            given[name] = [value_of(choices, flag) for _ in range(count)]
    return Line(
        path=path,
        flags=tuple((name, tuple(values)) for name, values in given.items()),
        words=tuple(_objects(choices, word) for word in words[:behind]),
        behind=tuple(words[behind + 1 :]) if behind < len(words) else None,
    )


@cache
def flag_names(path: str) -> tuple[str, ...]:
    """Return the names of all flags of a command, and of kubectl, that fit any words."""
    entries = f"{GLOBAL_FLAGS} {COMMANDS[path]} help".split()
    return tuple(sorted({entry.translate(_ENDS).split()[0] for entry in entries} - BY_SHAPE))


def value_of(choices: Choices, flag: Flag) -> str:
    """Choose a value that the flag takes."""
    if flag.kind == BOOLEAN:
        return pick(choices, ("true", "false"))
    if flag.kind == OPTIONAL and flag.without_value == "true":
        return pick(choices, ("true", "false"))
    values = VALUES.get(flag.name, OTHER_VALUES)
    return pick(choices, [value for value in values if value] if flag.kind == LIST else values)


def _shaped(shape: str, known: Flags) -> tuple[list[str], dict[str, list[str]]]:
    """Part a shape's words from its flags."""
    words: list[str] = []
    given: dict[str, list[str]] = {}
    rest = shlex.split(shape)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return [*words, "--", *rest], given
        if not word.startswith("-") or word == "-":
            words.append(word)
            continue
        name, equals, value = word.lstrip("-").partition("=")
        flag = known.named(name) if word.startswith("--") else known.short(name)
        assert flag is not None, word
        if not equals:
            value = flag.without_value or rest.pop(0)
        given.setdefault(flag.name, []).append(value)
    return words, given


def _objects(choices: Choices, word: str) -> str:
    lists = {"@OBJECTS": OBJECTS, "@WORKLOADS": WORKLOADS}
    return f"@{pick(choices, lists[word])}" if word in lists else word
