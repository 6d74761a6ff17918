"""The whole program killed while it enrols, steps up and signs in, and the next run of it."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubectl_stepup.yaml_edit.yaml_file import text_of
from tests.support.lab import Lab, opened_lab
from tests.support.lab.lab import GROUPS
from tests.support.provider.model import Answer
from tests.support.warm_start import KILLED_PROGRAM

SETUP = ("setup", "--provider", "corp", "--label", "env=new", "--elevated-context", "prod-up", "--yes")
DELETE = ("--", "delete", "pod", "web-0", "--ignore-not-found")
KILLED = {-signal.SIGKILL, 128 + signal.SIGKILL}
"""As Python says it, and as a shell does."""

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with opened_lab(tmp_path, store="file", answer=Answer(interval=1, approve_after_polls=0, claims=GROUPS)) as opened:
        yield opened


def killed_at(at: int) -> list[str]:
    """Return the words that start the program and kill it at a point (0: never)."""
    return [*KILLED_PROGRAM, str(at)]


def killed_runs(run: Callable[[list[str]], int], *, every: int, at_least: int) -> Iterator[int]:
    """Kill a run at every so many of its points, until one gets to its end; give the point after each."""
    assert run(killed_at(0)) == 0
    at = 1
    while (code := run(killed_at(at))) in KILLED:
        yield at
        at += every
    assert code == 0
    assert at > at_least * every


def files_of(lab: Lab) -> tuple[Path, Path]:
    return lab.directory / "home/.kube/config", lab.directory / "home/.config/kubectl-stepup/config.yaml"


def secrets_of(lab: Lab) -> list[bytes]:
    """Return the signatures of the tokens and the device codes that were given out."""
    tokens = [token.rpartition(".")[2].encode() for token in lab.provider.grants.issued]
    return tokens + [device.device_code.encode() for device in lab.provider.devices]


def holders(lab: Lab) -> set[str]:
    """Return the names of the files that hold one of the secrets."""
    places = [path for place in ("home", "run", "tmp") for path in (lab.directory / place).rglob("*")]
    texts = {path.name: path.read_bytes() for path in places if path.is_file()}
    return {name for name, text in texts.items() if any(secret in text for secret in secrets_of(lab))}


def test_setup_leaves_whole_files_and_no_lock_that_stays(lab: Lab) -> None:
    """KCFG-06: kubeconfig and config are each the old one or the new one, and the next `setup` ends the matter."""
    kubeconfig, config = files_of(lab)
    kubeconfig.write_text(text_of(json.loads(kubeconfig.read_text())))
    old = {path: path.read_bytes() for path in files_of(lab)}
    assert lab.quietly(*SETUP).returncode == 0
    new = {path: path.read_bytes() for path in files_of(lab)}
    assert all(old[path] != new[path] for path in new)

    def run(program: list[str]) -> int:
        for path, data in old.items():
            path.write_bytes(data)
        return lab.quietly(*SETUP, program=program).returncode

    for at in killed_runs(run, every=4, at_least=15):
        assert all(path.read_bytes() in (old[path], new[path]) for path in old), at
        assert lab.kubectl("get", "pods").returncode == 0, at
        again = lab.quietly(*SETUP)
        assert (again.returncode, again.stderr) == (0, b""), at
        assert {path: path.read_bytes() for path in files_of(lab)} == new, at
        assert {path.name for path in kubeconfig.parent.iterdir() if path.is_file()} == {"config"}, at
        assert {path.name for path in config.parent.iterdir()} == {"config.yaml", "policy.yaml"}, at
        assert lab.kubectl("config", "set-context", "theirs", "--cluster=c").returncode == 0, at


@pytest.mark.parametrize(
    ("words", "every"), [(("login",), 4), (("exec", "--fresh", *DELETE), 8)], ids=["login", "exec"]
)
def test_a_step_up_leaves_a_session_or_none(lab: Lab, words: tuple[str, ...], every: int) -> None:
    """CACHE-09: of a step-up that is killed the next command finds the session whole, or asks."""
    sessions = lab.directory / "home/.local/state/kubectl-stepup/sessions"

    def run(program: list[str]) -> int:
        return lab.terminal.run([*program, *words]).code

    for at in killed_runs(run, every=every, at_least=7):
        kept = bool(sessions.exists() and [path for path in sessions.iterdir() if not path.name.startswith(".")])
        assert {name for name in holders(lab) if not name.endswith(".session")} == set(), at
        asked = lab.provider.count("device")
        ran = lab.stepup("exec", *DELETE)
        assert ran.code == 0, (at, ran.screen)
        assert ("Using mfa" in ran.screen) is kept, (at, ran.screen)
        assert (lab.provider.count("device") == asked) is kept, (at, ran.screen)
        out = lab.stepup("logout")
        assert (out.code, holders(lab), list(sessions.iterdir())) == (0, set(), []), (at, out.screen)
    assert "hash chain ok" in lab.stepup("audit", "list").screen
