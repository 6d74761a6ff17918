"""The smallest API server for `kubectl get pods`: TLS on loopback, one token, three pods."""

from __future__ import annotations

import hmac

from kubectl_stepup.demo import discovery
from kubectl_stepup.demo.certificates import new_authority
from kubectl_stepup.demo.https_server import HTTPRequest, HTTPResponse, HTTPSServer, json_response


class LoopbackAPI:
    """Serve until `close()`. `refused` counts requests without the token."""

    def __init__(self, token: str, *, now: float) -> None:
        authority = new_authority(now)
        self.ca_pem = authority.pem
        self.refused = 0
        self._token = token
        self._server = HTTPSServer(authority.server_context(now), self._answer)
        self.url = self._server.url

    def close(self) -> None:
        """Stop serving."""
        self._server.close()

    def _answer(self, request: HTTPRequest) -> HTTPResponse:
        if not hmac.compare_digest(request.headers.get("Authorization", ""), f"Bearer {self._token}"):
            self.refused += 1
            return json_response({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 401}, 401)
        if request.path.endswith("/pods"):
            return json_response(PODS)
        found = discovery.document(request)
        missing = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
        return json_response(missing, 404) if found is None else found


PODS = {
    "kind": "PodList",
    "apiVersion": "v1",
    "metadata": {"resourceVersion": "1"},
    "items": [
        {"metadata": {"name": f"web-{index}", "namespace": "default", "creationTimestamp": "2026-01-01T00:00:00Z"}}
        for index in range(3)
    ],
}
