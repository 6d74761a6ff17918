"""Fifty commands by kubectl itself and by us: the same bytes on standard output, the same exit code."""

from __future__ import annotations

import math
import shlex
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.lab import Lab, opened_lab

if TYPE_CHECKING:
    from collections.abc import Iterator
    from subprocess import CompletedProcess

ANYWHERE = """
version --client
version --client -o json
--help
get --help
delete -h
options
config view
config view -o json
config current-context
config get-contexts
config get-contexts -o name
config get-clusters
kustomize /nonexistent
create configmap x --from-literal=a=b --dry-run=client -o yaml
create namespace x --dry-run=client -o json
plugin list
completion bash
"""
"""Commands that ask no server, so that there is nothing to be elevated for."""

SERVED = """
get pods
get pods -o wide
get pods -o json
get pods -o yaml
get pods -o name
get pods -A
get pods -A -o json
get pods --no-headers
get pods --no-headers=true -o wide
get pods -L app
get pods web-0 nope
get pods --chunk-size=1
get pods --show-labels
get pods --sort-by=.metadata.name
get pods -l app=web
get pods -l app=nothing
get pods -o jsonpath={.items[*].metadata.name}
get pods -o custom-columns=N:.metadata.name
get pods -o go-template={{len\\ .items}}
get pod web-0
get pod web-0 -o yaml
get pod nope
get pod nope --ignore-not-found
get pods -n sandbox
get pods -n nowhere
get nonsense
get deployments
get deployments -o yaml
get namespaces
get nodes
get services
get configmaps
get configmaps -o json
get all
get pods,configmaps
get --raw /version
get --raw /nonsense
get pods --watch --request-timeout=1s
describe pod web-0
api-resources
api-resources -o name
api-versions
version
version -o json
auth can-i get pods
explain nonsense
delete pod nope
delete pod nope --ignore-not-found
label pod web-0 a=b --dry-run=server -o yaml
scale deployment nope --replicas=2
get secret nope -o yaml
logs nope
"""

RENEW_S = 120
"""Tokens live for five minutes."""


def lines(text: str) -> list[str]:
    return text.strip().splitlines()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with opened_lab(tmp_path_factory.mktemp("same")) as opened:
        opened.quietly("exec", "--", "get", "pods")
        yield opened


@pytest.fixture(scope="module")
def signed_in() -> list[float]:
    """Return when somebody signed in, the last time last."""
    return [-math.inf]


@pytest.fixture
def session(lab: Lab, signed_in: list[float]) -> None:
    """Sign in anew before the token of the last time can expire: the tests may run for longer than it lives."""
    if time.monotonic() - signed_in[-1] > RENEW_S:
        assert lab.stepup("login", "--scope", "user", "--fresh").code == 0
        signed_in.append(time.monotonic())


def seen(done: CompletedProcess[bytes]) -> tuple[bytes, int]:
    return done.stdout, done.returncode


def assert_same(lab: Lab, words: list[str], *flags: str) -> bytes:
    """Compare, and give our standard error. Ages grow: kubectl itself may say either of two things."""
    before = seen(lab.kubectl(*words))
    ours = lab.quietly("exec", *flags, "--", *words)
    assert seen(ours) == before or seen(ours) == seen(lab.kubectl(*words)), (before, ours)
    return ours.stderr


def test_there_are_fifty_that_ask_a_server() -> None:
    assert len(set(lines(SERVED))) >= 50
    assert len(set(lines(ANYWHERE) + lines(SERVED))) == len(lines(ANYWHERE) + lines(SERVED))


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize("command", lines(ANYWHERE) + lines(SERVED))
def test_as_policy_has_it(lab: Lab, command: str) -> None:
    """PROC-07."""
    assert_same(lab, shlex.split(command))


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize("command", lines(SERVED))
def test_elevated(lab: Lab, command: str) -> None:
    """PROC-07."""
    said = assert_same(lab, shlex.split(command), "--level", "mfa")

    assert said.startswith(b"Using mfa in prod, approved ")


@pytest.mark.parametrize("command", ["nonsense", "get --nonsense", "get pods --name"])
def test_what_nobody_can_evaluate_is_refused_with_nothing_on_standard_output(lab: Lab, command: str) -> None:
    done = lab.quietly("exec", "--", *shlex.split(command))
    assert (done.stdout, done.returncode) == (b"", 125)
