"""Fakes that behave: each keeps what it was given, and fails where it is told to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

from kubectl_stepup.audit.chain import GENESIS, AuditRecord, Link, digest, seal
from kubectl_stepup.audit.event import AuditEvent
from kubectl_stepup.errors import (
    AuditUnavailable,
    KubeconfigError,
    LoginNeeded,
    ProviderError,
    StepUpError,
    StoreUnavailable,
)
from kubectl_stepup.kubeconfig.context import ResolvedContext
from kubectl_stepup.kubectl.captured_file import CapturedFile
from kubectl_stepup.kubectl.discovery import APIResource, NamedTable
from kubectl_stepup.kubectl.time_limit import TimeLimit
from kubectl_stepup.oidc.grants.device import DeviceAuthorization, DeviceRequest
from kubectl_stepup.oidc.known_secrets import KnownSecrets
from kubectl_stepup.oidc.metadata import ProviderMetadata
from kubectl_stepup.oidc.response import Response
from kubectl_stepup.secret import Secret
from kubectl_stepup.sessions.scope import EVERY_SCOPE
from kubectl_stepup.sessions.session import ElevationSession
from kubectl_stepup.sessions.stores.memory import MemoryStore
from kubectl_stepup.trusted_file import Untrusted
from tests.support.provider.keys import public_jwk, rsa_key


@dataclass
class FakeTerminal:
    """A person's terminal: `said` is everything shown, in order; `obstacle_` says why nobody can be asked."""

    obstacle_: str | None = None
    note: str | None = "no display"
    said: list[str] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    ticks: list[float] = field(default_factory=list)
    typed_ahead: str = "123456\n"
    waiting: bool = False

    def obstacle(self) -> str | None:
        return self.obstacle_

    def line(self, text: str) -> None:
        self.lines.append(text)
        self.said.append(text)

    def warning(self, text: str) -> None:
        self.warnings.append(text)
        self.said.append(text)

    def detail(self, text: str) -> None:
        self.details.append(text)

    def prompt(self, text: str) -> None:
        self.prompts.append(text)
        self.said.append(text)

    def interject(self, text: str) -> None:
        self.said.append(text)

    def countdown(self, seconds_left: float) -> None:
        self.waiting = True
        self.ticks.append(seconds_left)

    def done(self) -> None:
        self.waiting = False

    def flush_input(self) -> None:
        self.typed_ahead = ""

    def browser_note(self) -> str | None:
        return self.note

    def open_browser(self, url: str) -> None:
        self.opened.append(url)


class RecordingAuditLog:
    """A record in memory, sealed as the file's is. With `unavailable` it cannot be written."""

    def __init__(self) -> None:
        self.records: list[AuditRecord] = []
        self.unavailable: str | None = None

    @property
    def events(self) -> list[AuditEvent]:
        """What was recorded, oldest first."""
        return [record.event for record in self.records]

    def append(self, event: AuditEvent) -> AuditRecord:
        if self.unavailable is not None:
            raise AuditUnavailable(self.unavailable)
        last = self.records[-1] if self.records else None
        link = Link(seq=1, prev=GENESIS) if last is None else Link(seq=last.link.seq + 1, prev=digest(last.line))
        record = seal(event, link)
        self.records.append(record)
        return record

    def check(self) -> None:
        if self.unavailable is not None:
            raise AuditUnavailable(self.unavailable)

    def read(self, *, last: int | None = None) -> Sequence[AuditRecord]:
        return self.records if last is None else self.records[-last:]


class FailingStore(MemoryStore):
    """A store whose operations named in `failing` do not work."""

    name = "keyring"

    def __init__(self, *failing: str, now: Callable[[], float]) -> None:
        super().__init__(now=now)
        self.failing = set(failing)

    def _check(self, operation: str) -> None:
        if operation in self.failing:
            raise StoreUnavailable("the keyring is locked")

    def get(self, key: str) -> bytes | None:
        self._check("get")
        return super().get(key)

    def put(self, key: str, value: bytes, expires_at: float) -> None:
        self._check("put")
        super().put(key, value, expires_at)

    def delete(self, key: str) -> bool:
        self._check("delete")
        return super().delete(key)

    def keys(self) -> list[str]:
        self._check("keys")
        return super().keys()


class RefusalNotes:
    """The memory of denials. `started_before` tells whether this process was running when the denials were given."""

    def __init__(self, *, started_before: bool = True) -> None:
        self.started_before = started_before
        self.kept: dict[str, LoginNeeded | ProviderError] = {}
        self.ended_keys: list[str] = []

    def remember(self, session_id: str, refusal: LoginNeeded | ProviderError) -> None:
        self.kept[session_id] = refusal

    def binding(self, session_id: str, *, for_credential: bool) -> LoginNeeded | ProviderError | None:
        return self.kept.get(session_id) if for_credential or self.started_before else None

    def forget(self, session_id: str) -> None:
        self.kept.pop(session_id, None)

    def end(self, stored_key: str) -> None:
        self.ended_keys.append(stored_key)

    def ended(self, stored_key: str) -> bool:
        every_terminal = f"{stored_key.rpartition(':')[0]}:{EVERY_SCOPE}"
        return self.started_before and bool({stored_key, every_terminal} & set(self.ended_keys))


@dataclass
class FakeKubeconfig:
    """Kubeconfig files with these contexts, the first of which is the current one."""

    contexts: Sequence[ResolvedContext]
    files: Sequence[str] = ("/home/alice/.kube/config",)
    kuberc: str | None = None
    namespace_defaults: frozenset[str] = frozenset()

    def resolve(self, context: str | None) -> ResolvedContext:
        for found in self.contexts:
            if context in (None, "", found.context):
                return found
        raise KubeconfigError(f"context {context!r} is not in {', '.join(self.files)}")

    def server_of(self, cluster: str) -> str | None:
        return next((found.server for found in self.contexts if found.cluster == cluster), None)


class Replaced(BaseException):
    """We became kubectl."""

    def __init__(self, argv: Sequence[str], environ: Mapping[str, str]) -> None:
        super().__init__(list(argv))
        self.argv = tuple(argv)
        self.environ = dict(environ)


@dataclass(frozen=True, kw_only=True)
class Ran:
    """One run of the fake kubectl, with what it could read at that time."""

    argv: tuple[str, ...]
    environ: dict[str, str]
    pass_fds: tuple[int, ...]
    stdin: bytes | None
    limit_s: float | None
    files: dict[str, bytes]


@dataclass
class FakeDiscovery:
    """What is known of resources; `asked_for` is which tables were read."""

    resources: tuple[APIResource, ...] = ()
    table: NamedTable | None = None
    asked_for: list[tuple[str, str | None]] = field(default_factory=list)

    def usual(self, server: str) -> tuple[APIResource, ...]:
        self.asked_for.append(("usual", server))
        return self.resources

    def named(self, server: str | None, directory: str | None) -> NamedTable | None:
        if self.table is not None:
            self.asked_for.append((f"named {directory}", server))
        return self.table


@dataclass
class FakeProxyReader:
    """Reads nothing, and ends with `exit_code`; `left_s` are the seconds that were left when the limit said so."""

    exit_code: int = 0
    fails: BaseException | None = None
    left_s: Sequence[float] = ()
    reads: list[tuple[str, ElevationSession]] = field(default_factory=list)
    limits: list[float | None] = field(default_factory=list)

    def read(self, path: str, session: ElevationSession, *, limit: TimeLimit | None = None) -> int:
        self.reads.append((path, session))
        self.limits.append(None if limit is None else limit.longest_s)
        if self.fails is not None:
            raise self.fails
        for left in self.left_s if limit is not None else ():
            assert limit is not None
            limit.tell(left)
        return self.exit_code


@dataclass
class FakeKubectl:
    """A kubectl that ends with `exit_code`; `missing` says it is not there, `writable` who could replace it.

    `files` are the overlays and captured inputs of just now, `left_s` the seconds left when the limit said so.
    """

    exit_code: int = 0
    missing: StepUpError | None = None
    writable: Untrusted | None = None
    plugin_writable: Untrusted | None = None
    fails: BaseException | None = None
    on_run: Callable[[], None] = lambda: None
    left_s: Sequence[float] = ()
    ran: list[Ran] = field(default_factory=list)
    answer: Callable[..., tuple[int, bytes, bytes]] = lambda *_, **__: (1, b"", b"")
    files: dict[str, bytes] = field(default_factory=dict)

    def path(self) -> str:
        if self.missing is not None:
            raise self.missing
        return "/usr/bin/kubectl"

    def writable_by_others(self) -> Untrusted | None:
        self.path()
        return self.writable

    def plugin_writable_by_others(self, argv: Sequence[str]) -> Untrusted | None:
        return self.plugin_writable

    def replace(self, argv: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
        self.path()
        raise Replaced(argv, environ)

    def run(
        self,
        argv: Sequence[str],
        environ: Mapping[str, str],
        *,
        pass_fds: Sequence[int] = (),
        stdin: Iterable[bytes] | None = None,
        limit: TimeLimit | None = None,
    ) -> int:
        self.path()
        if self.fails is not None:
            raise self.fails
        self.on_run()
        self.ran.append(
            Ran(
                argv=tuple(argv),
                environ=dict(environ),
                pass_fds=tuple(pass_fds),
                stdin=None if stdin is None else b"".join(stdin),
                limit_s=None if limit is None else limit.longest_s,
                files=dict(self.files),
            )
        )
        if limit is not None:
            for left_s in self.left_s:
                limit.tell(left_s)
        return self.exit_code

    @contextmanager
    def captured_file(self, content: bytes, place: str) -> Iterator[CapturedFile]:
        """Return captured input as a file for as long as the context lasts."""
        path = f"/captured/{len(self.files)}/{place.rpartition('/')[2] or 'manifests'}"
        number = 20 + len(self.files)
        self.files[path] = content
        try:
            yield CapturedFile(path=path, pass_fds=(number,))
        finally:
            del self.files[path]

    @contextmanager
    def run_directory(self) -> Iterator[FakeRunDirectory]:
        """Return a directory for as long as the context lasts."""
        directory = FakeRunDirectory(self.files)
        try:
            yield directory
        finally:
            for path in [path for path in self.files if path.startswith(directory.path)]:
                del self.files[path]


@dataclass
class FakeRunDirectory:
    """The directory of a run, in `files`; a link is a file whose content is its target."""

    files: dict[str, bytes]
    path: str = "/run/user/1000/kubectl-stepup/run-1"
    lock: int = 9
    written: list[str] = field(default_factory=list)

    def write(self, name: str, content: bytes) -> str:
        path = f"{self.path}/{name}"
        self.files[path] = content
        self.written.append(path)
        return path

    def link(self, name: str, target: str) -> str:
        path = f"{self.path}/{name}"
        self.files[path] = target.encode()
        return path

    def lost(self) -> str | None:
        return next((path for path in self.written if path not in self.files), None)


ISSUER = "https://login.example.com"
METADATA = ProviderMetadata(
    issuer=ISSUER,
    jwks_uri=f"{ISSUER}/jwks",
    token_endpoint=f"{ISSUER}/token",
    device_authorization_endpoint=f"{ISSUER}/device_authorization",
    revocation_endpoint=f"{ISSUER}/revoke",
    signing_algorithms=("RS256",),
)


@dataclass
class FakeProvider:
    """An identity provider that answers polls by `answers`; what comes after them is pending for ever."""

    answers: list[dict[str, Any] | BaseException] = field(default_factory=list)
    host: str = "login.example.com"
    complete: bool = False
    date: float | None = None
    metadata_: ProviderMetadata | StepUpError = METADATA
    revocation: bool | StepUpError = True
    requests: list[DeviceRequest] = field(default_factory=list)
    revoked: list[tuple[str, str, str]] = field(default_factory=list)
    polls: int = 0

    def __call__(self, provider: object) -> FakeProvider:
        """Be what `App.provider` returns, whichever provider is meant."""
        return self

    @property
    def clock_ahead_s(self) -> float | None:
        return None

    @property
    def secrets(self) -> KnownSecrets:
        return KnownSecrets()

    def metadata(self) -> ProviderMetadata:
        if isinstance(self.metadata_, StepUpError):
            raise self.metadata_
        return self.metadata_

    def algorithms(self, enrolled: tuple[str, ...] = ()) -> tuple[str, ...]:
        return enrolled or ("RS256",)

    def jwks(self, force: bool = False) -> dict[str, object]:
        return {"keys": [public_jwk(rsa_key(), kid="main", use="sig", alg="RS256")]}

    def authorize_device(self, request: DeviceRequest) -> DeviceAuthorization:
        self.requests.append(request)
        return DeviceAuthorization(
            device_code=Secret("device-code"),
            user_code="WDJB-MJHT",
            verification_uri=f"{ISSUER}/device",
            verification_uri_complete=f"{ISSUER}/device?user_code=WDJB-MJHT" if self.complete else None,
            expires_in_s=600,
            interval_s=5,
            answered_at=self.date,
        )

    def poll(self, request: DeviceRequest, device_code: Secret, *, deadline_s: float) -> Response:
        assert device_code.reveal() == "device-code"
        self.polls += 1
        answer: dict[str, Any] | BaseException = {"error": "authorization_pending"}
        if self.answers:
            answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return Response(url=f"{ISSUER}/token", status=400 if "error" in answer else 200, document=dict(answer))

    def revoke(self, revoked: Secret, *, kind: str, client_id: str) -> bool:
        self.revoked.append((revoked.reveal(), kind, client_id))
        if isinstance(self.revocation, StepUpError):
            raise self.revocation
        return self.revocation
