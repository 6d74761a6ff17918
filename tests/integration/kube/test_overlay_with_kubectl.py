"""The overlay under the kubectls of this machine: it wins, keeps what it should, and leaves all files alone."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kubectl_stepup.clock import SystemClock
from kubectl_stepup.kubeconfig.load import load
from kubectl_stepup.kubeconfig.overlay import elevated_environment, exec_entry, overlay_document
from kubectl_stepup.kubeconfig.static_entry import static_entry, with_entry, without_entry
from kubectl_stepup.kubectl.command_line import read_line
from kubectl_stepup.kubectl.run_directory import run_directory
from kubectl_stepup.yaml_edit import foreign_yaml
from kubectl_stepup.yaml_edit.edited_file import change
from tests.integration.kube.kubectls import KUBECTLS
from tests.support.api_server import APIServer, api_server

EVERYDAY, ELEVATED = "Bearer everyday", "Bearer elevated"
PLUGIN = """#!{python} -IS
import json, os, sys
sys.stdout.write('{{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{{"token":"elevated"}}}}')
with open({record!r}, "a") as stream:
    stream.write(os.environ["KUBERNETES_EXEC_INFO"] + "\\n")
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A home with a kubeconfig, an API server, and a kubectl."""

    home: Path
    kubeconfig: Path
    api: APIServer
    other_api: APIServer
    kubectl: str
    environ: dict[str, str]

    @property
    def plugin_calls(self) -> list[dict[str, object]]:
        record = self.home / "plugin-calls"
        return [json.loads(line) for line in record.read_text().split("\n") if line] if record.exists() else []

    def run(self, *argv: str, environ: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            [self.kubectl, *argv],
            env=environ or self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.home,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def elevated(self, *argv: str, kubeconfig: str | None = None, context: str | None = None) -> str:
        """Run a command as an elevated one is run."""
        files = load(self.environ, kubeconfig)
        document = overlay_document(
            files.resolve(context),
            user_name="stepup:mfa",
            exec_command=str(self.home / "plugin"),
            exec_args=["credential", "0123"],
        )
        (self.home / "run").mkdir(mode=0o700, exist_ok=True)
        with run_directory(str(self.home / "run")) as directory:
            overlay = directory.write("overlay", document)
            environ = elevated_environment(
                self.environ, overlay_path=overlay, kubeconfig_files=files.files, session_id="0123"
            )
            kept = read_line(argv).written(without=("kubeconfig",))
            return self.run(*kept, environ=environ)


@pytest.fixture(params=KUBECTLS or [""])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    if not request.param:
        pytest.skip("there is no kubectl")
    home = tmp_path / "machine"
    (home / ".kube" / "pki").mkdir(parents=True)
    plugin = home / "plugin"
    plugin.write_text(PLUGIN.format(python=sys.executable, record=str(home / "plugin-calls")))
    plugin.chmod(0o700)
    with api_server() as api, api_server() as other_api:
        (home / ".kube" / "pki" / "ca.pem").write_text(api.ca_pem)
        kubeconfig = home / ".kube" / "config"
        kubeconfig.write_text(
            KUBECONFIG.format(
                server=api.url, other=other_api.url, other_ca=base64.b64encode(other_api.ca_pem.encode()).decode()
            )
        )
        yield Machine(
            home=home,
            kubeconfig=kubeconfig,
            api=api,
            other_api=other_api,
            kubectl=request.param,
            environ={"HOME": str(home), "PATH": os.environ["PATH"], "KUBECACHEDIR": str(home / "cache")},
        )


KUBECONFIG = """\
apiVersion: v1
kind: Config
# The CA's path belongs to this file.
clusters:
- name: prod-eu
  cluster: {{server: "{server}", certificate-authority: pki/ca.pem}}
- name: lab
  cluster: {{server: "{other}", certificate-authority-data: {other_ca}}}
contexts:
- name: prod
  context: {{cluster: prod-eu, user: alice, namespace: shop}}
- name: lab
  context: {{cluster: lab, user: alice}}
current-context: prod
users:
- name: alice
  user: {{token: everyday}}
"""
PODS = "/api/v1/namespaces/shop/pods"


def test_the_elevated_user_is_used_and_the_namespace_kept(machine: Machine) -> None:
    assert machine.elevated("delete", "pod", "web-0", "--wait=false").startswith('pod "web-0" deleted')
    assert machine.api.credentials("DELETE", f"{PODS}/web-0") == {ELEVATED}
    assert EVERYDAY not in machine.api.tokens


def test_the_command_line_may_name_the_context_and_a_namespace(machine: Machine) -> None:
    machine.elevated("get", "pods", "--context", "prod", "-n", "other", context="prod")
    assert machine.api.credentials("GET", "/api/v1/namespaces/other/pods") == {ELEVATED}


def test_another_context_becomes_the_current_one_in_the_overlay_alone(machine: Machine) -> None:
    machine.elevated("get", "pods", context="lab")
    assert machine.other_api.credentials("GET", "/api/v1/namespaces/default/pods") == {ELEVATED}
    machine.run("get", "pods")
    assert machine.api.credentials("GET", PODS) == {EVERYDAY}


def test_other_contexts_stay_usable_with_their_own_user(machine: Machine) -> None:
    machine.elevated("get", "pods", "--context", "lab", context="prod")
    assert machine.other_api.credentials("GET", "/api/v1/namespaces/default/pods") == {EVERYDAY}
    assert machine.plugin_calls == []


def test_the_plugin_is_told_the_server(machine: Machine) -> None:
    machine.elevated("get", "pods")
    calls = machine.plugin_calls
    assert len(calls) == 1
    cluster = calls[0]["spec"]["cluster"]  # type: ignore[index]
    assert cluster["server"] == machine.api.url
    assert base64.b64decode(cluster["certificate-authority-data"]).decode() == machine.api.ca_pem


def test_an_explicit_kubeconfig_is_laid_under_the_overlay(machine: Machine) -> None:
    elsewhere = machine.home / "elsewhere"
    shutil.move(machine.kubeconfig, elsewhere)
    shutil.move(machine.home / ".kube" / "pki", machine.home / "pki")
    machine.elevated(
        "--kubeconfig", str(elsewhere), "get", "pods", f"--kubeconfig={elsewhere}", kubeconfig=str(elsewhere)
    )
    assert machine.api.credentials("GET", PODS) == {ELEVATED}


def files_of(machine: Machine) -> dict[Path, tuple[str, int]]:
    """Return the person's files, without what kubectl keeps for itself: $KUBECACHEDIR is not handed on to it."""
    kept = machine.home / ".kube"
    return {
        path: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in kept.rglob("*")
        if path.is_file() and kept / "cache" not in path.parents
    }


def test_nothing_of_the_person_changes(machine: Machine) -> None:
    """KCFG-01."""
    before = files_of(machine)
    machine.elevated("delete", "pod", "web-0", "--wait=false")
    assert len(before) == 2
    assert files_of(machine) == before


def test_the_overlay_is_gone_afterwards(machine: Machine) -> None:
    """KCFG-17."""
    machine.elevated("get", "pods")
    assert machine.api.credentials("GET", PODS) == {ELEVATED}
    assert list((machine.home / "run").iterdir()) == []


def test_kuberc_has_no_say_in_an_elevated_run(machine: Machine) -> None:
    kuberc = machine.home / ".kube" / "kuberc"
    kuberc.write_text(
        "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n"
        "defaults: [{command: get, options: [{name: token, default: RCTOKEN}]}]\n"
        "overrides: [{command: get, flags: [{name: token, default: RCTOKEN}]}]\n"
    )
    machine.elevated("get", "pods")
    assert machine.api.credentials("GET", PODS) == {ELEVATED}


def test_a_static_context_works_and_is_gone_after_removal(machine: Machine) -> None:
    resolved = load(machine.environ, None).resolve("prod")
    entry = static_entry(
        resolved,
        context_name="prod-elevated",
        user_name="stepup:prod:mfa",
        exec_entry=exec_entry(command=str(machine.home / "plugin"), args=["credential"]),
    )
    before = machine.kubeconfig.read_bytes()
    machine.kubeconfig.write_bytes(with_entry(before, "config", entry, parse=foreign_yaml.plain))
    machine.run("get", "pods", "--context", "prod-elevated")
    assert machine.api.credentials("GET", PODS) == {ELEVATED}
    after = without_entry(machine.kubeconfig.read_bytes(), "config", "prod-elevated", parse=foreign_yaml.plain)
    assert after == before


def test_kubectl_and_we_keep_out_of_each_others_writes(machine: Machine) -> None:
    argv = [machine.kubectl, "config", "set-context", "mine", "--cluster", "lab"]

    def edit(data: bytes | None) -> bytes:
        done = subprocess.run(argv, env=machine.environ, capture_output=True, text=True, check=False, cwd=machine.home)
        assert (done.returncode, "config.lock: file exists" in done.stderr) == (1, True), done.stderr
        return (data or b"") + b"# edited\n"

    assert change(str(machine.kubeconfig), edit, clock=SystemClock()) is True
    assert machine.kubeconfig.read_text().endswith("# edited\n")
    assert machine.run(*argv[1:]) == 'Context "mine" created.\n'


def test_our_reading_of_several_files_is_kubectls(machine: Machine) -> None:
    first = machine.home / "first"
    first.write_text("contexts: [{name: prod, context: {cluster: lab, user: alice}}]\n")
    environ = {**machine.environ, "KUBECONFIG": f"{first}:/does/not/exist:{machine.kubeconfig}:{first}"}
    ours = load(environ, None).resolve(None)
    theirs = json.loads(machine.run("config", "view", "--minify", "--raw", "-o", "json", environ=environ))
    assert theirs["current-context"] == ours.context
    assert theirs["contexts"] == [{"name": "prod", "context": dict(ours.context_raw)}]
    assert theirs["clusters"] == [{"name": ours.cluster, "cluster": dict(ours.cluster_raw)}]


def test_a_context_a_cluster_and_a_user_in_three_files_are_found_and_left_alone(machine: Machine) -> None:
    """KCFG-01: the current context in the last file, its cluster in the first, with a CA beside that file."""
    whole = machine.kubeconfig.read_text()
    parts = {
        "a": "clusters:" + whole.partition("clusters:")[2].partition("contexts:")[0],
        "b": "users:" + whole.partition("users:")[2],
        "c": "contexts:" + whole.partition("contexts:")[2].partition("users:")[0],
    }
    machine.kubeconfig.unlink()
    for name, text in parts.items():
        directory = machine.home / name
        directory.mkdir()
        (directory / "config").write_text(text)
    shutil.move(machine.home / ".kube/pki", machine.home / "a/pki")
    machine.environ["KUBECONFIG"] = os.pathsep.join(str(machine.home / name / "config") for name in parts)

    machine.elevated("get", "pods")

    assert machine.api.credentials("GET", PODS) == {ELEVATED}
    assert {name: (machine.home / name / "config").read_text() for name in parts} == parts


@pytest.mark.parametrize("kind", ["linked", "read-only", "in a read-only directory", "locked"])
def test_a_kubeconfig_that_cannot_be_written_serves_an_elevated_run(machine: Machine, kind: str) -> None:
    """KCFG-02, KCFG-03: nothing is written to it, and its lock is not even looked at."""
    real, lock = machine.kubeconfig, machine.kubeconfig.with_name("config.lock")
    if kind == "linked":
        real = machine.home / "dotfiles"
        shutil.move(machine.kubeconfig, real)
        machine.kubeconfig.symlink_to(real)
    elif kind == "read-only":
        real.chmod(0o444)
    elif kind == "in a read-only directory":
        real.parent.chmod(0o555)
    else:
        lock.touch()
    before = real.read_bytes()
    try:
        machine.elevated("get", "pods")
    finally:
        real.parent.chmod(0o755)
    assert machine.api.credentials("GET", PODS) == {ELEVATED}
    assert (real.read_bytes(), lock.exists()) == (before, kind == "locked")


EVERYDAY_USERS = {
    "a token": "{token: everyday}",
    "a token file": "{tokenFile: token}",
    "a client certificate": "{client-certificate: crt.pem, client-key: key.pem}",
    "an exec plugin": "{exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: /bin/false}}",
    "an auth provider": "{auth-provider: {name: oidc, config: {id-token: everyday}}}",
    "a password": "{username: u, password: everyday}",
    "nothing": "{}",
}


@pytest.mark.parametrize("kind", EVERYDAY_USERS)
def test_an_everyday_user_of_any_kind_gives_way_to_the_elevated_one(machine: Machine, kind: str) -> None:
    """KCFG-10."""
    text = machine.kubeconfig.read_text()
    machine.kubeconfig.write_text(text.replace("{token: everyday}", EVERYDAY_USERS[kind]))
    machine.elevated("get", "pods")
    assert machine.api.credentials("GET", PODS) == {ELEVATED}


@pytest.mark.parametrize("file", ["the same file", "a file of its own"])
def test_an_elevated_user_that_somebody_wrote_before_has_no_say(machine: Machine, file: str) -> None:
    """KCFG-11: of the overlay's name, with impersonation, a token file, a client key and a plugin of its own."""
    user = (
        "{as: root, as-groups: [system:masters], tokenFile: token, client-certificate: c, client-key: k, "
        "exec: {apiVersion: client.authentication.k8s.io/v1, command: /bin/false, env: [{name: A, value: b}]}}"
    )
    entry = f"- name: stepup:mfa\n  user: {user}\n"
    if file == "the same file":
        machine.kubeconfig.write_text(machine.kubeconfig.read_text() + entry)
    else:
        other = machine.home / "other"
        other.write_text(f"users:\n{entry}")
        machine.environ["KUBECONFIG"] = f"{other}:{machine.kubeconfig}"

    machine.elevated("get", "pods")

    assert machine.api.credentials("GET", PODS) == {ELEVATED}
    assert {headers.get("impersonate-user") for _, headers in machine.api.seen} == {None}
