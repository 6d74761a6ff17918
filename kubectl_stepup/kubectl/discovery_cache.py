"""Read what kubectl itself has written down about a cluster's resources (filesystem).

Spec: client-go's `CachedDiscoveryClient`; cli-runtime's `genericclioptions.ConfigFlags` says where its files are.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kubectl_stepup import environment
from kubectl_stepup.kubectl.discovery import APIResource, NamedTable

LARGEST_FILE = 4 << 20
MOST_FILES = 1000
_ILLEGAL = re.compile(r"[^\w/.]", re.ASCII)


class Discovery:
    """What kubectl wrote down about clusters; read where a command needs it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def usual(self, server: str) -> Sequence[APIResource]:
        """Return the resources of a server from kubectl's usual place."""
        return resources(server, environ=self._environ)

    def named(self, server: str | None, directory: str | None) -> NamedTable | None:
        """Return what the directory says that the command line or the environment names; None: neither does."""
        return named(server, directory=directory, environ=self._environ)


def resources(server: str, *, environ: Mapping[str, str]) -> tuple[APIResource, ...]:
    """Return the resources of a server; none where kubectl has not spoken to it, or its files cannot be read.

    They are those of kubectl's usual place, in the user's home.
    """
    found, _ = _table(_usual(environ), server)
    return found


def named(server: str | None, *, directory: str | None, environ: Mapping[str, str]) -> NamedTable | None:
    """Return what a directory says that `--cache-dir` (`directory`) or the environment names; None: neither does.

    `server` is None where it is not known which one the command goes to. Of `--cache-dir` kubectl also believes
    answers of the server that were kept there, which nobody reads here; the variable is not handed on to kubectl.
    """
    place = directory or environ.get(environment.KUBECACHEDIR)
    if not place or os.path.realpath(place) == os.path.realpath(_usual(environ)):
        return None
    found, is_whole = _table(place, server) if server is not None else ((), False)
    return NamedTable(resources=found, complete=not directory or (is_whole and not _has_entries(place, "http")))


def _usual(environ: Mapping[str, str]) -> str:
    return os.path.join(environ.get(environment.HOME, ""), ".kube", "cache")


def _has_entries(place: str, name: str) -> bool:
    try:
        return bool(os.listdir(os.path.join(place, name)))
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _table(cache: str, server: str) -> tuple[tuple[APIResource, ...], bool]:
    """Return the resources of a server, and whether all of its files could be read."""
    place = os.path.join(cache, "discovery", _ILLEGAL.sub("_", server.replace("https://", "").replace("http://", "")))
    found: dict[APIResource, None] = {}
    is_whole = True
    for count, path in enumerate(_files(place), 1):
        rows = _resources(path) if count <= MOST_FILES else None
        if count > MOST_FILES:
            return tuple(found), False
        is_whole = is_whole and rows is not None
        found.update(dict.fromkeys(rows or ()))
    return tuple(found), is_whole


def _files(place: str) -> Iterator[str]:
    for directory, _, names in os.walk(place, followlinks=True):
        if "serverresources.json" in names:
            yield os.path.join(directory, "serverresources.json")


def _resources(path: str) -> list[APIResource] | None:
    """Return what a file says; None where it cannot be read."""
    try:
        with open(path, "rb") as stream:
            content = json.loads(stream.read(LARGEST_FILE))
        group = content["groupVersion"].rpartition("/")[0]
        entries = [entry for entry in content["resources"] if "/" not in entry["name"]]
        return [_resource(group, entry) for entry in entries]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


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
