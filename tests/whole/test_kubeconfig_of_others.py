"""The kubeconfig belongs to others too: who write it at the same time, and who copy from it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kubectl_stepup.kubectl.process import find
from kubectl_stepup.yaml_edit.yaml_file import plain, text_of
from tests.support.api_server import api_server
from tests.support.lab import Lab, opened_lab
from tests.support.warm_start import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MANY = 10


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with opened_lab(tmp_path) as opened:
        opened.answer.approve_after_polls = 0
        kubeconfig = opened.directory / "home/.kube/config"
        kubeconfig.write_text("# mine\n" + text_of(json.loads(kubeconfig.read_text())))
        yield opened


def names_of(lab: Lab, kind: str) -> set[str]:
    document = plain((lab.directory / "home/.kube/config").read_bytes(), "config")
    assert isinstance(document, dict)
    return {entry["name"] for entry in document[kind]}


def ours(lab: Lab, number: int) -> str:
    """Write an entry; give what went wrong."""
    done = lab.quietly("setup", "--provider", "corp", "--elevated-context", f"up-{number}", "--yes")
    return "" if done.returncode == 0 else done.stderr.decode()


def all_at_once(lab: Lab, *writers: Callable[[Lab, int], str]) -> set[str]:
    """Have `MANY` of each writer write at once; give what went wrong, and the names that should be there."""
    lab = replace(lab, cold=True)
    with ThreadPoolExecutor(len(writers) * MANY) as pool:
        said = [pool.submit(one, lab, number) for number in range(MANY) for one in writers]
        assert {one.result() for one in said} == {""}
    assert [path.name for path in (lab.directory / "home/.kube").iterdir() if path.is_file()] == ["config"]
    return {"prod"} | {f"{one.__name__}-{number}".replace("ours", "up") for one in writers for number in range(MANY)}


def theirs(lab: Lab, number: int) -> str:
    """Write an entry under kubectl's lock, and into the file itself, as kubectl does."""
    config = lab.directory / "home/.kube/config"
    lock = config.with_name("config.lock")
    while True:
        try:
            lock.touch(exist_ok=False)
            break
        except FileExistsError:
            os.sched_yield()
    document = plain(config.read_bytes(), "config")
    assert isinstance(document, dict)
    document["contexts"].append({"name": f"theirs-{number}", "context": {"cluster": "c", "user": ""}})
    config.write_text(text_of(document))
    lock.unlink()
    return ""


def kubectl(lab: Lab, number: int) -> str:
    """Write an entry with kubectl, which gives up at once where somebody has the lock."""
    program = [find(lab.environ)]
    end = time.monotonic() + 60
    while time.monotonic() < end:
        done = lab.quietly("config", "set-context", f"kubectl-{number}", "--cluster=c", program=program)
        if done.returncode == 0:
            return ""
        assert b"config.lock: file exists" in done.stderr, done.stderr
    return "never got the lock"


def test_many_setups_and_others_at_once_lose_no_entry(lab: Lab) -> None:
    """KCFG-07: ten of ours and ten of others, who all wait for the lock."""
    expected = all_at_once(lab, ours, theirs)
    assert names_of(lab, "contexts") == expected
    assert names_of(lab, "users") == {"everyday", "stepup:mfa@prod"}


def test_many_setups_and_kubectls_at_once_leave_a_whole_file(lab: Lab) -> None:
    """KCFG-07: that no entry is lost is nothing to be had from kubectl.

    It reads before it takes the lock, and removes under the lock what it had not read (ModifyConfig in client-go's
    tools/clientcmd/config.go), its own contexts as well as ours.
    """
    expected = all_at_once(lab, ours, kubectl)
    assert {"prod"} < names_of(lab, "contexts") <= expected
    assert {"everyday"} <= names_of(lab, "users") <= {"everyday", "stepup:mfa@prod"}


def test_a_stanza_that_was_copied_gets_an_attacker_no_token(lab: Lab) -> None:
    """KCFG-15: the elevated user with the attacker's cluster, name for name as in the victim's file."""
    assert lab.quietly("setup", "--provider", "corp", "--elevated-context", "up", "--yes").returncode == 0
    assert lab.stepup("login", "--scope", "user").code == 0
    assert lab.kubectl("--context", "up", "get", "pods").returncode == 0
    document = plain((lab.directory / "home/.kube/config").read_bytes(), "config")
    assert isinstance(document, dict)
    with api_server() as evil:
        certificate = lab.directory / "evil.pem"
        certificate.write_text(evil.ca_pem)
        document["clusters"][0]["cluster"] = {"server": evil.url, "certificate-authority": str(certificate)}
        theirs = lab.directory / "theirs"
        theirs.write_text(text_of(document))

        done = lab.kubectl("--kubeconfig", str(theirs), "--context", "up", "get", "pods")

        assert done.returncode == 1
        assert f"is withheld: the server is {evil.url}".encode() in done.stderr
        assert set(evil.tokens) <= {None}
    assert lab.records()[-1]["result"] == "credential-withheld"


SLOW_KUBECTL = """\
#!/bin/sh
test "$1" = delete || exec {kubectl} "$@"
cat "${{KUBECONFIG%%:*}}" > {overlay}
echo "wrapper=$PPID child=$$ overlay=$KUBECONFIG"
exec sleep 60
"""


def files(lab: Lab) -> set[Path]:
    """Find what a run may have left: what is kept on purpose is not among it."""
    kept = {"audit.jsonl", "policy.compiled"}
    found = {path for name in ("home", "run", "tmp") for path in (lab.directory / name).rglob("*") if path.is_file()}
    return {path for path in found if path.name not in kept and path.suffix != ".lock" and "cache" not in path.parts}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_a_wrapper_that_is_ended_leaves_no_overlay(lab: Lab, number: signal.Signals) -> None:
    """KCFG-16: no secret is in the overlay, and it is gone with the wrapper, or with the next command."""
    overlay, slow = lab.directory / "overlay", lab.directory / "bin/kubectl"
    slow.parent.mkdir()
    slow.write_text(SLOW_KUBECTL.format(kubectl=find(lab.environ), overlay=overlay))
    slow.chmod(0o755)
    before = files(lab)
    processes: list[int] = []

    def end(screen: str) -> None:
        shown = re.search(r"wrapper=(\d+) child=(\d+) overlay=/[^:]+/run-[^:]+:", screen)
        if shown and not processes:
            processes.extend(map(int, shown.groups()))
            os.kill(processes[0], number)

    words = ["env", f"KUBECTL_PATH={slow}", *PROGRAM, "exec", "--", "delete", "pod", "web-0"]
    ran = lab.terminal.run(words, end)
    with contextlib.suppress(ProcessLookupError):
        os.kill(processes[1], signal.SIGKILL)

    assert ran.code == 128 + number, ran.screen
    assert "stepup:mfa" in overlay.read_text()
    signatures = [token.rpartition(".")[2] for token in lab.provider.grants.issued]
    assert signatures
    assert not any(signature in overlay.read_text() for signature in signatures)
    if number == signal.SIGKILL:
        lab.quietly("exec", "--no-input", "--", "delete", "pod", "web-0")
    assert files(lab) == before
