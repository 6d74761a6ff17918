"""During and after a run: no secret in argv, environment, overlay, screen, logs, home, temporary, runtime directory.

Whatever is said: at every verbosity, and where the step-up fails.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.lab import Lab, opened_lab
from tests.support.lab.debugger import NOBODY, REFUSED, as_a_user, look_at
from tests.support.lab.lab import GROUPS
from tests.support.provider.model import Answer
from tests.support.warm_start import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator

PROC = Path("/proc")
pytestmark = pytest.mark.skipif(not PROC.exists(), reason="samples /proc")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with opened_lab(tmp_path, cold=True) as opened:
        yield opened


def secrets_of(lab: Lab) -> list[bytes]:
    """Return what must be nowhere: the tokens' signatures and device codes that this lab's provider gave out."""
    found = [device.device_code.encode() for device in lab.provider.devices]
    for form in lab.provider.forms("token"):
        found += [form["device_code"].encode(), form["code_verifier"].encode()]
    return found + [token.rpartition(".")[2].encode() for token in lab.provider.grants.issued]


class Sampler(threading.Thread):
    """Collects argv and environment of every process that appears while it runs."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: set[bytes] = set()
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.is_set():
            for process in PROC.iterdir():
                if process.name.isdigit() and int(process.name) != os.getpid():
                    for name in ("cmdline", "environ"):
                        try:
                            self.seen.add((process / name).read_bytes())
                        except OSError:
                            continue
            self.done.wait(0.005)


@pytest.mark.parametrize("verbosity", [[], ["-v"], ["-vv"], ["-vvvv"]], ids=" ".join)
def test_no_secret_is_in_any_process_or_file(lab: Lab, verbosity: list[str]) -> None:
    """PROC-11, PROC-13."""
    sampler = Sampler()
    sampler.start()
    first = lab.stepup("exec", *verbosity, "--", "delete", "pod", "web-0")
    second = lab.stepup("exec", *verbosity, "--", "delete", "pod", "web-1")
    lab.answer.acr, lab.answer.denied = "pwd", False
    third = lab.stepup("exec", *verbosity, "--fresh", "--", "delete", "pod", "db-0")
    lab.answer.denied = True
    fourth = lab.stepup("login", *verbosity, "--fresh")
    sampler.done.set()
    sampler.join()
    assert (first.code, second.code, third.code, fourth.code) == (0, 0, 125, 4)
    secrets = secrets_of(lab)
    assert len(secrets) >= 8
    assert any(b"web-1" in text for text in sampler.seen), "nothing was sampled"

    places = [lab.directory / name for name in ("home", "run", "tmp")]
    files = [path for place in places for path in place.rglob("*") if path.is_file()]
    texts = {str(path): path.read_bytes() for path in files}
    texts["screen"] = "".join(ran.screen for ran in (first, second, third, fourth)).encode()
    for name, text in texts.items():
        assert not [secret for secret in secrets if secret in text], name
    assert not [secret for secret in secrets for text in sampler.seen if secret in text]
    assert lab.audit_file in files


def test_the_run_leaves_no_file_but_the_record_locks_and_the_compiled_policy(lab: Lab) -> None:
    def files() -> set[str]:
        places = [lab.directory / name for name in ("home", "run", "tmp")]
        found = (path for place in places for path in place.rglob("*") if path.is_file())
        return {str(path.relative_to(lab.directory)) for path in found if ".kube/cache" not in str(path)}

    before = files()
    lab.stepup("exec", "--", "delete", "pod", "web-0")

    left = files() - before
    assert {Path(name).name for name in left if not name.endswith(".lock")} == {"audit.jsonl", "policy.compiled"}


def test_the_kubeconfig_is_not_touched(lab: Lab) -> None:
    kubeconfig = lab.directory / "home/.kube/config"
    before = (kubeconfig.read_bytes(), kubeconfig.stat().st_mtime_ns)

    lab.stepup("exec", "--", "delete", "pod", "web-0")

    assert (kubeconfig.read_bytes(), kubeconfig.stat().st_mtime_ns) == before


def test_the_protocol_can_be_followed_without_its_secrets(lab: Lab) -> None:
    screen = lab.stepup("exec", "-vv", "--", "delete", "pod", "web-0").screen

    issuer = lab.provider.issuer
    code = lab.provider.devices[0].device_code
    shown = f"device_code=[{len(code)} characters, sha256 {hashlib.sha256(code.encode()).hexdigest()[:8]}]"
    said = [line for line in screen.splitlines() if line.startswith(("- > ", "- < "))]
    assert said[0] == f"- > GET {issuer}/.well-known/openid-configuration"
    asked = next(line for line in said if line.startswith(f"- > POST {issuer}/device_authorization: "))
    assert "client_id=kubectl-elevated scope=openid acr_values=urn:stepup:mfa max_age=900" in asked
    polls = [line for line in said if line.startswith(f"- > POST {issuer}/token: ")]
    answers = [line for line in said if line.startswith(f"- < HTTP 400 from {issuer}/token ")]
    assert len(polls) == 2
    assert all(shown in line for line in polls)
    assert sum(shown in line for line in said) == 3  # the answer that gave it, and the polls
    assert "error=authorization_pending" in answers[0]
    assert "id_token=[" in screen
    assert screen.count(lab.provider.devices[0].user_code) == 2  # in the address and beside it, both in the prompt
    assert "- > " not in lab.stepup("exec", "-v", "--fresh", "--", "delete", "pod", "web-1").screen


@pytest.fixture
def anybodys_place() -> Iterator[Path]:
    """Return a directory that every user reaches: those of tests lie in one that is its owner's alone."""
    with tempfile.TemporaryDirectory(prefix="kubectl-stepup-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_no_debugger_of_the_user_gets_at_a_step_up_that_is_going_on(anybodys_place: Path) -> None:
    looks: list[list[str]] = []
    answer = Answer(interval=1, claims=GROUPS, approve_after_polls=None)
    with opened_lab(anybodys_place, answer=answer, cold=True) as lab:

        def watch(screen: str) -> None:
            if "Waiting for approval" in screen and not looks:
                looks.extend(look_at(pid) for pid in running("kubectl_stepup", lab.environ["HOME"]))
                lab.provider.deny()

        if os.getuid() == 0:
            for path in (anybodys_place, *anybodys_place.rglob("*")):
                os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
        ran = lab.terminal.run([*as_a_user(), *PROGRAM, "login"], watch)

    assert (ran.code, looks) == (4, [REFUSED]), ran.screen


def running(word: str, home: str) -> list[int]:
    """Return the processes of one home that have a word in their argv."""
    found = []
    for process in PROC.iterdir():
        try:
            if word.encode() in (process / "cmdline").read_bytes() and (process / "cwd").readlink() == Path(home):
                found.append(int(process.name))
        except (OSError, ValueError):
            continue
    return found
