"""An elevated command reads what kubectl alone would read: pipes, descriptors, and kubeconfigs of any name."""

from __future__ import annotations

import base64
import json
import shlex
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.support.lab import Lab, opened_lab
from tests.support.warm_start import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kubectl_stepup.demo.terminal import Ran

OURS = shlex.join(PROGRAM)
ELEVATED, ALLOWED = f"{OURS} exec -q --level mfa --", f"{OURS} exec -q --"
NEW = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"fed"},"data":{"a":"b"}}'


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with opened_lab(tmp_path) as opened:
        opened.answer.approve_after_polls = 0
        yield opened


def bash(lab: Lab, script: str) -> Ran:
    file = lab.directory / "script.sh"
    file.write_text(script)
    return lab.terminal.run(["bash", str(file)])


@pytest.mark.parametrize("ours", [ELEVATED, ALLOWED], ids=["elevated", "allowed"])
def test_process_substitution_is_read_as_kubectl_reads_it(lab: Lab, ours: str) -> None:
    ran = bash(
        lab,
        f"""set -e
        {ours} create -f <(echo '{NEW}')
        {ours} get -o name -f <(echo '{NEW}')
        {ours} replace -f <(echo '{NEW}')
        {ours} apply -f /dev/fd/5 5< <(echo '{NEW}')
        {ours} label x=y -f /dev/stdin < <(echo '{NEW}')
        {ours} create configmap by-file --from-file=key=<(echo content)
        {ours} patch configmap fed --patch-file=<(echo '{{"data":{{"a":"patched"}}}}')
        {ours} get configmap by-file fed -o jsonpath='{{.items[*].data}}'
        """,
    )
    assert ran.code == 0, ran.screen
    for line in ("configmap/fed created", "configmap/fed replaced", "configmap/fed configured", "configmap/fed labeled",
                 "configmap/by-file created", "configmap/fed patched", "content", '"a":"patched"'):  # fmt: skip
        assert line in ran.screen, line


def test_a_sensitive_pipe_is_evaluated_by_its_content(lab: Lab) -> None:
    """One that kubectl could not read would ask for the strictest level there is."""
    pod = NEW.replace("ConfigMap", "Pod").replace("fed", "web-0")
    ran = bash(
        lab,
        f"""{OURS} exec -- delete --wait=false -f <(echo '{pod}')""",
    )
    assert (ran.code, lab.exists("web-0")) == (0, False), ran.screen
    assert "Elevated in prod until" in ran.screen  # mfa: critical is for one command alone


def test_a_kubeconfig_with_a_colon_in_its_path_keeps_its_relative_paths(lab: Lab) -> None:
    directory = lab.directory / "home/.kube/arn:aws:eks:eu-west-1:111122223333"
    directory.mkdir()
    document = json.loads((lab.directory / "home/.kube/config").read_text())
    cluster = document["clusters"][0]["cluster"]
    (directory / "ca.pem").write_bytes(base64.b64decode(cluster.pop("certificate-authority-data")))
    cluster["certificate-authority"] = "../arn:aws:eks:eu-west-1:111122223333/ca.pem"
    (directory / "cluster:prod").write_text(json.dumps(document))

    ran = lab.stepup("exec", "--kubeconfig", str(directory / "cluster:prod"), "--", "delete", "pod", "web-0")
    assert (ran.code, lab.exists("web-0")) == (0, False), ran.screen

    ran = bash(
        lab,
        f"cd {shlex.quote(str(directory))}; {ELEVATED} --kubeconfig cluster:prod delete pod web-1 --ignore-not-found",
    )
    assert ran.code == 0, ran.screen


@pytest.mark.parametrize("what", ["context", "cluster", "namespace of an extension"])
def test_names_beyond_the_basic_plane(lab: Lab, what: str) -> None:
    kubeconfig, config = lab.directory / "home/.kube/config", lab.directory / "home/.config/kubectl-stepup/config.yaml"
    document = json.loads(kubeconfig.read_text())
    context = document["contexts"][0]
    if what == "context":
        context["name"] = document["current-context"] = "\N{SWAN}prod"
        config.write_text(config.read_text().replace("context: prod", 'context: "\N{SWAN}prod"'))
    elif what == "cluster":
        context["context"]["cluster"] = document["clusters"][0]["name"] = "\N{SWAN}\x7f\u2028"
    else:
        context["context"]["extensions"] = [{"name": "icons", "extension": {"\N{SWAN}": "\N{SWAN}\x85"}}]
    kubeconfig.write_text(yaml.safe_dump(document, allow_unicode=True))

    ran = lab.stepup("exec", "--", "delete", "pod", "web-0")
    assert (ran.code, lab.exists("web-0")) == (0, False), ran.screen


def test_without_any_place_for_files_the_hint_is_what_helps(lab: Lab) -> None:
    state = lab.directory / "home/.local/state/kubectl-stepup"
    state.mkdir(parents=True)
    (state / "run").touch()  # a read-only home does not stop root
    done = lab.quietly("exec", "--level", "mfa", "--", "get", "pods", XDG_RUNTIME_DIR="")
    assert done.returncode == 125
    assert b'hint: export XDG_RUNTIME_DIR="$(mktemp -d)"' in done.stderr
    assert b"Compare code" not in done.stderr
    ran = bash(lab, f'export XDG_RUNTIME_DIR="$(mktemp -d)"; {OURS} exec --level mfa -- get pods -o name')
    assert (ran.code, "pod/web-0" in ran.screen) == (0, True), ran.screen
