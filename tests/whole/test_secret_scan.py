"""CACHE-24: no place on the disk or in shared memory holds a secret of a step-up, while it serves and afterwards.

What is looked for: ID and access tokens, their signatures, device codes, PKCE verifiers, and a refresh token that the
provider gave although nobody asked for it - as they are, in base64, in URLs, and in part.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shlex
import signal
import stat
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from kubectl_stepup.sessions.stores.kernel import KernelKeyringStore
from kubectl_stepup.yaml_edit.yaml_file import text_of
from tests.support.lab import Lab, opened_lab
from tests.support.lab.lab import GROUPS
from tests.support.provider.model import Answer
from tests.support.warm_start import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REFRESH_TOKEN = "refresh-" + "0123456789abcdef" * 4
KILLED = Path(__file__).resolve().parents[1] / "crash/program.py"
PART = 40
"""Characters that a part of a secret is recognised by: chunks of a store are far longer."""

LARGEST = 32 << 20
SHARED = ("/dev/shm", "/tmp", "/var/tmp", "/run/user")


@pytest.fixture(params=["kernel", "file", "memory"])
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lab]:
    answer = Answer(interval=1, approve_after_polls=0, claims=GROUPS, tokens={"refresh_token": REFRESH_TOKEN})
    with opened_lab(tmp_path, store=request.param, answer=answer) as opened:
        yield opened


def secrets_of(lab: Lab) -> set[bytes]:
    """Return all forms of all that this lab's provider gave out or was sent in confidence."""
    whole = [REFRESH_TOKEN, *lab.provider.grants.issued, *(one.device_code for one in lab.provider.devices)]
    whole += [form["code_verifier"] for form in lab.provider.forms("token")]
    texts = {*whole, *(one.rpartition(".")[2] for one in whole)}
    parts = {text[at : at + PART] for text in texts for at in range(0, max(1, len(text) - PART), PART)}
    # A token's header and claims are alike from one token to the next, and no secret.
    heads = {one[: one.rindex(".")] for one in whole if one.count(".") == 2}
    parts = {part for part in parts if not any(part in head for head in heads)}
    plain = [text.encode() for text in texts | parts]
    return {*plain, *map(base64.b64encode, plain), *(quote(text, safe="").encode() for text in texts)}


def files_below(places: Iterable[Path]) -> Iterator[Path]:
    """Find the regular files below some places; what others remove meanwhile is not there."""
    for place in places:
        inside = (Path(directory, name) for directory, _, names in os.walk(place) for name in names)
        for path in [place] if place.is_file() else inside:
            with contextlib.suppress(OSError):
                found = path.lstat()
                if stat.S_ISREG(found.st_mode) and found.st_size <= LARGEST:
                    yield path


def new_in_shared_places(lab: Lab, *, since: float) -> Iterator[Path]:
    """Find what was made since then in places that all programs share: by this lab's programs, or by others'."""
    for place in SHARED:
        with contextlib.suppress(OSError):
            for path in Path(place).iterdir():
                if path not in lab.directory.parents and path.lstat().st_mtime >= since:
                    yield path


def holders(lab: Lab, *, since: float) -> list[str]:
    """Return the files that hold a secret."""
    secrets = secrets_of(lab)
    ours = [lab.directory / name for name in ("home", "run", "tmp")]
    found = []
    for path in files_below([*ours, *new_in_shared_places(lab, since=since)]):
        try:
            text = path.read_bytes()
        except OSError:
            continue
        if any(secret in text for secret in secrets):
            found.append(str(path))
    return found


def test_the_scan_finds_what_is_there(lab: Lab) -> None:
    since = time.time() - 1
    lab.stepup("exec", "--", "delete", "pod", "web-0")
    token = lab.provider.grants.issued[-1]
    signature = token.rpartition(".")[2]
    left = lab.directory / "tmp/left"
    shared = Path("/dev/shm") / f"kubectl-stepup-test-{os.getpid()}"
    for text in (token.encode(), signature[:60].encode(), base64.b64encode(token.encode()), REFRESH_TOKEN.encode()):
        left.write_bytes(b"x" * 1000 + text)
        assert str(left) in holders(lab, since=since)
    left.write_bytes(token.rpartition(".")[0].encode())
    assert str(left) not in holders(lab, since=since)
    try:
        shared.write_text(lab.provider.devices[0].device_code)
        assert str(shared) in holders(lab, since=since)
    finally:
        shared.unlink()


def test_nothing_holds_a_secret(lab: Lab) -> None:
    """CACHE-24: after setup, login, runs, denials, logout, -vv, and crashes."""
    since = time.time() - 1
    kubeconfig = lab.directory / "home/.kube/config"
    kubeconfig.write_text(text_of(json.loads(kubeconfig.read_text())))
    static = lab.quietly("setup", "--provider", "corp", "--elevated-context", "prod-up", "--yes")
    assert static.returncode == 0, static.stderr
    kept = lab.directory.joinpath("home/.local/state/kubectl-stepup/sessions")

    assert lab.stepup("exec", "-vv", "--", "delete", "pod", "web-0").code == 0
    if "store: memory" not in (lab.directory / "home/.config/kubectl-stepup/config.yaml").read_text():
        assert lab.stepup("login", "--fresh", "--scope", "user", "-vv").code == 0
        assert lab.quietly("--context", "prod-up", "get", "pods", program=["kubectl"]).returncode == 0
    assert lab.stepup("exec", "-vv", "--fresh", "--", "delete", "pod", "web-1").code == 0
    crashes(lab)
    assert {Path(path).parent for path in holders(lab, since=since)} <= {kept}, "while it serves"

    denials(lab)
    assert lab.stepup("logout", "--all", "-vv").code == 0
    assert len(secrets_of(lab)) > 100
    assert holders(lab, since=since) == [], "afterwards"
    assert not [key for key in KernelKeyringStore().keys() if key.split(":")[1] in ids(lab)]  # noqa: SIM118 - a store


def ids(lab: Lab) -> set[str]:
    """Return the ids of the sessions that there were: those of the locks."""
    return {path.stem for path in (lab.directory / "run/kubectl-stepup").glob("*.lock")}


def crashes(lab: Lab) -> None:
    """Kill the program at some of its points, and have it abort as a crash does, with the code in its memory."""
    for at in (12, 24, 36, 48):
        lab.terminal.run([sys.executable, str(KILLED), str(at), "exec", "-vv", "--fresh", "--", "delete", "pod", "x"])
    lab.answer.approve_after_polls = None
    aborted: list[int] = []

    def watch(screen: str) -> None:
        if "Waiting for approval" in screen and not aborted:
            # The session's lock and the terminal's are held by the same process.
            held = {path.read_text() for path in (lab.directory / "run/kubectl-stepup").glob("*.lock")} - {""}
            (process,) = {int(text.partition("pid=")[2].split()[0]) for text in held}
            aborted.append(process)
            os.kill(aborted[0], signal.SIGABRT)

    words = shlex.join([*PROGRAM, "exec", "--fresh", "--", "delete", "pod", "x"])
    ran = lab.terminal.run(["sh", "-c", f"ulimit -c unlimited; {words}"], watch)
    assert (ran.code, len(aborted)) == (128 + signal.SIGABRT, 1), ran.screen
    lab.answer.approve_after_polls = 0


def denials(lab: Lab) -> None:
    """Let a step-up fail by what the token says, by a no, and by an answer of the provider that is none."""
    good = replace(lab.answer)
    for change, code in (({"acr": "pwd"}, 125), ({"account": "mallory"}, 125), ({"denied": True}, 125)):
        for name, value in change.items():
            setattr(lab.answer, name, value)
        assert lab.stepup("exec", "-vv", "--fresh", "--", "delete", "pod", "x").code == code
        for name in change:
            setattr(lab.answer, name, getattr(good, name))
