"""The program as a process among others: signals, terminals, descriptors, directories, and what a machine refuses."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pytest

from kubectl_stepup.kubectl.process import find
from tests.support.lab import Lab, opened_lab
from tests.support.lab.lab import POLICY
from tests.support.warm_start import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PROC = Path("/proc")
pytestmark = pytest.mark.skipif(not PROC.exists(), reason="looks into /proc")
INSTALLED = [os.path.join(os.path.dirname(sys.executable), "kubectl-stepup")]
WATCH = ("exec", "--level", "mfa", "--", "get", "pods", "--watch")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with opened_lab(tmp_path, cold=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Return a lab with a session of the user's, for tests that leave it as it is."""
    with opened_lab(tmp_path_factory.mktemp("shared"), cold=True) as opened:
        assert opened.stepup("login", "--scope", "user").code == 0
        yield opened


def ended(child: pexpect.spawn) -> int:
    """Return the exit code, 128+n where signal n ended our command itself."""
    child.expect(pexpect.EOF)
    child.close()
    return int(child.exitstatus) if child.signalstatus is None else 128 + int(child.signalstatus)


def static_in(lab: Lab, script: str) -> None:
    """Put a kubectl of our own before the real one; `$REAL` in it is that."""
    directory = lab.directory / "bin"
    directory.mkdir(mode=0o755)
    real = find(lab.environ)
    (directory / "kubectl").write_text(f"#!/bin/sh\nREAL={shlex.quote(real)}\n{script}\n")
    (directory / "kubectl").chmod(0o755)
    with_environ(lab, PATH=f"{directory}:{lab.environ['PATH']}")


def with_environ(lab: Lab, **environ: str) -> None:
    """Change the environment of what is run from now on, in the lab's terminal too."""
    lab.environ.update(environ)
    words = " ".join(shlex.quote(f"{name}={value}") for name, value in environ.items())
    lab.terminal.run(["eval", f"export {words}"])


def children(pid: int) -> list[int]:
    return [int(found) for found in (PROC / f"{pid}/task/{pid}/children").read_text().split()]


def left_files(lab: Lab) -> list[str]:
    """Return what a run that is over must not have left."""
    kept = (".lock", ".refusal")
    found = [path for name in ("run", "tmp") for path in (lab.directory / name).rglob("*") if path.is_file()]
    return [str(path) for path in found if path.suffix not in kept]


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_does_what_it_does_to_kubectl_and_leaves_nothing(lab: Lab, name: str) -> None:
    """PROC-02, PROC-03: SIGINT by Ctrl-C, the others sent to us."""
    codes = []
    for program in ([find(lab.environ), *WATCH[4:]], [*PROGRAM, *WATCH]):
        child = pexpect.spawn(
            program[0], program[1:], env=lab.environ, cwd=lab.environ["HOME"], timeout=60, encoding="utf-8"
        )
        child.expect_exact("db-0")
        if name == "SIGINT":
            child.sendintr()
        else:
            os.kill(child.pid, getattr(signal, name))
        codes.append(ended(child))
        assert "Traceback" not in child.before

    # Once it watches, kubectl catches these and ends with 1; a moment before, the signal itself ends it.
    assert set(codes) <= {1, 128 + getattr(signal, name)}
    assert (lab.records()[-1]["exitCode"], left_files(lab)) == (codes[1], [])


def test_a_reader_that_goes_away_is_quiet(lab: Lab) -> None:
    """PROC-04."""
    assert lab.stepup("login").code == 0
    for flags in ([], ["--level", "mfa"]):
        command = shlex.join([*PROGRAM, "exec", *flags, "--", "get", "pods", "-A"])
        ran = lab.terminal.run(["sh", "-c", f"{command} | head -1"])
        assert [line.split()[0] for line in ran.screen.splitlines() if not line.startswith("Using")] == ["NAMESPACE"]


def test_a_resized_terminal_is_seen_by_kubectl_and_ctrl_z_stops_the_job(lab: Lab) -> None:
    """PROC-05: a shell with job control, a job in the background that writes, and a terminal that changes its size."""
    static_in(lab, 'trap "stty size; exit 7" WINCH; echo ready; while :; do sleep 0.1; echo tick; done')
    shell = pexpect.spawn(
        "/bin/bash", ["--norc", "--noprofile", "-i"],
        env=lab.environ, cwd=lab.environ["HOME"], timeout=60, encoding="utf-8", echo=False,
    )  # fmt: skip
    shell.sendline(shlex.join([*PROGRAM, "exec", "--level", "mfa", "--", "get", "pods"]))
    shell.expect_exact("ready")
    shell.sendcontrol("z")
    shell.expect_exact("Stopped")
    shell.sendline("stty tostop; fg")
    shell.expect_exact("get pods")
    shell.expect_exact("tick")
    shell.setwinsize(37, 111)
    shell.expect_exact("37 111")
    shell.sendline("echo code=$?")
    shell.expect_exact("code=7")
    shell.sendline("exit 0")
    shell.expect(pexpect.EOF)


def test_standard_output_that_is_no_terminal_holds_kubectls_words_alone(lab: Lab) -> None:
    """PROC-07."""
    out = lab.directory / "out"
    command = shlex.join([*PROGRAM, "exec", "-vv", "--", "delete", "pod", "web-0"])
    ran = lab.terminal.run(["sh", "-c", f"{command} > {out}"])

    assert (ran.code, out.read_bytes()) == (0, b'pod "web-0" deleted from prod namespace\n')
    assert "Compare code" in ran.screen


@pytest.mark.parametrize("path", ["hit", "miss"])
def test_the_plugin_writes_one_credential_or_nothing_whatever_python_is_told(lab: Lab, path: str) -> None:
    """PROC-08."""
    assert lab.stepup("login", "--scope", "user").code == 0
    (session,) = json.loads(lab.quietly("status", "-o", "json").stdout)["items"]
    if path == "miss":
        lab.stepup("logout")
    cluster = json.loads((lab.directory / "home/.kube/config").read_text())["clusters"][0]["cluster"]
    info = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "spec": {"interactive": False, "cluster": {**cluster, "config": None}},
    }
    lab.environ.update(KUBERNETES_EXEC_INFO=json.dumps(info), PYTHONWARNINGS="always", PYTHONDEVMODE="1")
    lab.environ.update(PYTHONVERBOSE="1", PYTHONFAULTHANDLER="1")

    done = lab.quietly("credential", "--session", session["id"])

    if path == "miss":
        assert (done.returncode, done.stdout) == (4, b"")
    else:
        assert json.loads(done.stdout)["kind"] == "ExecCredential"
        assert done.stdout.count(b"\n") <= 1


def test_kubectl_goes_on_without_us_and_has_nothing_to_leave(lab: Lab) -> None:
    """PROC-10: killed by -9 we end nothing; kubectl goes on, and so does its overlay, until a later run clears it."""
    another = ("exec", "--level", "mfa", "--no-input", "--", "get", "pods")
    shell = pexpect.spawn(
        "/bin/sh", ["-c", f"{shlex.join([*PROGRAM, *WATCH])}; echo code=$?; read line"],
        env=lab.environ, cwd=lab.environ["HOME"], timeout=60, encoding="utf-8",
    )  # fmt: skip
    shell.expect_exact("db-0")
    (wrapper,) = children(shell.pid)
    (kubectl,) = children(wrapper)
    os.kill(wrapper, signal.SIGKILL)
    shell.expect_exact("code=137")

    assert state(kubectl) in {"R", "S", "D"}
    lab.quietly(*another)
    (overlay,) = left_files(lab)
    assert "token" not in Path(overlay).read_text()
    os.kill(kubectl, signal.SIGTERM)
    end = time.monotonic() + 30
    while state(kubectl) is not None:
        assert time.monotonic() < end, "kubectl does not end"
    shell.close(force=True)
    lab.quietly(*another)
    assert left_files(lab) == []
    assert [record["stage"] for record in lab.records() if record["activity"] == "run"] == ["RequestReceived"]


def state(pid: int) -> str | None:
    """Return a process's state by proc(5); None when it has ended."""
    try:
        found = (PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return None
    return None if found == "Z" else found


@pytest.mark.parametrize("name", ["SIGABRT", "SIGSEGV"])
def test_no_core_file_of_a_process_that_has_a_token(lab: Lab, name: str) -> None:
    """PROC-12."""
    child = pexpect.spawn(
        "/bin/sh", ["-c", f"ulimit -c unlimited; exec {shlex.join([*PROGRAM, *WATCH])}"],
        env=lab.environ, cwd=lab.environ["HOME"], timeout=60, encoding="utf-8",
    )  # fmt: skip
    child.expect_exact("web-0")
    os.kill(child.pid, getattr(signal, name))

    assert ended(child) == 128 + getattr(signal, name)
    assert not os.WCOREDUMP(child.status)
    assert not list(Path(lab.environ["HOME"]).glob("*core*"))


BARE = {
    "no standard input": "{} <&-",
    "no standard output": "{} >&-",
    "no standard error": "{} 2>&-",
    "no stream": "{} <&- >&- 2>&-",
    "full standard output": "{} >/dev/full",
    "full standard error": "{} 2>/dev/full",
    "no home": "env -u HOME -u XDG_RUNTIME_DIR {}",
    "a home that is not there": "env HOME=/nonexistent {}",
    "a home that is a file": "env HOME=/etc/hostname {}",
    "no language": "env -u LANG LC_ALL=C {}",
    "a dumb terminal": "env TERM=dumb NO_COLOR=1 {}",
    "nothing at all": "env -i {}",
    "a directory that is gone": "mkdir gone && cd gone && rmdir ../gone && {}",
    "no file may grow": "ulimit -f 0; {}",
    "few descriptors": "ulimit -n 7; {}",
    "hardly any descriptor": "ulimit -n 5; {}",
}


@pytest.mark.parametrize("how", BARE.values(), ids=BARE.keys())
def test_whatever_is_missing_there_is_no_traceback(shared: Lab, how: str) -> None:
    """PROC-14, PROC-20."""
    commands: list[Sequence[str]] = [
        ("exec", "--", "get", "pods"),
        ("exec", "--level", "mfa", "--", "get", "pods"),
        ("status",),
        ("credential", "--session", "0" * 32),
    ]
    for words in commands:
        # Without $HOME the real home of whoever runs the tests would be found.
        homeless = [sys.executable, str(Path(__file__).with_name("as_somebody.py")), shared.environ["HOME"]]
        program = homeless if "-u HOME" in how or "env -i" in how else INSTALLED
        command = how.format(shlex.join([*program, *words]))
        done = shared.quietly("-c", f"cd {shared.environ['HOME']}; {command}", program=["/bin/sh"])
        assert b"Traceback" not in done.stderr + done.stdout, (words, done.stderr)
        assert b"Exception ignored" not in done.stderr, (words, done.stderr)
        assert done.returncode < 128, (words, done)


LISTS = """
import os
overlay = os.environ["KUBECONFIG"].partition(":")[0]
print("directory", os.path.dirname(overlay))
for name in os.listdir("/proc/self/fd"):
    if os.path.exists(f"/proc/self/fd/{name}"):
        print("fd", name, os.readlink(f"/proc/self/fd/{name}").split()[0])
"""


def test_kubectl_gets_three_descriptors_and_the_lock_of_its_run(lab: Lab) -> None:
    """PROC-15: none of the keyring's, the terminal's or the record's."""
    static_in(lab, f"exec {shlex.join([sys.executable, '-c', LISTS])}")

    ran = lab.stepup("exec", "--", "delete", "pod", "web-0")

    lines = [line.split() for line in ran.screen.splitlines()]
    (directory,) = [line[1] for line in lines if line[0:1] == ["directory"]]
    found = {line[1]: line[2] for line in lines if line[0:1] == ["fd"]}
    assert {"0", "1", "2"} < set(found), ran.screen
    assert [path for number, path in found.items() if number not in "012"] == [directory], ran.screen


def test_a_kubectl_that_starts_another_one_is_found_once_and_asks_once(lab: Lab) -> None:
    """PROC-16: as the dispatcher in /usr/bin does that runs the version which fits the server."""
    static_in(lab, 'echo "$0" >> "$HOME/ran"; "$REAL" get pods -o name; exec "$REAL" "$@"')
    with_environ(lab, PATH=f".::bin:{lab.environ['PATH']}")
    hostile = Path(lab.environ["HOME"]) / "kubectl"
    hostile.write_text("#!/bin/sh\necho hostile\n")
    hostile.chmod(0o755)

    ran = lab.stepup("exec", "--", "delete", "pod", "web-0")

    assert (ran.code, "hostile" in ran.screen) == (0, False), ran.screen
    # Once for the command, and once before it to see what policy the cluster publishes.
    ran_by = (Path(lab.environ["HOME"]) / "ran").read_text().splitlines()
    assert ran_by == [str(lab.directory / "bin/kubectl")] * 2
    assert lab.provider.count("device") == 1


@pytest.mark.parametrize("program", [INSTALLED, [sys.executable, "-m", "kubectl_stepup"]], ids=["script", "module"])
@pytest.mark.parametrize("path", [None, ".", "", "{cwd}:/nonexistent"])
def test_nothing_in_the_working_directory_is_imported(
    shared: Lab, tmp_path: Path, program: list[str], path: str | None
) -> None:
    """PROC-17."""
    for name in ("yaml", "requests", "click", "rich", "json", "keyring", "joserfc"):
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('imported {name}.py')\n")
    export = "" if path is None else f"export PYTHONPATH={shlex.quote(path.format(cwd=tmp_path))};"
    for words in (["exec", "--", "get", "pods"], ["exec", "--fresh", "--", "delete", "pod", "x", "--ignore-not-found"]):
        ran = shared.terminal.run(["sh", "-c", f"{export} cd {tmp_path} && {shlex.join([*program, *words])}"])
        assert (ran.code, "imported" in ran.screen) == (0, False), ran.screen


def test_an_approval_that_takes_longer_than_the_requests_may_is_no_failure(lab: Lab) -> None:
    """PROC-18: kubectl starts when all is there."""
    lab.answer.approve_after_polls = 3

    ran = lab.stepup("exec", "--", "delete", "pod", "web-0", "--request-timeout=1s")

    assert (ran.code, lab.exists("web-0")) == (0, False), ran.screen


def test_inside_an_elevated_command_another_one_uses_the_same_elevation(tmp_path: Path) -> None:
    """PROC-19: kubectl starts a plugin, and the plugin starts us again."""
    with opened_lab(tmp_path, policy=POLICY + "commands: {again: mfa}\n", cold=True) as lab:
        directory = lab.directory / "bin"
        directory.mkdir()
        plugin = directory / "kubectl-again"
        plugin.write_text(
            f'#!/bin/sh\necho "nested=$KUBECTL_STEPUP_NESTED"\nexec {shlex.join(INSTALLED)} exec -- "$@"\n'
        )
        plugin.chmod(0o755)
        with_environ(lab, PATH=f"{directory}:{lab.environ['PATH']}")

        ran = lab.stepup("exec", "--", "again", "delete", "pod", "web-0")

        assert (ran.code, lab.exists("web-0")) == (0, False), ran.screen
        assert lab.provider.count("device") == 1
        assert ran.screen.count("Compare code") == 1
        assert 'Using mfa in prod, approved 0s ago for "kubectl again' in ran.screen
