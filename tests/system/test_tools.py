"""The tools that people use beside kubectl, each doing its work on the lab: with the everyday login and elevated."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pexpect
import pyte
import pytest

from tests.system.lab.authentication import EVERYDAY
from tests.system.lab.lab import Desk
from tests.system.parts.go_tools import HELM, K9S, KUBELOGIN, OPA, build
from tests.system.parts.person import Person
from tests.system.parts.processes import wait_until

pytestmark = pytest.mark.system

ROWS, COLUMNS = 40, 160

# What these tools show does not depend on who issued the token.
with_one_provider = pytest.mark.parametrize("lab", ["oidc-provider"], indirect=True)


@pytest.fixture
def elevated(desk: Desk) -> Desk:
    """Return a desk with a static elevated context and a session for all programs."""
    assert desk.stepup("setup", "--yes", "--elevated-context", "prod-elevated").code == 0
    assert desk.stepup("login", "--scope", "user", decide="approve").code == 0
    return desk


def quietly(desk: Desk, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program as a script would, without a terminal."""
    return subprocess.run(
        [str(word) for word in words],
        env=desk.environ,
        cwd=desk.environ["HOME"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@with_one_provider
def test_kubelogin_gets_an_everyday_token_that_the_server_takes(desk: Desk) -> None:
    provider = desk.lab.provider
    words = [
        str(build(KUBELOGIN)),
        "get-token",
        "--grant-type=device-code",
        f"--oidc-issuer-url={provider.issuer}",
        f"--oidc-client-id={EVERYDAY}",
        *(f"--oidc-extra-scope={scope}" for scope in provider.scope.split() if scope != "openid"),
        f"--certificate-authority={provider.ca_file}",
        "--skip-open-browser",
    ]
    environ = {**desk.environ, "KUBERNETES_EXEC_INFO": json.dumps(_exec_info())}
    with subprocess.Popen(
        words, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            address = next(word for line in process.stderr for word in line.split() if "user_code=" in word)
            Person(provider).approve(*address.split("?user_code="))
            out, rest = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, rest
    credential = json.loads(out)
    assert desk.lab.api.as_bearer(credential["status"]["token"]).whoami()["username"] == "alice"


@with_one_provider
def test_helm_reads_its_releases_only_with_the_elevated_context(elevated: Desk) -> None:
    # Releases are secrets, so an everyday login does not see them.
    helm = build(HELM)
    refused = quietly(elevated, helm, "list", "--kube-context", "prod", "-n", "prod")
    assert refused.returncode == 1
    assert "secrets is forbidden" in refused.stderr
    listed = quietly(elevated, helm, "list", "--kube-context", "prod-elevated", "-n", "prod", "-o", "json")

    assert (listed.returncode, json.loads(listed.stdout)) == (0, []), listed.stderr


@pytest.fixture
def k9s(elevated: Desk) -> Iterator[pexpect.spawn]:
    """Return k9s on a terminal of its own."""
    words = ["--context", "prod-elevated", "-n", "prod", "-c", "pods", "--logoless", "--splashless"]
    environ = {**elevated.environ, "TERM": "xterm-256color"}
    child = pexpect.spawn(str(build(K9S)), words, env=environ, cwd=environ["HOME"], dimensions=(ROWS, COLUMNS))
    yield child
    child.close(force=True)


@with_one_provider
def test_k9s_shows_pods_through_a_static_entry(elevated: Desk, k9s: pexpect.spawn) -> None:
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)

    def shows(*words: str) -> bool:
        with suppress(pexpect.TIMEOUT, pexpect.EOF):
            stream.feed(k9s.read_nonblocking(65536, timeout=0.2))
        text = "\n".join(screen.display)
        return all(word in text for word in words)

    wait_until(lambda: shows("db-0", "web-0", "Pending"), "list of pods in k9s", within_s=30)


def test_opa_is_there_as_an_oracle_for_policies(tmp_path: Path) -> None:
    rule = tmp_path / "rule.rego"
    rule.write_text('package lab\n\nneeds := "mfa" if input.verb == "delete"\n')
    question = tmp_path / "input.json"
    question.write_text('{"verb": "delete"}')
    words: list[str | Path] = [build(OPA), "eval", "-d", rule, "-i", question, "--format=raw", "data.lab.needs"]
    asked = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)

    assert (asked.returncode, asked.stdout.strip()) == (0, "mfa"), asked.stderr


def _exec_info() -> dict[str, object]:
    return {"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "spec": {"interactive": False}}
