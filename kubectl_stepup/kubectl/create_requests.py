"""The requests of `create …`."""

from __future__ import annotations

from kubectl_stepup.kubectl.command_line import Malformed
from kubectl_stepup.kubectl.objects import namespace_of, objects
from kubectl_stepup.kubectl.patches import SERVICE_ACCOUNT_TOKEN
from kubectl_stepup.kubectl.request import MINTS, ObjectRef, ResourceAttributes, request
from kubectl_stepup.kubectl.resources import resources_named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kubectl_stepup.kubectl.command_line import CommandLine

_RESOURCES = {
    "quota": "resourcequotas",
    "secret docker-registry": "secrets",
    "secret generic": "secrets",
    "secret tls": "secrets",
    "service clusterip": "services",
    "service externalname": "services",
    "service loadbalancer": "services",
    "service nodeport": "services",
    "token": "serviceaccounts",
}
_NEEDED = {
    "clusterrole": ("verb", "aggregation-rule"),
    "clusterrolebinding": ("clusterrole",),
    "cronjob": ("image",),
    "deployment": ("image",),
    "job": ("image", "from"),
    "role": ("verb",),
    "rolebinding": ("clusterrole", "role"),
}
"""Flags without which kubectl sends nothing: one of them."""


def create(line: CommandLine, expanded: Sequence[ObjectRef] | None) -> Iterator[ResourceAttributes]:
    """`create -f FILE` and `create KIND NAME`."""
    if line.name == "create":
        # What somebody makes of a manifest in an editor may be another kind.
        found = objects(line, (), None if line.on("edit") else expanded)
        yield from (request("create", target) for target in found)
        return
    if not line.before_dash():
        raise Malformed("NAME is required")
    kind = " ".join(line.path[1:])
    if kind in _NEEDED and not any(line.last(name) for name in _NEEDED[kind]):
        raise Malformed(f"--{' or --'.join(_NEEDED[kind])} is required")
    resource = resources_named(_RESOURCES.get(kind, kind))[0]
    target = ObjectRef(resource=resource, name=line.words[0], namespace=namespace_of(line))
    source = line.last("from") or ""
    if kind == "job" and source:
        yield from (request("get", found) for found in _source(source, target.namespace))
    mints = kind == "secret generic" and line.last("type") == SERVICE_ACCOUNT_TOKEN
    subresource = "token" if kind == "token" else ""
    yield request("create", target, subresource=subresource, marks=frozenset({MINTS}) if mints else frozenset())


def _source(text: str, namespace: str | None) -> Iterator[ObjectRef]:
    kind, _, name = text.partition("/")
    for resource in resources_named(kind):
        yield ObjectRef(resource=resource, name=name or None, namespace=namespace)
