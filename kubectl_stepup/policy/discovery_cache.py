"""Read what kubectl itself has written down about a cluster's resources (filesystem).

Spec: client-go's `CachedDiscoveryClient`; cli-runtime's `genericclioptions.ConfigFlags` says where its files are.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from kubectl_stepup import environment
from kubectl_stepup.policy.discovery import APIResource

LARGEST_FILE = 4 << 20
MOST_FILES = 1000
_ILLEGAL = re.compile(r"[^\w/.]", re.ASCII)


def resources(server: str, *, directory: str | None, environ: Mapping[str, str]) -> tuple[APIResource, ...]:
    """Give the resources of a server; none where kubectl has not spoken to it, or its files cannot be read.

    `directory` is what `--cache-dir` says.
    """
    home = environ.get(environment.HOME, "")
    cache = directory or environ.get(environment.KUBECACHEDIR) or os.path.join(home, ".kube", "cache")
    place = os.path.join(cache, "discovery", _ILLEGAL.sub("_", server.replace("https://", "").replace("http://", "")))
    found: dict[tuple[str, str], APIResource] = {}
    for path in _files(place):
        for one in _resources(path):
            found.setdefault((one.group, one.name), one)
    return tuple(found.values())


def _files(place: str) -> Iterator[str]:
    count = 0
    for directory, _, names in os.walk(place):
        if "serverresources.json" in names:
            count += 1
            if count > MOST_FILES:
                return
            yield os.path.join(directory, "serverresources.json")


def _resources(path: str) -> Iterator[APIResource]:
    try:
        with open(path, "rb") as stream:
            content = json.loads(stream.read(LARGEST_FILE))
        group = content["groupVersion"].rpartition("/")[0]
        entries = [entry for entry in content["resources"] if "/" not in entry["name"]]
        yield from [_resource(group, entry) for entry in entries]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return


def _resource(group: str, entry: dict[str, Any]) -> APIResource:
    return APIResource(
        group=group,
        name=str(entry["name"]),
        kind=str(entry["kind"]),
        namespaced=bool(entry["namespaced"]),
        singular=str(entry.get("singularName", "")),
        short_names=tuple(map(str, entry.get("shortNames") or ())),
        categories=tuple(map(str, entry.get("categories") or ())),
    )
