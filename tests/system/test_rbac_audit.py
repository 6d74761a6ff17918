"""`rbac audit` on a real API server: it finds what was planted, and what `--fix` prints closes it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.rbac.weaknesses import ALSO, PLANTED, STATED, WEAKNESSES
from tests.system.lab.home import PROGRAM
from tests.system.lab.objects import gates
from tests.system.parts import control_plane, kubectls
from tests.system.parts.cache import MACHINE
from tests.system.parts.etcd import etcd
from tests.system.parts.kube_apiserver import KubeAPIServer, kube_apiserver
from tests.system.parts.kube_controller_manager import kube_controller_manager

pytestmark = pytest.mark.system

SHELLS = """\
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Policy
levels:
  - {name: mfa, signedInWithin: 15m, askAgainAfter: 10m}
rules:
  - {name: shells, do: [shell], needs: mfa}
"""

NO_SIGN_IN = {"apiVersion": "apiserver.config.k8s.io/v1beta1", "kind": "AuthenticationConfiguration", "jwt": []}
KEPT = {"workload-create", "published-policy-write", "stop"}
"""What RBAC cannot tell from everyday work; docs/reference/rbac-audit.md says what to do instead."""

MACHINES = {"powerful-service-account", "powerful-default-service-account"}

Found = set[tuple[str, str, str, str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Admin:
    """An administrator with kubectl, and with us."""

    environ: dict[str, str]
    kubectl_path: Path

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        """Run kubectl, which succeeds, and give what it printed."""
        return self._run((str(self.kubectl_path), *words), stdin)

    def audit(self, *words: str, stdin: str | None = None) -> str:
        """Run `rbac audit` and give what it printed."""
        return self._run((*PROGRAM, "rbac", "audit", *words), stdin)

    def can(self, verb: str, resource: str, *who: str) -> bool:
        """Ask the server what somebody may do everywhere."""
        command = [str(self.kubectl_path), "auth", "can-i", verb, resource, "--all-namespaces", *who]
        done = subprocess.run(command, env=self.environ, capture_output=True, text=True, check=False, timeout=60)
        return done.stdout.startswith("yes")

    def _run(self, command: tuple[str, ...], stdin: str | None) -> str:
        done = subprocess.run(
            command, env=self.environ, input=stdin, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, no_orphans: None) -> Iterator[KubeAPIServer]:
    """Return an API server that nobody has signed in to but its administrator."""
    control_plane.require()
    directory = tmp_path_factory.mktemp("rbac")
    with (
        etcd(directory) as store,
        kube_apiserver(directory, etcd=store, authentication=json.dumps(NO_SIGN_IN)) as api,
        kube_controller_manager(directory, api=api),
    ):
        yield api


@pytest.fixture(scope="module")
def admin(server: KubeAPIServer, tmp_path_factory: pytest.TempPathFactory) -> Admin:
    """Return the administrator a home."""
    home = tmp_path_factory.mktemp("admin")
    path = kubectls.kubectl(kubectls.NEWEST)
    kubeconfig = home / "kubeconfig"
    kubeconfig.touch(mode=0o600)
    kubeconfig.write_text(server.kubeconfig(server.admin_certificate))
    search = os.pathsep.join([str(path.parent), MACHINE.get("PATH", os.defpath)])
    return Admin(environ={"HOME": str(home), "PATH": search, "KUBECONFIG": str(kubeconfig)}, kubectl_path=path)


def found_in(answer: str) -> Found:
    """Return the findings of `-o json` without where they were read."""
    items: list[dict[str, Any]] = json.loads(answer)["items"]
    return {
        (
            one["binding"]["name"],
            one["id"],
            one["severity"],
            " ".join([one["subject"]["kind"], one["subject"]["name"]]),
            one["scope"],
        )
        for one in items
    }


def test_nothing_is_found_before_it_is_planted_all_is_after_and_the_fix_closes_it(admin: Admin, tmp_path: Path) -> None:
    fresh = found_in(admin.audit("-o", "json"))
    assert {(code, subject) for _, code, _, subject, _ in fresh} == STATED

    admin.kubectl("apply", "-f", str(WEAKNESSES))
    # The controller fills the aggregated role; the path does not wait for it, kubectl's own answer does.
    live = admin.audit("-o", "json")
    planted = found_in(live) - fresh
    expected = {(number, code) for number, (code, _, _) in PLANTED.items()} | ALSO
    assert {(name.upper(), code) for name, code, *_ in planted} == expected

    # The same from a file that kubectl wrote, by standard input.
    kinds = "clusterroles,clusterrolebindings,roles,rolebindings,serviceaccounts"
    backup = admin.kubectl("get", kinds, "-A", "-o", "yaml")
    assert found_in(admin.audit("--from", "-", "-o", "json", stdin=backup)) == found_in(live)

    # A guard of ours that stands holds what it is about, for people.
    guard = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(gates("gold", SHELLS))})
    admin.kubectl("apply", "-f", "-", stdin=guard)
    held = {(name, code) for name, code, *_ in found_in(live) - found_in(admin.audit("-o", "json"))}
    assert held == {
        ("w12", "pod-exec"),
        ("w14", "ephemeral-containers"),
        ("w35", "pod-proxy"),
        # The guard of what we publish comes with every policy.
        ("w32", "published-policy-write"),
    }
    admin.kubectl("delete", "-f", "-", stdin=guard)

    fix = tmp_path / "fix.yaml"
    fix.write_text(admin.audit("--fix"))
    assert admin.can("list", "secrets", "--as=ann", "--as-group=auditors")
    admin.kubectl("apply", "--dry-run=server", "-f", str(fix))
    assert found_in(admin.audit("-o", "json")) == found_in(live)
    admin.kubectl("apply", "-f", str(fix))

    left = {(code, subject) for _, code, _, subject, _ in found_in(admin.audit("-o", "json"))} - STATED
    assert {code for code, _ in left} <= KEPT | MACHINES
    assert not admin.can("list", "secrets", "--as=ann", "--as-group=auditors")
    assert admin.can("list", "pods", "--as=ann", "--as-group=auditors")
    assert admin.can("list", "secrets", "--as=ann", "--as-group=stepup:mfa:auditors")
    assert not admin.can("delete", "nodes", "--as=ann", "--as-group=ops", "--as-group=stepup:mfa:ops")
    assert admin.can("delete", "nodes", "--as=ann", "--as-group=stepup:critical:ops")
