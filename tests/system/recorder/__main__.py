"""Record what kubectls send: `make corpus`, which writes tests/data/recorded/commands.jsonl anew.

Every command of commands.txt is run by every kubectl as the administrator of a real API server, whose audit log says
what came: so nobody here interpreted a path. A row is a command and what came of it, with the kubectls for which it
was so.
"""

from __future__ import annotations

import json
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.system.parts import kubectls
from tests.system.parts.control_plane import require
from tests.system.parts.kube_apiserver import KubeAPIServer
from tests.system.recorder import fixture
from tests.system.recorder.cluster import GENERATED, cluster
from tests.system.recorder.running import DATA, environment, run

HERE = Path(__file__).parent
VERSIONS = ("1.32", "1.36", "1.37")
LONGEST_S = 4.0

Request = tuple[str, str, str, str, str, str]
"""Verb, API group, resource, subresource, namespace and name."""


def commands() -> list[str]:
    """Return the commands to record."""
    lines = (HERE / "commands.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def main() -> None:
    """Record all and write the file."""
    require()
    place = DATA / "recorded" / "commands.jsonl"
    fresh = place.with_suffix(".new")
    place.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="recorder-") as name, cluster(Path(name)) as api, fresh.open("w") as out:
        environ = environment(Path(name) / "home", api.kubeconfig(api.admin_certificate, namespace=fixture.SHOP))
        for at, command in enumerate(commands(), 1):
            for row in _rows(command, environ, api):
                out.write(f"{json.dumps(row)}\n")
            out.flush()
            print(f"\r{at} of {len(commands())}  ", end="", flush=True)
    fresh.replace(place)
    print(f"\nwritten: {place}")


def _rows(command: str, environ: dict[str, str], api: KubeAPIServer) -> Iterator[dict[str, Any]]:
    """Run a command with every kubectl; return a row for each outcome."""
    found: dict[str, list[str]] = {}
    for version in VERSIONS:
        outcome = _record(kubectls.kubectl(version), command, environ, api)
        found.setdefault(json.dumps(outcome), []).append(version)
    for what, which in found.items():
        yield {"command": command, "kubectl": which, **json.loads(what)}


def _record(program: Path, command: str, environ: dict[str, str], api: KubeAPIServer) -> dict[str, Any]:
    """Run a command and give its exit code and requests; what it took away is there again afterwards."""
    before = api.audit_log.stat().st_size
    code, _ = run([str(program), *shlex.split(command)], environ, DATA / "corpus", longest_s=LONGEST_S)
    with api.audit_log.open("rb") as log:
        log.seek(before)
        events = [json.loads(line) for line in log.read().splitlines()]
    sent = sorted({_request(event) for event in events if _is_kubectls(event)})
    if any(request[0] not in {"get", "list", "watch"} for request in sent):
        fixture.restore(api.admin)
    return {"rc": "TIMEOUT" if code is None else code, "requests": sent}


def _is_kubectls(event: dict[str, Any]) -> bool:
    return "objectRef" in event and event["userAgent"].startswith("kubectl")


def _request(event: dict[str, Any]) -> Request:
    at = event["objectRef"]
    fields = (at.get(key, "") for key in ("apiGroup", "resource", "subresource", "namespace"))
    group, resource, subresource, namespace = fields
    return event["verb"], group, resource, subresource, namespace, GENERATED.sub(r"\1-*", at.get("name", ""))


if __name__ == "__main__":
    main()
