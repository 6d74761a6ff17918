"""The directory of a run: private, locked by every process of the run, and gone when the last one is."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kubectl_stepup.errors import KubectlFailed
from kubectl_stepup.kubectl.run_directory import clear_away, run_directory


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    path = tmp_path / "kubectl-stepup"
    path.mkdir(mode=0o700)
    return path


HOLDER = "import sys; print('ready', flush=True); sys.stdin.read()"


def test_files_are_private_whatever_the_umask_and_gone_afterwards(parent: Path) -> None:
    """KCFG-16, KCFG-17."""
    old = os.umask(0)
    try:
        with run_directory(str(parent)) as directory:
            path = Path(directory.write("overlay", b"first"))
            assert directory.write("overlay", b"2nd") == str(path)
            assert path.read_bytes() == b"2nd"
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE(Path(directory.path).stat().st_mode) == 0o700
            link = directory.link("kubeconfig-0", "/srv/a:b")
            assert (os.readlink(link), directory.lost()) == ("/srv/a:b", None)
            assert os.readlink(directory.link("kubeconfig-1", "../a:b")) == os.path.join(os.getcwd(), "../a:b")
    finally:
        os.umask(old)
    assert list(parent.iterdir()) == []


def test_it_goes_also_when_the_block_fails(parent: Path) -> None:
    with pytest.raises(KeyboardInterrupt), run_directory(str(parent)):
        raise KeyboardInterrupt
    assert list(parent.iterdir()) == []


def test_a_process_that_was_left_behind_keeps_it(parent: Path) -> None:
    """A kubectl that it starts later must find the overlay: without one it would be the everyday user's."""
    with run_directory(str(parent)) as directory:
        overlay = Path(directory.write("overlay", b"x"))
        words = [sys.executable, "-c", HOLDER]
        left = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[directory.lock])
        assert left.stdout is not None
        assert left.stdout.readline() == b"ready\n"
    assert overlay.exists()
    clear_away(str(parent))
    assert overlay.exists()
    left.communicate()
    clear_away(str(parent))
    assert list(parent.iterdir()) == []


def test_what_a_killed_run_left_is_cleared_away_and_a_living_one_is_not(parent: Path) -> None:
    script = (
        "import os, sys; from kubectl_stepup.kubectl.run_directory import run_directory\n"
        "with run_directory(sys.argv[1]) as directory:\n"
        "    directory.write('overlay', b'x'); directory.link('l', '/nowhere'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, str(parent)], check=False)
    assert len(list(parent.iterdir())) == 1
    (parent / "other").mkdir()
    with run_directory(str(parent)) as directory:
        clear_away(str(parent))
        assert {path.name for path in parent.iterdir()} == {"other", Path(directory.path).name}
    clear_away(str(parent / "nowhere"))


def test_a_file_that_was_removed_or_replaced_is_lost(parent: Path) -> None:
    with run_directory(str(parent)) as directory:
        path = Path(directory.write("overlay", b"x"))
        path.unlink()
        assert directory.lost() == str(path)
        path.symlink_to("/etc/hostname")
        assert directory.lost() == str(path)


def test_a_file_is_written_anew_in_its_place(parent: Path) -> None:
    with run_directory(str(parent)) as directory:
        path = Path(directory.write("overlay", b"longer"))
        assert (directory.write("overlay", b"x"), path.read_bytes(), directory.lost()) == (str(path), b"x", None)


@pytest.mark.parametrize("what", ["nothing", "another file", "a link", "a pipe"])
def test_what_took_the_place_of_a_file_is_not_written(parent: Path, tmp_path: Path, what: str) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"keep")
    with run_directory(str(parent)) as directory:
        path = Path(directory.write("overlay", b"x"))
        path.unlink()
        if what == "another file":
            path.hardlink_to(other)
        elif what == "a link":
            path.symlink_to(other)
        elif what == "a pipe":
            os.mkfifo(path)
        with pytest.raises(KubectlFailed, match="overlay: "):
            directory.write("overlay", b"new")
    assert other.read_bytes() == b"keep"


@pytest.mark.parametrize("what", ["missing", "a file"])
def test_where_it_cannot_be_made(tmp_path: Path, what: str) -> None:
    parent = tmp_path / "parent"
    if what == "a file":
        parent.touch()
    with pytest.raises(KubectlFailed, match="parent/run-") as caught, run_directory(str(parent)):
        pass
    assert caught.value.hint is not None
    assert "XDG_RUNTIME_DIR" in caught.value.hint
