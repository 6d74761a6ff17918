"""What a proxied read says of an error is what `kubectl get --raw` says, and so is its exit code."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from typing import TYPE_CHECKING, Any, AnyStr

import pytest

from kubectl_stepup.kubeconfig.cluster_pin import ca_digest
from kubectl_stepup.kubectl.process import find
from kubectl_stepup.stepup.proxy_reader import proxy_reader
from tests.flows import CLUSTER, RESOLVED, session
from tests.support.api_server import api_server, reply, thief
from tests.support.values import repinned

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.api_server import APIServer

PATH = "/api/v1/namespaces/prod/pods/web-0:8080/proxy/"
TOKEN = "an-everyday-token"
STATUS = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
JSON, TEXT, HTML = "application/json", "text/plain; charset=utf-8", "text/html"


def status(code: int, **fields: object) -> tuple[int, str, bytes]:
    return code, JSON, json.dumps({**STATUS, "code": code, **fields}).encode()


ANSWERS = {
    "Forbidden": status(403, reason="Forbidden", message='pods "web-0" is forbidden: User "x" cannot get'),
    "Unauthorized": status(401, reason="Unauthorized", message="Unauthorized"),
    "NotFound": status(404, reason="NotFound", message='pods "web-0" not found'),
    "ServiceUnavailable": status(503, reason="ServiceUnavailable", message="no endpoints available for service"),
    "BadRequest": status(400, reason="BadRequest", message="a port is missing"),
    "InternalError": status(500, reason="InternalError", message="Internal error occurred"),
    "without a reason": status(500, message="something"),
    **{
        f"{code} {kind}": (code, kind, b"  not here\n")
        for code in (400, 403, 404, 405, 409, 418, 500, 503, 504)
        for kind in (TEXT, HTML)
    },
    "401 text": (401, TEXT, b"no"),
    "406 text": (406, TEXT, b"not that"),
    "415 text": (415, TEXT, b"not that"),
    "500 bytes": (500, "application/octet-stream", b"\0\1"),
    "500 json of another kind": (500, JSON, b'{"error": "x"}'),
    "404 json of another kind": (404, JSON, b"[]"),
    "502 no type": (502, "", b'bad "gateway"'),
}


def of_kubectl(api: APIServer, home: Path) -> subprocess.CompletedProcess[str]:
    config = home / "config"
    data = base64.b64encode(api.ca_pem.encode()).decode()
    config.write_text(
        json.dumps(
            {
                "current-context": "c",
                "clusters": [{"name": "c", "cluster": {"server": api.url, "certificate-authority-data": data}}],
                "users": [{"name": "u", "user": {"token": TOKEN}}],
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            }
        )
    )
    return subprocess.run(
        [find(os.environ, also_wheel=True), "get", "--raw", PATH, f"--kubeconfig={config}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def of_ours(api: APIServer, capfd: pytest.CaptureFixture[AnyStr]) -> tuple[int, AnyStr, AnyStr]:
    data = base64.b64encode(api.ca_pem.encode()).decode()
    pin: dict[str, Any] = {"server": api.url, "ca_sha256": ca_digest(api.ca_pem.encode())}
    resolved = repinned(RESOLVED, **pin, cluster_raw={"certificate-authority-data": data})
    capfd.readouterr()
    code = proxy_reader(repinned(CLUSTER, **pin), resolved, {}).read(PATH, repinned(session(), **pin))
    out, err = capfd.readouterr()
    return code, out, err


@pytest.mark.parametrize("name", ANSWERS)
def test_an_error_is_said_in_kubectls_words(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, kind, body = ANSWERS[name]
    with api_server(lambda handler: reply(handler, code, body, (("Content-Type", kind),) if kind else ())) as api:
        expected = of_kubectl(api, tmp_path)
        assert of_ours(api, capfd) == (expected.returncode, expected.stdout, expected.stderr)


@pytest.mark.parametrize("body", [b"", b"text", bytes(range(256)), b'{"kind": "Status", "status": "Failure"}'])
def test_what_is_no_error_is_the_same_bytes(
    body: bytes, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    with api_server(lambda handler: reply(handler, 200, body)) as api:
        assert of_ours(api, capfdbinary) == (0, body, b"")


def test_kubectl_itself_follows_a_redirect_and_takes_the_token_along(tmp_path: Path) -> None:
    """Why these reads are not kubectl's; where this fails, a kubectl has learned to keep a token."""
    with (
        thief() as elsewhere,
        api_server(lambda handler: reply(handler, 302, headers=(("Location", f"{elsewhere.url}/stolen"),))) as api,
    ):
        of_kubectl(api, tmp_path)
        assert set(elsewhere.tokens) == {f"Bearer {TOKEN}"}
