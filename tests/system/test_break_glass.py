"""The way out when nobody can step up: rehearsed by `doctor`, and then really gone, on a real API server."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.system.guarded.cluster import BREAK_GLASS, CLUSTER, Guarded, opened_guarded, wait_for_guards
from tests.system.guarded.person import POD, POLICY, RBAC, Person, settle
from tests.system.parts import kubectls
from tests.system.parts.cache import Missing
from tests.system.parts.processes import wait_until

pytestmark = pytest.mark.system

BINDINGS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, no_orphans: None) -> Iterator[Guarded]:
    with opened_guarded(tmp_path_factory.mktemp("break-glass"), POLICY) as opened:
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
        subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": BREAK_GLASS}
        bound = {"metadata": {"name": "break-glass"}, "roleRef": role, "subjects": [subject]}
        opened.api.admin.create(f"{RBAC}/clusterrolebindings", bound)
        yield opened


@pytest.fixture(scope="module")
def person(guarded: Guarded) -> Person:
    return settle(guarded)


def kubeconfig(guarded: Guarded, name: str, organization: str) -> Path:
    """Write the kubeconfig of a certificate."""
    path = guarded.directory / f"{name}.yaml"
    path.touch(mode=0o600)
    path.write_text(guarded.api.kubeconfig(guarded.api.certificate(name, organization)))
    return path


def rehearse(person: Person, file: Path) -> tuple[int, dict[str, dict[str, str]]]:
    """Rehearse, and give exit code and checks by name."""
    flags = ("--rehearse", "--cluster", CLUSTER, "--break-glass-kubeconfig", str(file), "-o", "json")
    done = person.stepup("doctor", *flags)
    assert done.stdout, done.stderr
    return done.returncode, {one["name"]: one for one in json.loads(done.stdout)["checks"]}


def test_the_way_out_is_proven_and_nothing_is_changed(guarded: Guarded, person: Person) -> None:
    before = {one["metadata"]["uid"] for one in guarded.api.admin.get(BINDINGS)["items"]}
    code, checks = rehearse(person, kubeconfig(guarded, "carol", BREAK_GLASS))

    assert (code, {one["state"] for one in checks.values()}) == (0, {"ok"}), checks
    assert checks["login"]["detail"].endswith("the admission policies let it pass, and mark it in the audit log")
    assert checks["removes policies"]["detail"] == "deletes the bindings (server dry run)"
    assert {one["metadata"]["uid"] for one in guarded.api.admin.get(BINDINGS)["items"]} == before


def test_the_runbook_is_printed_and_works(guarded: Guarded, person: Person) -> None:
    file = kubeconfig(guarded, "carol", BREAK_GLASS)
    wait_for_guards(guarded, "DELETE", POD)
    done = person.stepup("doctor", "--rehearse", "--cluster", CLUSTER, "--break-glass-kubeconfig", str(file))
    steps = done.stdout.splitlines()
    (removing,) = (line.partition("in the way: ")[2] for line in steps if line.startswith("  2. "))
    assert removing.startswith(f"kubectl --kubeconfig {file} delete ")

    removed = guarded.kubectl(*removing.split()[1:])
    assert removed.returncode == 0, removed.stderr
    person.sign_in()
    wait_until(lambda: guarded.everyday().request("DELETE", POD).ok, "guards that are gone", within_s=60)
    applied = guarded.kubectl("apply", "-f", "server/bindings.yaml")
    assert applied.returncode == 0, applied.stderr
    wait_for_guards(guarded, "DELETE", POD)


def test_what_it_did_is_marked_in_the_audit_log(guarded: Guarded) -> None:
    wait_for_guards(guarded, "DELETE", POD)
    certificate = guarded.api.certificate("carol", BREAK_GLASS)
    assert guarded.api.as_owner(certificate).request("DELETE", POD).ok

    (event,) = guarded.api.audit_events(verb="delete", resource="pods")[-1:]
    assert event["annotations"]["kubectl-stepup-deletes/step-up"].startswith("BREAK-GLASS: carol passed without mfa")


def test_the_pages_commands_issue_such_a_certificate(guarded: Guarded, person: Person, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        raise Missing("openssl", "apt-get install openssl")
    page = (Path(__file__).resolve().parents[2] / "docs/how-to/break-glass.md").read_text()
    authority = guarded.api.authority
    authority.write_key(tmp_path / "ca.key")
    places = {
        "/etc/kubernetes/pki/ca.crt": str(guarded.api.ca_file),
        "/etc/kubernetes/pki/ca.key": str(tmp_path / "ca.key"),
    }
    commands = re.findall(r"^ +(openssl .*)$", page, re.MULTILINE)
    assert len(commands) == 2
    for line in commands:
        words = [places.get(word, word) for word in shlex.split(line)]
        # The serial number's file goes beside the CA.
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
    file = tmp_path / "break-glass.yaml"
    file.touch(mode=0o600)
    file.write_text(guarded.api.kubeconfig((tmp_path / "carol.crt", tmp_path / "carol.key")))
    code, checks = rehearse(person, file)

    assert (code, {one["state"] for one in checks.values()}) == (0, {"ok"}), checks


def test_a_certificate_of_another_group_is_no_way_out(guarded: Guarded, person: Person) -> None:
    code, checks = rehearse(person, kubeconfig(guarded, "dave", "somebody"))

    assert code == 1
    assert checks["login"]["state"] == "warn"
    assert f"not in {BREAK_GLASS}" in checks["login"]["detail"]
    assert {name for name, one in checks.items() if one["state"] == "fail"} == {
        "passes policies",
        "removes policies",
        "repairs policies",
        "rights",
    }
    assert "--clusterrole=cluster-admin" in checks["rights"]["fix"]


def test_an_everyday_login_is_no_way_out(guarded: Guarded, person: Person) -> None:
    person.sign_in()
    code, checks = rehearse(person, person.home / "kubeconfig")

    assert (code, checks["login"]["state"]) == (1, "fail")
    assert "the provider may be down" in checks["login"]["detail"]


def test_a_kubeconfig_of_another_cluster_is_not_used(guarded: Guarded, person: Person) -> None:
    file = kubeconfig(guarded, "carol", BREAK_GLASS)
    document = yaml.safe_load(file.read_text())
    document["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    file.write_text(yaml.safe_dump(document))
    code, checks = rehearse(person, file)

    assert (code, set(checks)) == (1, {"kubeconfig"})
    assert "leads elsewhere" in checks["kubeconfig"]["detail"]


def test_doctor_says_what_the_server_does_not_enforce(guarded: Guarded, person: Person) -> None:
    person.sign_in()
    done = person.stepup("doctor")

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"[ok]     kubectl   {kubectls.kubectl(kubectls.NEWEST)}" in done.stdout
    assert "SERVER by the client alone: deletes (stop), mass (delete)" in done.stdout
