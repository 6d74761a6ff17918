from __future__ import annotations

import fcntl
import json
import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kubectl_stepup.audit.chain import GENESIS, digest
from kubectl_stepup.audit.event import Activity, AuditEvent, Stage
from kubectl_stepup.audit.sinks import file
from kubectl_stepup.audit.sinks.file import AuditLog
from kubectl_stepup.clock import SystemClock
from kubectl_stepup.errors import AuditUnavailable


class SteppingClock:
    """Time goes on by sleeping alone."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def event(number: int = 0, *, activity: Activity = Activity.RUN) -> AuditEvent:
    return AuditEvent(
        audit_id=f"id-{number}",
        stage=Stage.REQUEST_RECEIVED,
        activity=activity,
        time=1e9,
        result="approved",
        pid=number,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "kubectl-stepup" / "audit.jsonl"


@pytest.fixture
def log(path: Path) -> AuditLog:
    return AuditLog(path, clock=SteppingClock())


def test_records_follow_each_other(log: AuditLog, path: Path) -> None:
    first, second = log.append(event(1)), log.append(event(2))
    assert (first.link.seq, first.link.prev) == (1, GENESIS)
    assert (second.link.seq, second.link.prev) == (2, digest(first.line))
    assert path.read_bytes() == first.line + b"\n" + second.line + b"\n"
    assert log.read() == (first, second)
    assert log.read(last=1) == (second,)
    assert log.read(last=0) == ()
    assert log.verify().ok


def test_no_file_no_records(log: AuditLog, path: Path) -> None:
    assert log.read() == ()
    assert log.verify().records == 0
    assert not path.exists()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_only_the_owner_may_read_whatever_the_umask(log: AuditLog, path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        log.append(event())
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o700


def test_a_file_opened_up_is_closed_again(log: AuditLog, path: Path) -> None:
    log.append(event())
    path.chmod(0o644)
    log.append(event())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_directory_others_may_write_is_refused(log: AuditLog, path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.parent.chmod(0o777)
    with pytest.raises(AuditUnavailable) as caught:
        log.append(event())
    assert caught.value.message == (f"audit directory {path.parent}: {path.parent} can be changed by other users")
    assert caught.value.hint == f"chmod go-w {path.parent}"


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_link(path: Path) -> None:
    path.symlink_to("elsewhere")


@pytest.mark.parametrize(
    ("make", "to_write", "to_read"),
    [
        (make_fifo, "is not a regular file", "is not a regular file"),
        (make_link, "cannot be written: is a symbolic link", "cannot be read: is a symbolic link"),
        (Path.mkdir, "cannot be written: Is a directory", "is not a regular file"),
    ],
    ids=["fifo", "symlink", "directory"],
)
def test_what_is_no_file_is_refused(log: AuditLog, path: Path, make: object, to_write: str, to_read: str) -> None:
    path.parent.mkdir(parents=True, mode=0o700)
    make(path)  # type: ignore[operator]
    with pytest.raises(AuditUnavailable) as caught:
        log.append(event())
    assert caught.value.message == f"audit log {path} {to_write}"
    with pytest.raises(AuditUnavailable) as caught:
        log.read()
    assert caught.value.message == f"audit log {path} {to_read}"
    assert not (path.parent / "elsewhere").exists()


def test_a_device_is_refused() -> None:
    with pytest.raises(AuditUnavailable, match="is not a regular file"):
        AuditLog(Path("/dev/full"), clock=SteppingClock()).append(event())


def test_a_path_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    log = AuditLog(tmp_path / "file" / "audit.jsonl", clock=SteppingClock())
    with pytest.raises(AuditUnavailable) as caught:
        log.append(event())
    assert caught.value.message.startswith(f"audit log {log.path} cannot be written: ")
    assert caught.value.details == {"path": str(log.path)}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_refused(log: AuditLog, path: Path) -> None:
    log.append(event())
    os.chown(path, 65534, -1)
    with pytest.raises(AuditUnavailable) as caught:
        log.append(event())
    assert caught.value.message == f"audit log {path} belongs to user 65534"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_without_permission_is_refused(log: AuditLog, path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.parent.chmod(0o500)
    with pytest.raises(AuditUnavailable, match="cannot be written: Permission denied"):
        log.append(event())


@pytest.mark.parametrize(
    "torn",
    [b'{"apiVersion":"kub', b"\x00" * 4096, b'{"api\n{"apiVers', b"\n", b"junk\n", b"x" * 300_000],
    ids=["half", "zeros", "two halves", "empty line", "junk", "longer than the window"],
)
def test_a_torn_line_stays_and_the_next_record_vouches_for_it(log: AuditLog, path: Path, torn: bytes) -> None:
    first = log.append(event(1))
    with path.open("ab") as file:
        file.write(torn)
    second = log.append(event(2))
    third = log.append(event(3))
    assert (second.link.seq, second.link.prev) == (2, digest(first.line))
    assert second.link.torn == digest(torn.removesuffix(b"\n"))
    assert third.link.torn is None
    assert [record.event.pid for record in log.read()] == [1, 2, 3]
    found = log.verify()
    assert (found.ok, found.records) == (True, 3)
    assert found.torn
    assert second.line + b"\n" + third.line + b"\n" in path.read_bytes()


def test_a_record_that_lacks_its_newline_alone_is_not_lost(log: AuditLog, path: Path) -> None:
    first = log.append(event(1))
    path.write_bytes(first.line)
    second = log.append(event(2))
    assert second.link.prev == digest(first.line)
    assert log.read() == (first, second)
    assert log.verify().ok


def test_a_file_of_junk_alone_starts_the_chain(log: AuditLog, path: Path) -> None:
    path.parent.mkdir(parents=True, mode=0o700)
    path.write_bytes(b"junk\njunk")
    assert log.append(event()).link.seq == 1
    assert log.verify().ok


def test_a_lock_held_for_long_is_given_up(log: AuditLog, path: Path) -> None:
    log.append(event(1))
    with path.open("rb") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with pytest.raises(AuditUnavailable) as caught:
            log.append(event(2))
    assert caught.value.message == f"audit log {path} is locked by another process"
    assert log.append(event(3)).link.seq == 2


WRITER = """
import sys
from pathlib import Path
from kubectl_stepup.audit.event import Activity, AuditEvent, Stage
from kubectl_stepup.audit.sinks.file import AuditLog
from kubectl_stepup.clock import SystemClock

log = AuditLog(Path(sys.argv[1]), clock=SystemClock())
for number in range(int(sys.argv[3])):
    log.append(
        AuditEvent(audit_id=f"{sys.argv[2]}-{number}", stage=Stage.REQUEST_RECEIVED, activity=Activity.RUN,
                   time=1e9, result="approved", command=("x" * 900,))
    )
"""


def test_many_processes_write_whole_lines_in_one_chain(path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(number), "50"], stderr=subprocess.PIPE)
        for number in range(8)
    ]
    assert [(writer.communicate()[1], writer.returncode) for writer in writers] == [(b"", 0)] * 8
    lines = path.read_bytes().splitlines()
    assert len({json.loads(line)["auditID"] for line in lines}) == 400
    found = AuditLog(path, clock=SystemClock()).verify()
    assert (found.ok, found.records, found.torn) == (True, 400, ())


def test_a_full_disk_is_said_and_leaves_a_chain_that_goes_on(log: AuditLog, path: Path) -> None:
    """PROC-20."""
    log.append(event(1))
    size = path.stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50, hard))  # Python ignores SIGXFSZ: write(2) stops short
    try:
        with pytest.raises(AuditUnavailable) as caught:
            log.append(event(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.message == f"audit log {path} cannot be written: No space left on device"
    assert path.stat().st_size == size + 50
    assert log.append(event(3)).link.seq == 2
    assert log.verify().ok


def test_a_long_record_costs_no_long_read(log: AuditLog, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(40):
        log.append(event(number))
    monkeypatch.setattr(file, "_TAIL_BYTES", 700)
    reads: list[int] = []
    pread = os.pread

    def counted(descriptor: int, length: int, offset: int) -> bytes:
        reads.append(length)
        return pread(descriptor, length, offset)

    monkeypatch.setattr(os, "pread", counted)
    assert log.append(event(41)).link.seq == 41
    assert sum(reads) == 700
    assert log.verify().ok
