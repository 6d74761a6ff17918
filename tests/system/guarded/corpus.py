"""Run commands on a guarded cluster as people do, and tell what came of each by the server's own record."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from kubectl_stepup.enforce.targets.requests_cel import EXEMPT_KINDS
from tests.support.sent import STREAMS, WRITES
from tests.system.differential.runner import MANIFESTS
from tests.system.guarded.cluster import Guarded
from tests.system.guarded.corpus_objects import set_up
from tests.system.parts import kubectls
from tests.system.recorder.running import DATA, environment, run

CORPUS = DATA / "corpus"
WEB = "127.0.0.1:18081"
"""Where the corpus expects a manifest; `Bench` serves it elsewhere."""

REVIEWS = {"authentication.k8s.io", "authorization.k8s.io"}
LONGEST_S = 5.0
EVICTION = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "x", "namespace": "default"}}
BODIES = {"man/pod.yaml": "eviction.json"}
"""What a raw request sends where the corpus has a body that no server would take."""

PLUGIN = "#!/bin/sh\nexec {kubectl} delete pod viaplugin --wait=false\n"
KUBERC = {
    "apiVersion": "kubectl.config.k8s.io/v1beta1",
    "kind": "Preference",
    "aliases": [
        {
            "name": "lookup",
            "command": "delete",
            "prependArgs": ["pod"],
            "options": [{"name": "wait", "default": "false"}],
        }
    ],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request as the server recorded it: what it was, the code of the answer and, of a refusal, the message.

    `missed` are the rules for which a level was missing, by the annotations of their policies.
    """

    verb: str
    group: str
    resource: str
    subresource: str
    code: int
    message: str
    impersonated: bool = False
    missed: frozenset[str] = frozenset()

    @property
    def gated(self) -> bool:
        """Whether admission control is asked about it, by Kubernetes' own documents."""
        if self.resource in EXEMPT_KINDS or self.group in REVIEWS or self.impersonated:
            return False
        return self.verb in WRITES or self.subresource in STREAMS

    @property
    def by_our_objects(self) -> bool:
        """Whether it was refused by one of the compiled policies."""
        return self.code == 403 and "ValidatingAdmissionPolicy 'kubectl-stepup-" in self.message


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a command; no code for one that was stopped."""

    code: int | None
    said: str
    seen: tuple[Seen, ...]

    @property
    def changed(self) -> set[str]:
        """The resources of which something was changed."""
        return {one.resource for one in self.seen if one.verb in WRITES and one.code < 300}

    @property
    def denials(self) -> tuple[Seen, ...]:
        """The requests that our objects refused."""
        return tuple(one for one in self.seen if one.by_our_objects)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where the commands are run: a copy of the corpus' folder, a home, and a server of manifests."""

    guarded: Guarded
    directory: Path
    environ: dict[str, str]
    web: str

    def run(
        self, argv: list[str], token: str, more: dict[str, str] | None = None, *, namespace: str = "default"
    ) -> Outcome:
        """Run a command as the holder of a token; `more` are variables, and STDIN a file."""
        more = dict(more or {})
        kubeconfig = Path(self.environ["HOME"]) / ".kube/config"
        kubeconfig.write_text(_kubeconfig(self.guarded, token, namespace))
        environ = {**self.environ, **{name: value.replace(WEB, self.web) for name, value in more.items()}}
        if more.get("KUBECTL_KUBERC") == "true":
            del environ["KUBERC"]
        words = [str(kubectls.kubectl(kubectls.NEWEST)), *(word.replace(WEB, self.web) for word in argv)]
        stdin = environ.pop("STDIN", None)
        if stdin and "--raw" in argv:
            stdin = BODIES[stdin]
        if stdin:
            words = ["/bin/sh", "-c", 'exec "$@" < "$0"', stdin, *words]
        log = self.guarded.api.audit_log
        before = log.stat().st_size
        code, said = run(words, environ, self.directory, longest_s=LONGEST_S)
        with log.open("rb") as file:
            file.seek(before)
            events = [json.loads(line) for line in file.read().splitlines()]
        return Outcome(
            code=code,
            said=said.decode("utf-8", "replace"),
            seen=tuple(_seen(event) for event in events if _is_persons(event)),
        )


@contextmanager
def opened_bench(guarded: Guarded, directory: Path) -> Iterator[Bench]:
    """Set the cluster up for the corpus, for the time of the block."""
    kubectl = kubectls.kubectl(kubectls.NEWEST)
    place = directory / "corpus"
    shutil.copytree(CORPUS, place)
    shutil.copytree(MANIFESTS, place, dirs_exist_ok=True)
    (place / "eviction.json").write_text(json.dumps(EVICTION))
    environ = environment(directory / "home", _kubeconfig(guarded, "", "default"))
    (directory / "home/.kube/kuberc").write_text(yaml.safe_dump(KUBERC))
    programs = directory / "bin"
    programs.mkdir()
    (programs / "kubectl-create-foo").write_text(PLUGIN.format(kubectl=kubectl))
    (programs / "kubectl-create-foo").chmod(0o755)
    environ["PATH"] = f"{programs}:{environ['PATH']}"
    handler = partial(_Quiet, directory=str(place / "man"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            set_up(guarded.api.admin)
            yield Bench(guarded=guarded, directory=place, environ=environ, web=f"127.0.0.1:{server.server_address[1]}")
        finally:
            server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        return


def _is_persons(event: dict[str, Any]) -> bool:
    return "objectRef" in event and event["user"].get("username") == "alice"


def _seen(event: dict[str, Any]) -> Seen:
    at, answer = event["objectRef"], event.get("responseStatus", {})
    return Seen(
        verb=event["verb"],
        group=at.get("apiGroup", ""),
        resource=at.get("resource", ""),
        subresource=at.get("subresource", ""),
        code=answer.get("code", 0),
        message=answer.get("message", ""),
        impersonated="impersonatedUser" in event,
        missed=frozenset(
            key.removeprefix("kubectl-stepup-").removesuffix("/step-up")
            for key, value in event.get("annotations", {}).items()
            if key.endswith("/step-up") and value.endswith(": missing")
        ),
    )


def _kubeconfig(guarded: Guarded, token: str, namespace: str) -> str:
    document = yaml.safe_load(guarded.api.kubeconfig(guarded.api.admin_certificate))
    document["users"] = [{"name": "alice", "user": {"token": token}}]
    context = {"cluster": "lab", "user": "alice", "namespace": namespace}
    document["contexts"] = [{"name": name, "context": context} for name in ("ctx", "ctx2", "lab")]
    document["current-context"] = "ctx"
    return yaml.safe_dump(document)
