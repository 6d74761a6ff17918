"""What a real API server says of itself, and the fixture's objects: taken once, kept in the machine's cache.

The server of this package answers from it, so that kubectl sees the discovery, the schemas and the objects of the
cluster on which tests/system/recorder records.
"""

from __future__ import annotations

import base64
import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import requests

from tests.system.parts.cache import made
from tests.system.parts.control_plane import minor, require
from tests.system.parts.kube_apiserver import KubeAPIServer
from tests.system.parts.processes import wait_until
from tests.system.recorder import fixture
from tests.system.recorder.cluster import cluster

GROUPS = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
SCHEMA_V2 = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
SCHEMA_V3 = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf"
KEPT_HEADERS = ("Content-Type", "ETag", "Cache-Control", "Expires", "Last-Modified", "Vary")

Object = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to a GET of what does not change."""

    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Discovery and schemas by their paths (and the form asked for), objects by the paths of their collections."""

    answers: dict[str, Answer]
    objects: dict[str, list[Object]]
    kinds: dict[str, str]
    """What an object of a collection is."""


@cache
def snapshot() -> Snapshot:
    """Return the snapshot, taken from a real API server where this machine has none.

    Raises:
        Missing: there is none, and the programs to take one cannot be had.

    """
    made_from = b"".join(Path(module).read_bytes() for module in (__file__, str(fixture.__file__)))
    name = f"snapshot-{minor()}-{hashlib.sha256(made_from).hexdigest()[:12]}"
    found = json.loads((made(name, _take) / "snapshot.json").read_text())
    answers = {
        path: Answer(headers=answer["headers"], body=base64.b64decode(answer["body"]))
        for path, answer in found["answers"].items()
    }
    kinds = {path: resource["responseKind"]["kind"] for path, resource in _collections(answers)}
    return Snapshot(answers=answers, objects=found["objects"], kinds=kinds)


def _take(directory: Path) -> None:
    require()
    with tempfile.TemporaryDirectory(prefix="snapshot-") as name, cluster(Path(name)) as api:
        wait_until(lambda: _knows_widgets(api), "widgets in discovery and schemas")
        answers = dict(_answers(api))
        objects = dict(_objects(api, answers))
    text = {
        path: {"headers": answer.headers, "body": base64.b64encode(answer.body).decode()}
        for path, answer in answers.items()
    }
    (directory / "snapshot.json").write_text(json.dumps({"answers": text, "objects": objects}))


def _knows_widgets(api: KubeAPIServer) -> bool:
    return all(b"example.com" in _get(api, path).body for path in ("/apis", "/openapi/v3", "/openapi/v2"))


def _answers(api: KubeAPIServer) -> Iterator[tuple[str, Answer]]:
    groups = {path: _get(api, path, GROUPS) for path in ("/api", "/apis")}
    yield from groups.items()
    for version in dict.fromkeys(path.rpartition("/")[0] for path, _ in _collections(groups)):
        yield version, _get(api, version)  # `drain` and `scale` look for subresources here
    yield "/version", _get(api, "/version")
    yield "/openapi/v2", _get(api, "/openapi/v2", SCHEMA_V2)
    index = _get(api, "/openapi/v3")
    yield "/openapi/v3", index
    for entry in json.loads(index.body)["paths"].values():
        path = entry["serverRelativeURL"].partition("?")[0]
        # `explain` asks for JSON, all others for protobuf.
        yield path, _get(api, path, SCHEMA_V3)
        yield f"{path} json", _get(api, path)


def _collections(answers: dict[str, Answer]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the path of every resource, in all namespaces, with what discovery says of it."""
    for root in ("/api", "/apis"):
        for group in json.loads(answers[root].body)["items"]:
            at = f"{root}/{group['metadata']['name']}" if group["metadata"].get("name") else root
            for version in group["versions"]:
                for resource in version["resources"]:
                    yield f"{at}/{version['version']}/{resource['resource']}", resource


def _objects(api: KubeAPIServer, answers: dict[str, Answer]) -> Iterator[tuple[str, list[Object]]]:
    for path, resource in _collections(answers):
        if "list" in resource["verbs"]:
            yield path, _list(api, path)


def _list(api: KubeAPIServer, path: str) -> list[Object]:
    found = api.admin.get(path)
    version, kind = found["apiVersion"], found["kind"].removesuffix("List")
    for item in found["items"]:
        item["metadata"].pop("managedFields", None)
    return [{"apiVersion": version, "kind": kind, **item} for item in found["items"]]


def _get(api: KubeAPIServer, path: str, accept: str = "application/json") -> Answer:
    answer = requests.get(
        api.url + path,
        headers={"Accept": accept, "Accept-Encoding": "identity"},
        verify=str(api.ca_file),
        cert=(str(api.admin_certificate[0]), str(api.admin_certificate[1])),
        timeout=20,
    )
    assert answer.ok, f"GET {path}: {answer.status_code} {answer.text[:400]}"
    kept = {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers}
    return Answer(headers=kept, body=answer.content)
