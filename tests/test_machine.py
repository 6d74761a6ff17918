"""The tests themselves: the same however they are started, and ended with all that they started."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pexpect
import pytest

ROOT = Path(__file__).parent.parent
PROBE = """
    import os, signal, subprocess, sys, time

    SHOW = '''
    import os, signal, sys
    ignored = [number for number in range(1, 32) if signal.getsignal(number) is signal.SIG_IGN]
    print(sorted(name for name in os.environ if not name.startswith("PYTEST_")), os.umask(0))
    print(ignored, signal.pthread_sigmask(signal.SIG_BLOCK, ()))
    print(sys.getfilesystemencoding(), os.access("/dev/tty", os.F_OK))
    try:
        os.open("/dev/tty", os.O_RDWR)
    except OSError:
        print("no terminal")
    '''

    def test_what_a_program_sees():
        done = subprocess.run([sys.executable, "-c", SHOW], capture_output=True, text=True, check=True)
        print(done.stdout)
        assert done.stdout.splitlines() == [
            "['HOME', 'LANG', 'PATH', 'TERM', 'TZ'] 18",
            f"[{int(signal.SIGPIPE)}, {int(signal.SIGXFSZ)}] set()",
            "utf-8 True",
            "no terminal",
        ]
        assert time.tzname[0] == "UTC"
"""
PROPERTY = """
    from hypothesis import given, settings, strategies as st

    tried = []

    @settings(max_examples=200, database=None)
    @given(st.integers(0, 10**9))
    def test_a_property(number):
        tried.append(number)

    def test_that_many():
        print(f"tried {len(tried)}")
        assert False
"""
HANGS = """
    import os, subprocess, sys, time
    from pathlib import Path
    import pytest

    NEVER = (
        "import os, signal, sys, time; [signal.signal(n, signal.SIG_IGN) for n in (1, 2, 15)]; "
        "print(os.getpid(), flush=True); {} time.sleep(600)"
    )
    AWAY = "os.fork() and os._exit(0); os.setsid(); print(os.getpid(), flush=True);"

    @pytest.mark.timeout(3)
    def test_hangs(tmp_path):
        pids = Path(__file__).with_name("pids").open("w")
        # One that went away from its parent is known by the directory of the test.
        environ = {**os.environ, "TMPDIR": f"{tmp_path}/tmp"}
        subprocess.run([sys.executable, "-c", NEVER.format(AWAY)], stdout=pids, env=environ)
        with subprocess.Popen([sys.executable, "-c", NEVER.format("")], stdout=pids, start_new_session=True) as child:
            child.wait()

    def test_the_next():
        pass
"""
RUN = ["-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "-p", "tests.conftest", "-c", str(ROOT / "pyproject.toml")]
STRANGE = {
    "LC_ALL": "C",
    "TZ": "Asia/Kolkata",
    "CI": "true",
    "NO_COLOR": "1",
    "PYTHONUTF8": "0",
    "SSH_TTY": "/dev/pts/0",
}


def probe(tmp_path: Path, text: str) -> str:
    path = tmp_path / "test_probe.py"
    path.write_text(textwrap.dedent(text))
    return str(path)


def environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.mark.parametrize(
    ("start", "strange"),
    [
        ('exec "$@"', {}),
        ('umask 077; trap "" HUP INT QUIT TERM USR1; exec setsid --wait "$@" <&-', STRANGE),
        ('umask 002; exec nohup "$@"', STRANGE),
    ],
    ids=["bare", "ignored", "nohup"],
)
def test_a_program_that_a_test_starts_sees_the_same_machine(
    tmp_path: Path, start: str, strange: dict[str, str]
) -> None:
    words = ["sh", "-c", start, "sh", sys.executable, *RUN, probe(tmp_path, PROBE)]
    done = subprocess.run(words, cwd=ROOT, env=environment() | strange, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_program_that_a_test_starts_does_not_find_the_terminal_of_who_started_the_tests(tmp_path: Path) -> None:
    words = ["-c", '"$@"; exit $?', "sh", sys.executable, *RUN, probe(tmp_path, PROBE)]  # the shell leads the session
    child = pexpect.spawn("/bin/sh", words, cwd=ROOT, env=environment(), encoding="utf-8", timeout=60)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0, child.before


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_test_whose_time_is_up_ends_with_all_that_it_started(tmp_path: Path) -> None:
    words = [sys.executable, *RUN, probe(tmp_path, HANGS)]
    done = subprocess.run(words, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60)
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "Timeout (>3.0s)" in done.stdout
    started = [int(line) for line in (tmp_path / "pids").read_text().split()]
    assert len(started) == 3
    assert not any(map(runs, started))


@pytest.mark.parametrize(("profile", "tried"), [("short", 50), ("long", 2000)])
def test_a_property_is_tried_with_as_many_examples_as_the_profile_says(
    tmp_path: Path, profile: str, tried: int
) -> None:
    words = [sys.executable, *RUN, "--hypothesis-profile", profile, probe(tmp_path, PROPERTY)]
    done = subprocess.run(words, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60)
    assert f"tried {tried}\n" in done.stdout, done.stdout + done.stderr


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
