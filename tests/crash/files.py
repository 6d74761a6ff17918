"""Files that are shared with others, or read by the next command, whose writer is killed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from kubectl_stepup.audit.event import Activity, AuditEvent, Stage
from kubectl_stepup.audit.sinks.file import AuditLog
from kubectl_stepup.clock import SystemClock
from kubectl_stepup.file_stamp import stamp_of
from kubectl_stepup.kubectl import run_directory
from kubectl_stepup.policy import compiled_file
from kubectl_stepup.policy.load import load
from kubectl_stepup.sessions import denial_cache, hand_over, release_credential
from kubectl_stepup.sessions.lock import acquire
from kubectl_stepup.sessions.runtime_directory import clear_away, runtime_directory
from kubectl_stepup.sessions.session import ElevationSession
from kubectl_stepup.yaml_edit import edited_file
from tests.crash.injection import Points
from tests.crash.scenario import Scenario
from tests.support.sessions import session

ID = "0123456789abcdef0123456789abcdef"


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedFileIsKilled(Scenario):
    """A kubeconfig or config; `link`: by a symbolic link."""

    before: bytes | None
    link: bool = False

    def path(self, directory: Path) -> Path:
        return directory / ("link/config" if self.link else "real/config")

    def prepare(self, directory: Path) -> None:
        if self.before is not None:
            (directory / "real").mkdir()
            (directory / "real/config").write_bytes(self.before)
        if self.link:
            (directory / "link").mkdir()
            (directory / "link/config").symlink_to(directory / "real/config")

    def act(self, directory: Path, points: Points) -> None:
        edited_file.change(str(self.path(directory)), self._edited, clock=SystemClock())

    def check(self, directory: Path) -> None:
        path, real = self.path(directory), directory / "real/config"
        found = real.read_bytes() if real.exists() else None
        assert found in (self.before, self._edited(self.before)), f"neither old nor new: {found!r}"
        edited_file.clear_away(str(path), clock=SystemClock())
        assert not real.parent.exists() or names(real.parent) == ([] if found is None else ["config"])
        self.act(directory, Points(0))
        assert real.read_bytes() == self._edited(self.before)
        assert (names(real.parent), names(path.parent)) == (["config"], ["config"])
        assert path.is_symlink() is self.link

    @staticmethod
    def _edited(data: bytes | None) -> bytes:
        return data if data and data.endswith(b"new: 1\n") else (data or b"") + b"new: 1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordIsKilled(Scenario):
    """The audit log, which has so many records already."""

    records: int

    def log(self, directory: Path) -> AuditLog:
        return AuditLog(directory / "state/ours/audit.jsonl", clock=SystemClock())

    def prepare(self, directory: Path) -> None:
        for _ in range(self.records):
            self.act(directory, Points(0))

    def act(self, directory: Path, points: Points) -> None:
        event = AuditEvent(
            audit_id=ID,
            stage=Stage.RESPONSE_COMPLETE,
            activity=Activity.LOGOUT,
            time=1_800_000_000,
            result="logged-out",
        )
        self.log(directory).append(event)

    def check(self, directory: Path) -> None:
        found = self.log(directory).verify()
        assert found.ok, found
        assert found.records in (self.records, self.records + 1), found
        self.act(directory, Points(0))
        after = self.log(directory).verify()
        assert (after.ok, after.records) == (True, found.records + 1), after


class RefusalIsKilled(Scenario):
    """The memory of a refusal, which takes another's place."""

    __slots__ = ()

    OLD = denial_cache.Denial(code="denied", message="denied", hint=None, at_boottime=1000.0)
    NEW = denial_cache.Denial(code="too-weak", message="too weak", hint="kubectl stepup login", at_boottime=1001.0)

    def prepare(self, directory: Path) -> None:
        denial_cache.remember(directory, ID, self.OLD)

    def act(self, directory: Path, points: Points) -> None:
        denial_cache.remember(directory, ID, self.NEW)

    def check(self, directory: Path) -> None:
        assert self.binding(directory) in (self.OLD, self.NEW)
        self.act(directory, Points(0))
        assert self.binding(directory) == self.NEW
        denial_cache.forget(directory, ID)
        assert names(directory) == []

    @staticmethod
    def binding(directory: Path) -> denial_cache.Denial | None:
        return denial_cache.binding(directory, ID, process_started_boottime=0, now_boottime=1002.0, for_credential=True)


class LockIsKilled(Scenario):
    """The lock of one step-up at a time."""

    __slots__ = ()

    def prepare(self, directory: Path) -> None:
        return

    def act(self, directory: Path, points: Points) -> None:
        waited: list[object] = []
        with acquire(directory, ID, answer=lambda: None, timeout_s=0, on_wait=waited.append, clock=SystemClock()):
            points.point()
        assert not waited, "a lock of nobody's was waited for"

    def check(self, directory: Path) -> None:
        self.act(directory, Points(0))
        assert names(directory) == [f"{ID}.lock"]


class CompiledPolicyIsKilled(Scenario):
    """The compiled policy, beside that of an older file."""

    __slots__ = ()

    def prepare(self, directory: Path) -> None:
        (directory / "policy.yaml").write_text("")

    def act(self, directory: Path, points: Points) -> None:
        sources = [str(directory / "policy.yaml")]
        known_by = stamp_of(sources)
        compiled_file.write(str(directory / "cache"), sources, load(None, None), known_by=known_by)

    def check(self, directory: Path) -> None:
        cache, sources = directory / "cache", [str(directory / "policy.yaml")]
        found = compiled_file.read(str(cache), stamp_of(sources))
        assert found is None or found.levels == load(None, None).levels
        for rest in cache.iterdir() if cache.exists() else ():
            os.utime(rest, (1_000_000_000, 1_000_000_000))
        self.act(directory, Points(0))
        assert compiled_file.read(str(cache), stamp_of(sources)) is not None
        assert names(cache) == [compiled_file.NAME]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOverIsKilled(Scenario):
    """The hand-over to a process tree, by the kernel's keyring or by a socket."""

    kernel: bool

    def prepare(self, directory: Path) -> None:
        (directory / "run").mkdir(mode=0o700)

    def act(self, directory: Path, points: Points) -> None:
        offer = hand_over.prepared(directory=directory / "run", kernel=self.kernel, now=lambda: 1_800_000_000)
        with offer as handed_over:
            points.point()
            handed_over.give(self.session(directory))
            points.point()

    def check(self, directory: Path) -> None:
        identity = self.session(directory).id
        sockets = names(directory / "run")
        for one in sockets or [""]:
            options = {
                release_credential.SESSION: identity,
                **({release_credential.HANDOVER: str(directory / "run" / one)} if one else {}),
            }
            assert list(release_credential._handed_over(identity, options)) == [], "somebody outside the tree reads it"
        clear_away(directory / "run")
        assert names(directory / "run") == []
        self.act(directory, Points(0))
        assert names(directory / "run") == []

    @staticmethod
    def session(directory: Path) -> ElevationSession:
        return session(issuer=f"https://{directory.name}.{os.path.basename(directory.parent)}.example.com")


class RunDirectoryIsKilled(Scenario):
    """The directory of an elevated run, with its overlay."""

    __slots__ = ()

    def prepare(self, directory: Path) -> None:
        (directory / "run").mkdir(mode=0o700)

    def act(self, directory: Path, points: Points) -> None:
        with run_directory.run_directory(str(directory / "run")) as run:
            run.write("overlay", b"first")
            run.link("kubeconfig-0", "/a:b")
            points.point()
            run.write("overlay", b"second")
            points.point()

    def check(self, directory: Path) -> None:
        run_directory.clear_away(str(directory / "run"))
        assert names(directory / "run") == []
        self.act(directory, Points(0))
        assert names(directory / "run") == []


class RuntimeDirectoryIsKilled(Scenario):
    """The making of the directory for locks, below the state directory."""

    __slots__ = ()

    def prepare(self, directory: Path) -> None:
        return

    def act(self, directory: Path, points: Points) -> None:
        runtime_directory({}, state_directory=directory / "state/ours")

    def check(self, directory: Path) -> None:
        assert runtime_directory({}, state_directory=directory / "state/ours").stat().st_mode & 0o777 == 0o700


FILES: dict[str, Scenario] = {
    "kubeconfig: the first one": EditedFileIsKilled(before=None),
    "kubeconfig: a change": EditedFileIsKilled(before=b"old: 1\n" * 100),
    "kubeconfig: a change through a link": EditedFileIsKilled(before=b"old: 1\n", link=True),
    "record: the first one": RecordIsKilled(records=0),
    "record: one more": RecordIsKilled(records=2),
    "refusal": RefusalIsKilled(),
    "lock": LockIsKilled(),
    "compiled policy": CompiledPolicyIsKilled(),
    "hand-over by the kernel": HandOverIsKilled(kernel=True),
    "hand-over by a socket": HandOverIsKilled(kernel=False),
    "directory of a run": RunDirectoryIsKilled(),
    "runtime directory": RuntimeDirectoryIsKilled(),
}
