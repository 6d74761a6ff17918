"""An overlay lent to a child: in memory, or in a private file that is gone afterwards."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kubectl_stepup.errors import KubectlFailed
from kubectl_stepup.kube.lent_file import lend

DOCUMENT = b'{"kind":"Config"}' * 1000
CHILD_AND_GRANDCHILD = """
import os, subprocess, sys
path = sys.argv[1]
first = open(path, "rb").read()
second = subprocess.run(["cat", path], close_fds=False, capture_output=True).stdout
sys.stdout.buffer.write(b"same" if first == second else b"different")
sys.stdout.buffer.write(first)
"""

linux = pytest.mark.skipif(sys.platform != "linux", reason="memfd is Linux's")


@pytest.fixture
def no_memory_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str, flags: int) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "memfd_create", refuse, raising=False)


def open_descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


@linux
def test_a_child_and_its_child_read_the_memory_file() -> None:
    """KCFG-16."""
    before = open_descriptors()
    with lend(DOCUMENT, directory=None) as lent:
        assert lent.path == f"/proc/self/fd/{lent.pass_fds[0]}"
        done = subprocess.run(
            [sys.executable, "-c", CHILD_AND_GRANDCHILD, lent.path],
            pass_fds=lent.pass_fds,
            capture_output=True,
            check=True,
        )
        assert done.stdout == b"same" + DOCUMENT
    assert open_descriptors() == before
    assert not os.path.exists(lent.path) or b"Config" not in Path(lent.path).read_bytes()


@linux
def test_the_memory_file_cannot_be_written() -> None:
    with lend(DOCUMENT, directory=None) as lent:
        for mode in ("wb", "ab", "r+b"):
            with pytest.raises(PermissionError), open(lent.path, mode) as stream:  # noqa: PT012 - either may refuse
                stream.write(b"x")
                stream.flush()
        assert Path(lent.path).read_bytes() == DOCUMENT


@linux
def test_the_memory_file_never_becomes_standard_input(tmp_path: Path) -> None:
    script = (
        "import os; os.close(0)\n"
        "from kubectl_stepup.kube.lent_file import lend\n"
        "with lend(b'x', directory=None) as lent: print(lent.pass_fds[0] > 2)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert done.stdout == "True\n"


@pytest.mark.usefixtures("no_memory_files")
def test_without_memory_files_it_is_a_private_file_for_the_time_of_the_block(tmp_path: Path) -> None:
    """KCFG-17."""
    directory = tmp_path / "run"
    old = os.umask(0)
    try:
        with lend(DOCUMENT, directory=str(directory)) as lent:
            path = Path(lent.path)
            assert (path.parent, lent.pass_fds, path.read_bytes()) == (directory, (), DOCUMENT)
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    finally:
        os.umask(old)
    assert list(directory.iterdir()) == []


@pytest.mark.usefixtures("no_memory_files")
def test_the_file_goes_also_when_the_block_fails(tmp_path: Path) -> None:
    """KCFG-16."""
    with pytest.raises(KeyboardInterrupt), lend(DOCUMENT, directory=str(tmp_path / "run")):
        raise KeyboardInterrupt
    assert list((tmp_path / "run").iterdir()) == []


@pytest.mark.usefixtures("no_memory_files")
@pytest.mark.parametrize("mode", [0o755, 0o770, 0o1777])
def test_a_directory_that_others_may_look_into_is_refused(tmp_path: Path, mode: int) -> None:
    directory = tmp_path / "run"
    directory.mkdir()
    directory.chmod(mode)
    with pytest.raises(KubectlFailed, match="others may look into it") as caught, lend(b"x", directory=str(directory)):
        pass
    assert caught.value.hint == f"chmod 700 {directory}"


@pytest.mark.usefixtures("no_memory_files")
def test_a_link_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "run").symlink_to(tmp_path / "real")
    with pytest.raises(KubectlFailed), lend(b"x", directory=str(tmp_path / "run")):
        pass


@pytest.mark.usefixtures("no_memory_files")
def test_without_any_place_nothing_is_lent() -> None:
    with pytest.raises(KubectlFailed, match="there is no place"), lend(b"x", directory=None):
        pass
