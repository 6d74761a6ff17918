"""A few requests to an API server, for the tests' own looks at it; everything a user does goes through kubectl."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeAPI:
    """An API server as one user sees it: a bearer token, or a client certificate and its key."""

    server: str
    ca_file: Path
    token: str | None = None
    certificate: tuple[Path, Path] | None = None

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send one request and give the answer, whatever its status."""
        with requests.Session() as session:
            session.trust_env = False
            return session.request(
                method,
                self.server + path,
                json=body,
                headers={
                    "Content-Type": content_type,
                    **({"Authorization": f"Bearer {self.token}"} if self.token else {}),
                    **(headers or {}),
                },
                verify=str(self.ca_file),
                cert=(str(self.certificate[0]), str(self.certificate[1])) if self.certificate else None,
                timeout=20,
            )

    def get(self, path: str) -> dict[str, Any]:
        """Return an object that is there."""
        return _ok(self.request("GET", path))

    def create(self, path: str, body: object) -> dict[str, Any]:
        """Create an object, which may be there already."""
        answer = self.request("POST", path, body)
        return {} if answer.status_code == 409 else _ok(answer)

    def whoami(self) -> dict[str, Any]:
        """Return `userInfo` as the server sees it (authentication.k8s.io/v1 SelfSubjectReview)."""
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        found = _ok(self.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", review))
        info: dict[str, Any] = found["status"]["userInfo"]
        return info


def _ok(answer: requests.Response) -> dict[str, Any]:
    assert answer.ok, f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text[:400]}"
    found: dict[str, Any] = answer.json()
    return found
