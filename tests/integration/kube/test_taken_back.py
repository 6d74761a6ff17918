"""What a real kubectl writes where a cluster's policy was taken back, and where something on the way fails instead."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from kubectl_stepup.errors import KubectlFailed
from kubectl_stepup.stepup.published_policy import WORDS, text_of
from tests.integration.kube.kubectls import KUBECTLS
from tests.support.api_server import api_server, reply

OBJECT = "/api/v1/namespaces/kube-public/configmaps/kubectl-stepup-policy"
DISCOVERY = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [
            {
                "name": "configmaps",
                "singularName": "configmap",
                "namespaced": True,
                "kind": "ConfigMap",
                "verbs": ["get"],
            }
        ],
    },
}
FOUND = {
    "kind": "ConfigMap",
    "apiVersion": "v1",
    "metadata": {"name": "kubectl-stepup-policy", "namespace": "kube-public"},
    "data": {"policy.yaml": "a policy"},
}


def status(code: int, reason: str, message: str) -> tuple[int, bytes]:
    """Return an API server's own answer."""
    details = {"name": "kubectl-stepup-policy", "kind": "configmaps"}
    members = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "details": details}
    return code, json.dumps({**members, "code": code, "reason": reason, "message": message}).encode()


@dataclass
class API:
    """A server that answers discovery, and one thing about the object; `everywhere` answers that to everything."""

    url: str = ""
    answer: tuple[int, bytes] = (500, b"")
    everywhere: bool = False

    def reply(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path.partition("?")[0]
        code, body = self.answer
        if path != OBJECT and not self.everywhere:
            code, body = 200, json.dumps(DISCOVERY.get(path, {})).encode()
        kind = "application/json" if body.startswith(b"{") else "text/html"
        reply(handler, code, body, (("Content-Type", kind),))


@pytest.fixture
def api() -> Iterator[API]:
    told = API()
    with api_server(told.reply, tls=False) as running:
        told.url = running.url
        yield told


def asked(kubectl: str, api: API, home: Path) -> str | None:
    """Ask for the cluster's policy by kubectl; return what is made of its answer."""
    done = subprocess.run(
        [kubectl, f"--server={api.url}", *WORDS],
        env={"HOME": str(home)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    return text_of(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("kubectl", KUBECTLS)
def test_what_the_api_server_says_of_the_object_is_believed(kubectl: str, api: API, tmp_path: Path) -> None:
    api.answer = (200, json.dumps(FOUND).encode())
    assert asked(kubectl, api, tmp_path) == "a policy"
    api.answer = status(404, "NotFound", 'configmaps "kubectl-stepup-policy" not found')
    assert asked(kubectl, api, tmp_path) is None
    api.answer = status(
        403,
        "Forbidden",
        'configmaps "kubectl-stepup-policy" is forbidden: User "alice" cannot get resource "configmaps" in API group '
        '"" in the namespace "kube-public"',
    )
    assert asked(kubectl, api, tmp_path) is None


@pytest.mark.parametrize("kubectl", KUBECTLS)
@pytest.mark.parametrize("everywhere", [False, True])
@pytest.mark.parametrize(
    "answer",
    [
        (403, b"<html>forbidden by policy</html>"),
        (404, b"<html>no such site</html>"),
        (404, b"404 page not found"),
        (401, b"{}"),
        (502, b"bad gateway"),
        (403, b'{"message": "configmaps is forbidden"}'),
        (200, b"<html>sign in</html>"),
    ],
)
def test_what_something_on_the_way_says_is_not(
    kubectl: str, answer: tuple[int, bytes], everywhere: bool, api: API, tmp_path: Path
) -> None:
    api.answer, api.everywhere = answer, everywhere

    with pytest.raises(KubectlFailed):
        asked(kubectl, api, tmp_path)


@pytest.mark.parametrize("kubectl", KUBECTLS)
def test_no_network_is_not(kubectl: str, tmp_path: Path) -> None:
    with api_server(tls=False) as gone:
        pass

    with pytest.raises(KubectlFailed):
        asked(kubectl, API(url=gone.url), tmp_path)
