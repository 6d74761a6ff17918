"""`policy verify` from the outside, as far as it goes without a server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Cli, Result
from .test_policy_compile import CONFIG

KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://api.example.com"}}]
contexts: [{name: prod, context: {cluster: c, user: u}}]
users: [{name: u, user: {token: t}}]
"""


@pytest.fixture
def verify(
    cli: Cli, write: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Result]:
    """Verify with a kubectl that only says what the test wants."""
    config = write("config.yaml", CONFIG)
    kubeconfig = write("kubeconfig", KUBECONFIG)
    kubectl = tmp_path / "kubectl"
    monkeypatch.setenv("KUBECTL_PATH", str(kubectl))

    def call(*words: str, says: str = "error: You must be logged in to the server (Unauthorized)") -> Result:
        kubectl.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit 1\n")
        kubectl.chmod(0o755)
        return cli("policy", "verify", "--config", config, "--kubeconfig", kubeconfig, "--cluster", "prod-eu", *words)

    return call


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--level", "mfa", "--everyday-only"), "--everyday-only and --level exclude each other"),
        (
            ("--break-glass-group", "a", "--no-break-glass"),
            "--break-glass-group and --no-break-glass exclude each other",
        ),
        (("--level", "nosuch"), "nosuch"),
        (("--token-lifetime", "5"), "'5' is no duration such as 5m"),
    ],
)
def test_what_cannot_be_meant(verify: Callable[..., Result], words: tuple[str, ...], message: str) -> None:
    made = verify(*words)

    assert (made.code, made.out) == (2, "")
    assert message in made.err


def test_a_login_that_is_not_accepted(verify: Callable[..., Result]) -> None:
    made = verify("-o", "json")

    assert (made.code, made.error["code"]) == (4, "login-needed")
    assert made.error["hint"] == "sign in with it first: kubectl get pods"


def test_a_server_that_cannot_be_reached(verify: Callable[..., Result]) -> None:
    made = verify(says="Unable to connect to the server: dial tcp: lookup api.example.com: no such host")

    assert (made.code, made.out) == (1, "")
    assert "cluster prod-eu could not be asked who is calling: Unable to connect to the server" in made.err


def test_a_cluster_that_is_not_enrolled(verify: Callable[..., Result]) -> None:
    assert "context other is not enrolled" in verify("--cluster", "other").err


def test_a_context_that_leads_elsewhere_is_not_asked(
    verify: Callable[..., Result], write: Callable[[str, str], str]
) -> None:
    moved = write("moved", KUBECONFIG.replace("api.example.com", "evil.example.com"))
    made = verify("--kubeconfig", moved)

    assert made.code == 1
    assert "is not what was enrolled" in made.err
