"""What the flows need of the outside world, as protocols at the user's side; `wiring` hands the real things in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kubectl_stepup.audit.chain import AuditRecord
    from kubectl_stepup.audit.event import AuditEvent
    from kubectl_stepup.errors import LoginNeeded, ProviderError
    from kubectl_stepup.kubeconfig.context import ResolvedContext
    from kubectl_stepup.kubectl.captured_input import CapturedInput
    from kubectl_stepup.kubectl.command import KubectlCommand
    from kubectl_stepup.kubectl.discovery import APIResource, NamedTable
    from kubectl_stepup.oidc.metadata import ProviderMetadata
    from kubectl_stepup.sessions.session import ElevationSession
    from kubectl_stepup.trusted_file import Untrusted


class Terminal(Protocol):
    """Where people read and are read. Nothing here ever writes to standard output."""

    def obstacle(self) -> str | None:
        """Say why nobody can be asked; None: somebody can."""

    def line(self, text: str) -> None:
        """Write one notice."""

    def warning(self, text: str) -> None:
        """Write one notice that quiet does not hide."""

    def detail(self, text: str) -> None:
        """Write what is done and why, where the person asked for it."""

    def prompt(self, text: str) -> None:
        """Show what a person must act on, wherever they can see it."""

    def interject(self, text: str) -> None:
        """Write one notice between what a running child writes, whatever it has made of the terminal."""

    def countdown(self, seconds_left: float) -> None:
        """Redraw the waiting line; called at most once a second."""

    def done(self) -> None:
        """End the waiting line."""

    def flush_input(self) -> None:
        """Throw away what was typed ahead, so that a one-time code never reaches a shell."""

    def browser_note(self) -> str | None:
        """Say why no browser is opened; None: one is."""

    def open_browser(self, url: str) -> None:
        """Open a browser where there is a graphical one."""


class AuditLog(Protocol):
    """The append-only record."""

    def append(self, event: AuditEvent) -> AuditRecord:
        """Write one record.

        Raises:
            AuditUnavailable: it cannot be written.
        """

    def check(self) -> None:
        """Raise where a record could not be written now.

        Raises:
            AuditUnavailable: it could not.
        """

    def read(self, *, last: int | None = None) -> Sequence[AuditRecord]:
        """Return the records, oldest first."""


class Kubeconfig(Protocol):
    """The merged kubeconfig files of one invocation."""

    @property
    def files(self) -> Sequence[str]:
        """The files that take part, in order."""

    @property
    def kuberc(self) -> str | None:
        """The file of kubectl's settings, where it may lead commands to another cluster than the context says."""

    @property
    def namespace_defaults(self) -> frozenset[str]:
        """Which of `namespace` and `all-namespaces` kubectl's settings may set where a command does not."""

    def resolve(self, context: str | None) -> ResolvedContext:
        """Return a context (None: the current one) with its cluster and user.

        Raises:
            KubeconfigError: the context, its cluster or its user does not exist.
        """

    def server_of(self, cluster: str) -> str | None:
        """Return the server of a cluster entry; None where there is no such entry, or it has none."""


class EnrolmentProvider(Protocol):
    """What enrolling needs of an identity provider."""

    @property
    def clock_ahead_s(self) -> float | None:
        """How far its clock is ahead of ours, by what it answered last; None: it does not say."""

    def metadata(self) -> ProviderMetadata:
        """Return the checked discovery document."""

    def algorithms(self, enrolled: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return the `alg` values an ID token may have."""

    def jwks(self, force: bool = False) -> dict[str, object]:
        """Return the published keys."""


class Expand(Protocol):
    """Reads the manifests that a command names."""

    def __call__(self, command: KubectlCommand) -> tuple[KubectlCommand, CapturedInput]:
        """Return the command with the objects that will be sent, and what was read for that."""


class Discover(Protocol):
    """Knows the resources of a cluster without asking it."""

    def usual(self, server: str) -> Sequence[APIResource]:
        """Return the resources of `server` that kubectl wrote down in its usual place."""

    def named(self, server: str | None, directory: str | None) -> NamedTable | None:
        """Return what a table says that `--cache-dir` (`directory`) or the environment names; None: neither does."""


class DenialCache(Protocol):
    """The short memory of denials, so that one "no" is not asked again by what was already running."""

    def remember(self, session_id: str, refusal: LoginNeeded | ProviderError) -> None:
        """Remember a refusal for the next 30 seconds (session/denials.py); where that cannot be, go on without."""

    def binding(self, session_id: str, *, for_credential: bool) -> LoginNeeded | ProviderError | None:
        """Return a refusal that binds this process, if there is one."""

    def forget(self, session_id: str) -> None:
        """Forget a refusal: an approval takes its place."""

    def end(self, stored_key: str) -> None:
        """Keep the step-ups that are under way from bringing a session back that was just ended.

        A key with `EVERY_SCOPE` stands for the sessions of its id in every terminal.
        """

    def ended(self, stored_key: str) -> bool:
        """Whether the session of a key was ended since this process started."""


class RunLimit(Protocol):
    """How long a child may run."""

    @property
    def longest_s(self) -> float:
        """After how many seconds it is ended."""

    @property
    def warning_s(self) -> float:
        """How long before that the person is warned."""

    def tell(self, left_s: float) -> None:
        """Take note that so much time is left, or none; called from another thread."""


class Kubectl(Protocol):
    """The kubectl of this machine."""

    def path(self) -> str:
        """Return its absolute path.

        Raises:
            KubectlNotFound, KubectlNotExecutable: there is none.
        """

    def writable_by_others(self) -> Untrusted | None:
        """Name the file, directory or link by which somebody else could replace it; None: nobody can.

        Raises:
            KubectlFailed: it is no longer what it was when it was checked before.
        """

    def plugin_writable_by_others(self, argv: Sequence[str]) -> Untrusted | None:
        """Name what somebody else could put in the place of the plugin that kubectl becomes for these words."""

    def replace(self, argv: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
        """Become kubectl."""

    def run(
        self,
        argv: Sequence[str],
        environ: Mapping[str, str],
        *,
        pass_fds: Sequence[int] = (),
        stdin: Iterable[bytes] | None = None,
        limit: RunLimit | None = None,
    ) -> int:
        """Run kubectl as a child and give its exit code."""


class ProxyReader(Protocol):
    """Reads through a proxy subresource with an elevated token, in kubectl's place."""

    def read(self, path: str, session: ElevationSession, *, limit: RunLimit | None = None) -> int:
        """Read `path` and return the exit code; the answer goes to standard output.

        Raises:
            CredentialWithheld: the session is for another server.
        """


class RunDirectory(Protocol):
    """The directory of one run."""

    @property
    def path(self) -> str:
        """Where it is."""

    @property
    def lock(self) -> int:
        """The descriptor that every process of the run inherits."""

    def write(self, name: str, content: bytes) -> str:
        """Write a file, or write it anew; return its path."""

    def link(self, name: str, target: str) -> str:
        """Make a symbolic link; return its path."""

    def lost(self) -> str | None:
        """Return the path of a written file that is no longer there; None where all are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedFile:
    """Captured input as a file for kubectl, and the descriptors that it must inherit for that."""

    path: str
    pass_fds: tuple[int, ...] = ()
