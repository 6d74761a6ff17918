"""Sessions in files: modes, owners, links, and crashes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.sessions.stores.file import FileStore
from tests.support.clock import StillClock

KEY = "kubectl-stepup:0123456789abcdef0123456789abcdef:tty-34816-10-20"
END = StillClock().now() + 60


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "state" / "sessions"


@pytest.fixture
def store(directory: Path) -> FileStore:
    return FileStore(directory, now=StillClock().now)


def only_file(directory: Path) -> Path:
    (found,) = directory.iterdir()
    return found


def test_reading_makes_no_directory(store: FileStore, directory: Path) -> None:
    assert store.get(KEY) is None
    assert store.keys() == []
    assert store.delete(KEY) is False
    assert not directory.exists()


def test_modes_hold_whatever_the_umask(store: FileStore, directory: Path) -> None:
    before = os.umask(0)
    try:
        store.put(KEY, b"value", END)
    finally:
        os.umask(before)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(only_file(directory).stat().st_mode) == 0o600


def test_a_directory_open_to_others_is_refused(store: FileStore, directory: Path) -> None:
    directory.mkdir(parents=True)
    directory.chmod(0o750)
    with pytest.raises(StoreUnavailable) as caught:
        store.put(KEY, b"value", END)
    assert caught.value.message == f"{directory} is not a directory of yours alone (mode 0700)"
    assert caught.value.hint == f"rm -r {directory}"
    with pytest.raises(StoreUnavailable):
        store.get(KEY)


def test_a_linked_directory_is_refused(store: FileStore, directory: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    directory.parent.mkdir()
    directory.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreUnavailable, match="is not a directory of yours alone"):
        store.put(KEY, b"value", END)


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to give a directory away")
def test_somebody_elses_directory_is_refused(store: FileStore, directory: Path) -> None:
    directory.mkdir(parents=True, mode=0o700)
    os.chown(directory, 65534, 65534)
    with pytest.raises(StoreUnavailable, match="is not a directory of yours alone"):
        store.get(KEY)


def test_a_linked_file_is_not_followed(store: FileStore, directory: Path, tmp_path: Path) -> None:
    store.put(KEY, b"value", END)
    path = only_file(directory)
    (tmp_path / "elsewhere").write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreUnavailable, match=r"cannot be used: Too many levels of symbolic links$"):
        store.get(KEY)


def test_a_file_open_to_others_is_dropped(store: FileStore, directory: Path) -> None:
    store.put(KEY, b"value", END)
    only_file(directory).chmod(0o644)
    assert store.get(KEY) is None
    assert list(directory.iterdir()) == []


@pytest.mark.parametrize(
    "content", [b"", b"value", b"soon\nvalue", b"-5\nvalue", b"1\nvalue", "١٨٠٠٠٠٠٠٦٠\nv".encode()]
)
def test_a_file_of_another_form_is_dropped(store: FileStore, directory: Path, content: bytes) -> None:
    """CACHE-12."""
    store.put(KEY, b"value", END)
    only_file(directory).write_bytes(content)
    assert store.get(KEY) is None
    assert list(directory.iterdir()) == []


def test_a_pipe_in_place_of_a_file_does_not_hang(store: FileStore, directory: Path) -> None:
    store.put(KEY, b"value", END)
    path = only_file(directory)
    path.unlink()
    os.mkfifo(path, 0o600)
    assert store.get(KEY) is None


def test_a_failed_write_leaves_the_old_value_and_no_rest(
    store: FileStore, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(KEY, b"old", END)

    def no_space(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(StoreUnavailable) as caught:
        store.put(KEY, b"new", END)
    assert caught.value.message == f"sessions in {directory} cannot be used: No space left on device"
    monkeypatch.undo()
    assert store.get(KEY) == b"old"
    assert len(list(directory.iterdir())) == 1


def test_what_a_crash_left_is_swept(store: FileStore, directory: Path) -> None:
    store.put(KEY, b"value", END)
    rest = directory / ".123.abcd.session"
    rest.write_bytes(b"half a tok")
    os.utime(rest, (END - 200, END - 200))
    store.put(KEY, b"value", END)
    assert not rest.exists()


@pytest.mark.parametrize("action", ["put", "delete"])
def test_what_a_killed_process_was_writing_goes_at_once(store: FileStore, directory: Path, action: str) -> None:
    store.put(KEY, b"value", END)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    of_nobody = directory / f".{ended.pid}.0123abcd.session"
    of_somebody = directory / f".{os.getpid()}.0123abcd.session"
    for rest in (of_nobody, of_somebody):
        rest.write_bytes(b"half a tok")
        os.utime(rest, (END, END))
    if action == "put":
        store.put(KEY, b"value", END)
    else:
        store.delete(KEY)
    assert (of_nobody.exists(), of_somebody.exists()) == (False, True)


@pytest.mark.parametrize("key", ["", "../x", "a/b", "A", "a.b", "a,b", "a\0b", "ä"])
def test_a_key_that_is_none_of_ours_names_no_file(store: FileStore, key: str) -> None:
    with pytest.raises(StoreUnavailable, match=r"cannot name a stored session$"):
        store.get(key)


def test_a_read_only_place_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = FileStore(tmp_path / "file" / "sessions", now=StillClock().now)
    with pytest.raises(StoreUnavailable, match=r"cannot be used: Not a directory$"):
        store.put(KEY, b"value", END)
