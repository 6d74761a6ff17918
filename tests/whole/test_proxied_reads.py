"""The whole program reads through a proxy subresource, whose pod answers with a redirect to somebody else's host."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from kubectl_stepup.demo.terminal import DemoTerminal
from kubectl_stepup.demo.world import forget_sessions
from kubectl_stepup.sessions.stores import keyctl
from tests.support.api_server import APIServer, api_server, reply, thief
from tests.support.lab.lab import GROUPS, LabHome, everyday_token, furnish
from tests.support.provider.model import Answer
from tests.support.provider.server import Provider
from tests.support.warm_start import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from kubectl_stepup.demo.terminal import Ran

POLICY = """\
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Policy
levels:
  - {name: mfa, signedInWithin: 15m, askAgainAfter: 10m}
rules:
  - {name: shells, do: [shell], needs: mfa}
"""
REDIRECTED = "/api/v1/namespaces/prod/pods/web-0:8080/proxy/"
PLAIN = "/api/v1/nodes/worker-1/proxy/stats/summary"


@dataclass(frozen=True, kw_only=True)
class World:
    """A person, an API server whose pod is somebody else's, and that somebody's host."""

    terminal: DemoTerminal
    api: APIServer
    elsewhere: APIServer
    records: Path

    def stepup(self, *words: str) -> Ran:
        return self.terminal.run([*PROGRAM, "exec", "--", *words])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened(tmp_path) as one:
        yield one


@contextmanager
def opened(directory: Path) -> Iterator[World]:
    with ExitStack() as stack:
        elsewhere = stack.enter_context(thief())

        def answer(handler: BaseHTTPRequestHandler) -> None:
            if handler.path.startswith(REDIRECTED):  # as a kube-apiserver hands on what a pod says
                reply(handler, 302, headers=(("Location", f"{elsewhere.url}/stolen?secret=s3cr3t"),))
            elif handler.path == PLAIN:
                reply(handler, 200, b'{"node": {}}')
            else:
                reply(handler, 404, b'{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404}')

        api = stack.enter_context(api_server(answer))
        provider = stack.enter_context(Provider(directory, answer=Answer(interval=1, claims=GROUPS)))
        stack.callback(forget_sessions, provider.issuer, keyctl.USER_KEYRING)
        home = LabHome(
            issuer=provider.issuer,
            provider_ca=provider.ca_file,
            server=api.url,
            ca_pem=api.ca_pem,
            everyday_token=everyday_token(provider),
            policy=POLICY,
        )
        terminal = stack.enter_context(DemoTerminal(furnish(directory, home)))
        records = directory / "home/.local/state/kubectl-stepup/audit.jsonl"
        yield World(terminal=terminal, api=api, elsewhere=elsewhere, records=records)


def elevated_tokens(server: APIServer, path: str) -> set[str | None]:
    return {headers.get("authorization") for line, headers in server.seen if line == f"GET {path}"}


def test_the_token_does_not_follow_a_redirect(world: World) -> None:
    ran = world.stepup("get", "--raw", REDIRECTED)

    assert ran.code == 1, ran.screen
    assert "Approved" in ran.screen
    assert f"error: the server answered 302, a redirect to {world.elsewhere.url}" in ran.screen
    assert "s3cr3t" not in ran.screen
    assert world.elsewhere.seen == []
    assert len(elevated_tokens(world.api, REDIRECTED)) == 1
    assert '"exitCode":1' in world.records.read_text().replace(" ", "")


def test_what_is_no_redirect_is_read_with_the_same_session(world: World) -> None:
    first, second = world.stepup("get", "--raw", PLAIN), world.stepup("get", f"--raw={PLAIN}")

    assert (first.code, second.code) == (0, 0), first.screen + second.screen
    assert '{"node": {}}' in second.screen
    assert "Using mfa in prod, approved" in second.screen
    assert len(elevated_tokens(world.api, PLAIN)) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("get", "pods", "web-0:8080", "--subresource=proxy", "-n", "prod"),
        ("get", "--raw", f"{REDIRECTED}?a=b"),
        ("get", "--raw", REDIRECTED.replace("/proxy", "/%70roxy")),
        ("delete", "--raw", REDIRECTED),
        ("proxy", "--port=0"),
    ],
)
def test_every_other_form_is_refused_before_anybody_is_asked(world: World, words: tuple[str, ...]) -> None:
    ran = world.stepup(*words)

    assert ran.code == 125, ran.screen
    assert "hint: kubectl stepup exec -- " in ran.screen
    assert "Compare code" not in ran.screen
    assert (world.api.seen, world.elsewhere.seen) == ([], [])
