"""Reading RBAC through a kubectl: what it is asked, and what becomes of its denials."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kubectl_stepup.errors import KubectlFailed
from kubectl_stepup.rbac.read_cluster import read

EMPTY = '{"apiVersion": "v1", "kind": "List", "items": []}'


def kubectl(directory: Path, script: str) -> str:
    """Write a kubectl that notes its arguments and then does what the script says; `$2` is what it gets."""
    path = directory / "kubectl"
    path.write_text(f'#!/bin/sh\nprintf \'%s \' "$@" >> "{directory}/asked"\necho >> "{directory}/asked"\n{script}\n')
    path.chmod(0o755)
    return str(path)


def test_three_readings_with_the_flags_of_the_cluster(tmp_path: Path) -> None:
    found = read(kubectl(tmp_path, f"echo '{EMPTY}'"), ["--context=prod"], {})
    assert (found.rbac, found.accounts, found.admission_policies) == (json.loads(EMPTY),) * 3
    assert (tmp_path / "asked").read_text().splitlines() == [
        f"get {kinds} --all-namespaces --output=json --context=prod "
        for kinds in (
            "clusterroles,clusterrolebindings,roles,rolebindings",
            "serviceaccounts",
            "validatingadmissionpolicies,validatingadmissionpolicybindings",
        )
    ]


def test_what_is_not_needed_may_be_forbidden(tmp_path: Path) -> None:
    path = kubectl(tmp_path, f"case \"$2\" in clusterroles*) echo '{EMPTY}' ;; *) exit 1 ;; esac")
    found = read(path, [], {"PATH": "/bin:/usr/bin"})
    assert (found.rbac, found.accounts, found.admission_policies) == (json.loads(EMPTY), None, None)


@pytest.mark.parametrize(("script", "message"), [("exit 3", "failed with exit code 3"), ("echo no", "printed no JSON")])
def test_what_is_needed_may_not(tmp_path: Path, script: str, message: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KubectlFailed, match=message):
        read(kubectl(tmp_path, f"echo 'Forbidden' >&2; {script}"), [], {})
    assert capfd.readouterr().err == "Forbidden\n"  # kubectl's own reason, and the plugin's prompt, reach the person


def test_a_kubectl_that_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(KubectlFailed, match="FileNotFoundError"):
        read(str(tmp_path / "none"), [], {})
