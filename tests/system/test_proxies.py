"""Proxy subresources of a real API server: who is redirected, who takes a token along, and who is kept out.

The API server proxies to no loopback address: the pod has another one, on the loopback device.
"""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import yaml

from kubectl_stepup.kubeconfig.cluster_pin import ca_digest
from kubectl_stepup.kubectl.variables import DROPPED
from kubectl_stepup.secret import Secret
from kubectl_stepup.stepup.proxy_reader import proxy_reader
from tests.flows import CLUSTER, RESOLVED, session
from tests.support.api_server import APIServer, reply, thief
from tests.support.certificates import Authority
from tests.support.values import repinned
from tests.system.guarded.cluster import BREAK_GLASS, Guarded, enforce, opened_guarded
from tests.system.guarded.person import settle
from tests.system.guarded.policies import LADDER
from tests.system.guarded.roles import allow_everything
from tests.system.parts import kubectls
from tests.system.parts.cache import Missing, program
from tests.system.parts.processes import wait_until

pytestmark = pytest.mark.system

PODS = "/api/v1/namespaces/shop/pods"
ADDRESS = "198.51.100.66"
"""Of nobody (RFC 5737)."""

GLASS = ("--break-glass-group", BREAK_GLASS)
NO_PROXY = "ValidatingAdmissionPolicy 'kubectl-stepup-elevated-proxy'"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with opened_guarded(tmp_path_factory.mktemp("proxies"), LADDER) as found:
        allow_everything(found.api.admin, "dev")
        yield found


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Return the loopback device one more address, which nobody else reaches."""
    tool = program("ip", part="an address beside loopback", how="install iproute2")
    if os.geteuid() != 0:
        raise Missing("an address beside loopback", "run as root")
    subprocess.run([tool, "address", "replace", f"{ADDRESS}/32", "dev", "lo"], check=True, capture_output=True)
    yield ADDRESS
    subprocess.run([tool, "address", "delete", f"{ADDRESS}/32", "dev", "lo"], check=False, capture_output=True)


@pytest.fixture
def elsewhere() -> Iterator[APIServer]:
    with thief() as running:
        yield running


class Pod(BaseHTTPRequestHandler):
    """What runs in the pod: `/moved` leads to somebody else's host."""

    target = ""
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Redirect, or answer with bytes."""
        if self.path.startswith("/moved"):
            reply(self, 302, headers=(("Location", self.target),))
        else:
            reply(self, 200, bytes(range(256)))

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


@pytest.fixture(scope="module")
def pod(guarded: Guarded, address: str) -> Iterator[str]:
    """Run a program where a pod's address says that the pod is; return the path of its proxy."""
    with ThreadingHTTPServer((address, 0), Pod) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        admin = guarded.api.admin
        container = {"name": "c", "image": "registry.example.com/c:1"}
        admin.create(PODS, {"metadata": {"name": "moved"}, "spec": {"containers": [container], "nodeName": "worker-1"}})
        found = admin.request("GET", f"{PODS}/moved").json()
        found["status"] = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]}
        admin.request("PUT", f"{PODS}/moved/status", found).raise_for_status()
        yield f"{PODS}/moved:{server.server_port}/proxy"
        server.shutdown()


def our_read(guarded: Guarded, path: str, level: str = "mfa") -> int:
    ca = guarded.api.ca_file.read_bytes()
    pin: dict[str, Any] = {"server": guarded.api.url, "ca_sha256": ca_digest(ca)}
    data = base64.b64encode(ca).decode()
    resolved = repinned(RESOLVED, **pin, cluster_raw={"certificate-authority-data": data})
    token = Secret(guarded.token(acr={"mfa": "gold", "critical": "phr"}[level]))
    approved = repinned(session(level=level), **pin, token=token)
    return proxy_reader(repinned(CLUSTER, **pin), resolved, {}).read(path, approved)


@pytest.mark.parametrize("version", [kubectls.NEWEST])
def test_kubectl_takes_an_elevated_token_after_a_pods_redirect(
    version: str, guarded: Guarded, pod: str, elsewhere: APIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Why no elevated kubectl is run for it."""
    monkeypatch.setattr(Pod, "target", f"{elsewhere.url}/stolen")
    token = guarded.token()
    guarded.kubectl("get", "--raw", f"{pod}/moved", token=token)
    assert set(elsewhere.tokens) == {f"Bearer {token}"}


def test_our_read_takes_nothing_anywhere(
    guarded: Guarded,
    pod: str,
    elsewhere: APIServer,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(Pod, "target", f"{elsewhere.url}/stolen?secret=s3cr3t")
    assert our_read(guarded, f"{pod}/moved") == 1
    assert elsewhere.seen == []
    error = capfd.readouterr().err
    assert f"error: the server answered 302, a redirect to {elsewhere.url}: " in error
    assert "s3cr3t" not in error


def test_our_read_is_the_same_bytes(guarded: Guarded, pod: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert our_read(guarded, f"{pod}/metrics") == 0
    assert capfdbinary.readouterr() == (bytes(range(256)), b"")


def test_what_the_server_refuses_is_said_as_kubectl_says_it(
    guarded: Guarded, capfd: pytest.CaptureFixture[str]
) -> None:
    path = "/api/v1/nodes/nope/proxy/stats/summary"
    assert our_read(guarded, path, level="critical") == 1
    ours = capfd.readouterr().err
    theirs = guarded.kubectl("get", "--raw", path, token=guarded.token(acr="phr"))
    assert (theirs.returncode, theirs.stderr) == (1, ours)


def test_a_variable_makes_kubectl_show_the_token(guarded: Guarded) -> None:
    """Why GODEBUG is taken out of an elevated command's environment (kubectl/variables.py)."""
    token = guarded.token()
    kubeconfig = guarded.directory / "shown.yaml"
    document = yaml.safe_load(guarded.api.kubeconfig(guarded.api.admin_certificate))
    document["users"][0]["user"] = {"token": token}
    kubeconfig.write_text(yaml.safe_dump(document))
    environ = {"HOME": str(guarded.directory), "KUBECONFIG": str(kubeconfig), "GODEBUG": "http2debug=1"}
    words = [str(kubectls.kubectl(kubectls.NEWEST)), "get", "--raw", "/version"]
    ran = subprocess.run(words, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert token in ran.stderr
    assert "GODEBUG" in DROPPED


# -- an aggregated API ------------------------------------------------------------------------------------------------


class Extension(BaseHTTPRequestHandler):
    """An extension API server of somebody else's: it redirects whoever gets an object."""

    target = ""
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Describe itself, and redirect the rest."""
        path = self.path.partition("?")[0].rstrip("/")
        if path in ("/apis", "/apis/moved.example.com/v1", "/openapi/v2", "/openapi/v3"):
            body = (
                b'{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "moved.example.com/v1", "resources": '
                b'[{"name": "things", "singularName": "thing", "namespaced": true, "kind": "Thing", "verbs": ["get"]}]}'
            )
            reply(self, 200, body, (("Content-Type", "application/json"),))
        else:
            reply(self, 302, headers=(("Location", self.target),))

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


@pytest.fixture(scope="module")
def aggregated(guarded: Guarded) -> Iterator[None]:
    """Register an extension API server on loopback."""
    context = Authority().server_context("localhost")
    with ThreadingHTTPServer(("127.0.0.1", 0), Extension) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        admin = guarded.api.admin
        admin.create(
            "/api/v1/namespaces/default/services",
            {"metadata": {"name": "moved"}, "spec": {"type": "ExternalName", "externalName": "localhost"}},
        )
        service = {"namespace": "default", "name": "moved", "port": server.server_port}
        spec = {"group": "moved.example.com", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 100}
        services = "/apis/apiregistration.k8s.io/v1/apiservices"
        metadata = {"name": "v1.moved.example.com"}
        spec = {**spec, "insecureSkipTLSVerify": True, "service": service}
        admin.create(services, {"metadata": metadata, "spec": spec})
        kind = "/apis/moved.example.com/v1"
        wait_until(lambda: admin.request("GET", kind).ok, "the aggregated API", within_s=60, every_s=0.25)
        yield
        admin.request("DELETE", f"{services}/v1.moved.example.com").raise_for_status()
        server.shutdown()


def test_a_redirect_of_an_aggregated_api_is_not_handed_on(
    guarded: Guarded, aggregated: None, elsewhere: APIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--aggregator-reject-forwarding-redirect`, on since Kubernetes 1.25: kubectl would follow it."""
    monkeypatch.setattr(Extension, "target", f"{elsewhere.url}/stolen")
    path = "/apis/moved.example.com/v1/namespaces/shop/things/x"
    for words in (("get", "--raw", path), ("get", "things.moved.example.com", "x", "-n", "shop")):
        ran: subprocess.CompletedProcess[str] = guarded.kubectl(*words, token=guarded.token())
        assert ran.returncode == 1, ran.stdout
    assert guarded.elevated().request("GET", path).status_code == 502
    assert elsewhere.seen == []


# -- `policy compile --no-elevated-proxy` -----------------------------------------------------------------------------

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
PATHS = {
    "pods": f"{PODS}/web-0:80/proxy/x",
    "services": "/api/v1/namespaces/shop/services/https:web:443/proxy/x",
    "nodes": "/api/v1/nodes/worker-1/proxy/stats",
    "pods, no path": f"{PODS}/web-0/proxy",
}
UNGUARDED = LADDER.replace("stop, shell,", "stop,").replace("nodes/proxy", "nodes/status")


@pytest.fixture(scope="module")
def kept_out(guarded: Guarded) -> Guarded:
    """The same cluster, whose policy asks nobody for a step-up here, compiled with the option."""
    compiled = enforce(guarded, UNGUARDED, *GLASS, "--no-elevated-proxy")
    assert "elevated-proxy" in (guarded.directory / "server/policies.yaml").read_text(), compiled.stderr
    return guarded


@pytest.mark.parametrize("level", ["mfa", "critical"])
@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS.keys())
def test_no_elevated_login_reaches_a_proxy_by_any_method(kept_out: Guarded, path: str, level: str) -> None:
    """Admission sees every method on a proxy as CONNECT, reads too."""
    api = kept_out.elevated(level)
    for method in METHODS:
        answer = api.request(method, path)
        assert answer.status_code == 403, f"{method} {answer.status_code} {answer.text}"
        assert method == "HEAD" or NO_PROXY in answer.text
        assert method == "HEAD" or "run: kubectl stepup exec -- port-forward" in answer.text


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS.keys())
def test_everyday_logins_and_machines_are_left_to_the_rules(kept_out: Guarded, path: str) -> None:
    for api in (kept_out.everyday(), kept_out.api.admin):
        assert NO_PROXY not in api.request("GET", path).text


def test_other_connections_are_left_to_the_rules(kept_out: Guarded) -> None:
    for part in ("exec?command=date", "portforward", "log"):
        assert NO_PROXY not in kept_out.elevated().request("GET", f"{PODS}/web-0/{part}").text


def test_our_read_says_what_the_server_says(kept_out: Guarded, capfd: pytest.CaptureFixture[str]) -> None:
    assert our_read(kept_out, f"{PODS}/web-0/proxy/") == 1
    assert NO_PROXY in capfd.readouterr().err


def test_verify_knows_how_it_was_compiled(guarded: Guarded) -> None:
    enforce(guarded, LADDER, *GLASS, "--no-elevated-proxy")
    person = settle(guarded)
    person.sign_in("mfa")

    def states(*flags: str) -> set[str]:
        _, found = person.verify(*flags)
        return {one["state"] for one in found if one["subject"] == "elevated-proxy"}

    assert states() == {"enforced"}
    guarded.kubectl("delete", "validatingadmissionpolicybinding", "kubectl-stepup-elevated-proxy")
    assert "gap" in states()
    enforce(guarded, LADDER, *GLASS)
    assert states() == set()
    assert "gap" in states("--no-elevated-proxy")


def test_without_the_option_nothing_is_compiled_for_it(guarded: Guarded) -> None:
    enforce(guarded, LADDER, *GLASS)
    assert "elevated-proxy" not in "".join(one.read_text() for one in (guarded.directory / "server").iterdir())
    assert NO_PROXY not in guarded.elevated().request("GET", f"{PODS}/web-0/proxy/x").text
