"""More CA certificates than fit into a variable: kubectl trusts those of the enrolment, and no others."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import certifi
import pytest

from kubectl_stepup.demo.certificates import new_authority
from kubectl_stepup.errors import KubeconfigError
from kubectl_stepup.kubeconfig import exec_info
from kubectl_stepup.kubeconfig.cluster_pin import ca_digest
from kubectl_stepup.kubeconfig.exec_credential import expected_exec_info
from tests.support.lab import Lab, opened_lab
from tests.support.values import RESOLVED, repinned
from tests.support.warm_start import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator

MANY = Path(certifi.where()).read_bytes()
linux = pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with opened_lab(tmp_path) as opened:
        opened.answer.approve_after_polls = 0
        yield opened


def enrolled_with_many(lab: Lab, *, with_its_own: bool) -> Path:
    """Put a bundle into the kubeconfig and the enrolment; return the cluster's own CA in a file."""
    home = lab.directory / "home"
    kubeconfig, config = home / ".kube/config", home / ".config/kubectl-stepup/config.yaml"
    document = json.loads(kubeconfig.read_text())
    cluster = document["clusters"][0]["cluster"]
    own = home / "own.pem"
    own.write_bytes(base64.b64decode(cluster.pop("certificate-authority-data")))
    cluster["certificate-authority"] = "bundle.pem"
    bundle = MANY + own.read_bytes() if with_its_own else MANY
    (home / ".kube/bundle.pem").write_bytes(bundle)
    kubeconfig.write_text(json.dumps(document))
    config.write_text(re.sub(r"caSHA256: \w+", f"caSHA256: {ca_digest(bundle)}", config.read_text()))
    return own


@linux
def test_a_command_is_elevated_and_doctor_names_what_is_not_possible(lab: Lab) -> None:
    enrolled_with_many(lab, with_its_own=True)
    ran = lab.stepup("exec", "--", "delete", "pod", "web-0")
    assert (ran.code, lab.exists("web-0")) == (0, False), ran.screen
    looked = lab.quietly("doctor")
    assert b"are too many for a credential plugin" in looked.stdout
    assert b"only exec can elevate there" in looked.stdout


@linux
def test_a_server_of_another_authority_gets_nothing(lab: Lab) -> None:
    """Even where the caller's own variable names its authority, as the enrolled certificates are all that count."""
    own = enrolled_with_many(lab, with_its_own=False)
    words = [*PROGRAM, "exec", "--", "delete", "pod", "web-0"]
    ran = lab.terminal.run(["env", f"SSL_CERT_FILE={own}", f"SSL_CERT_DIR={own.parent}", *words])
    assert "certificate signed by unknown authority" in ran.screen, ran.screen
    assert ran.code == 1


@linux
def test_the_limit_is_the_systems() -> None:
    limit = 32 * os.sysconf("SC_PAGE_SIZE")
    value = "x" * (limit - len("KUBERNETES_EXEC_INFO=") - 1)
    subprocess.run(["/bin/true"], env={"KUBERNETES_EXEC_INFO": value}, check=True)
    with pytest.raises(OSError, match="Argument list too long"):
        subprocess.run(["/bin/true"], env={"KUBERNETES_EXEC_INFO": value + "x"}, check=True)


@linux
def test_what_just_fits_is_told_as_usual(tmp_path: Path) -> None:
    limit = 32 * os.sysconf("SC_PAGE_SIZE")
    pem = new_authority(1_800_000_000).pem.encode()
    for comment_bytes, fits in ((0, True), (limit, False)):
        bundle = tmp_path / f"{comment_bytes}.pem"
        bundle.write_bytes(b"#" * comment_bytes + b"\n" + pem)
        cluster = {"server": RESOLVED.server, "certificate-authority": str(bundle)}
        resolved = repinned(RESOLVED, cluster_raw=cluster, ca_sha256=ca_digest(pem))
        assert (exec_info.large_ca(resolved) is None) == fits
        assert (exec_info.too_large(resolved) is None) == fits
    longest = max(expected_exec_info(resolved.pin, ca_pem=bundle.read_bytes()), key=len)
    assert f"which would have {len('KUBERNETES_EXEC_INFO=') + len(longest) + 1} bytes" in str(
        exec_info.too_large(resolved)
    )


def test_where_the_systems_certificates_cannot_be_replaced_nobody_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    (tmp_path / "many.pem").write_bytes(MANY * 4)
    cluster = {"server": RESOLVED.server, "certificate-authority": str(tmp_path / "many.pem")}
    resolved = repinned(RESOLVED, cluster_raw=cluster, ca_sha256=ca_digest(MANY))
    with pytest.raises(KubeconfigError, match="are too many for a credential plugin") as caught:
        exec_info.large_ca(resolved)
    assert "--certificate-authority=FILE" in (caught.value.hint or "")
