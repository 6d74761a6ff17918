"""The audit events of each step-up, run, refusal and logout."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kubectl_stepup import __version__
from kubectl_stepup.audit.event import Activity, AuditEvent, Stage, TokenEvidence
from kubectl_stepup.errors import AuditUnavailable
from kubectl_stepup.ui.notices import audit_off_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kubectl_stepup.audit.sinks.absent import NoAuditLog
    from kubectl_stepup.audit.sinks.file import AuditLog
    from kubectl_stepup.clock import Clock
    from kubectl_stepup.errors import StepUpError
    from kubectl_stepup.sessions.session import ElevationSession
    from kubectl_stepup.stepup.elevate import Elevation
    from kubectl_stepup.stepup.request import StepUpRequest
    from kubectl_stepup.ui.terminal import Terminal


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who runs this program: process, terminal, and the id of the elevated run that it is inside of."""

    pid: int
    terminal: str | None
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """Writes audit events.

    One that cannot be written is said once, quiet or not. It stops nothing, unless it is `required`: then nothing is
    elevated without one.
    """

    audit: AuditLog | NoAuditLog
    terminal: Terminal
    clock: Clock
    caller: Caller
    new_id: Callable[[], str]
    required: Callable[[], bool] = lambda: False
    _said: set[str] = field(default_factory=set, init=False, compare=False, repr=False)

    def require(self) -> None:
        """Raise where a record is required and cannot be written: request before a person is.

        Raises:
            AuditUnavailable: it cannot.
        """
        if self.required():
            with _explained():
                self.audit.check()

    def elevated(self, request: StepUpRequest, session: ElevationSession) -> str:
        """Record that a person approved and the token proved it; return the id that the run which follows shares.

        Raises:
            AuditUnavailable: a record is required and cannot be written.
        """
        audit_id = self.new_id()
        self._append(request, audit_id, Stage.RESPONSE_COMPLETE, Activity.ELEVATION, "approved", session=session)
        return audit_id

    def run_started(self, request: StepUpRequest, elevation: Elevation) -> str:
        """Record that an elevated command is about to start; return the id that `run_ended` needs.

        Raises:
            AuditUnavailable: an audit event is required and cannot be written.
        """
        audit_id = elevation.audit_id or self.new_id()
        result = _result(elevation)
        self._append(request, audit_id, Stage.REQUEST_RECEIVED, Activity.RUN, result, session=elevation.session)
        return audit_id

    def run_ended(
        self, request: StepUpRequest, elevation: Elevation, *, audit_id: str, exit_code: int, result: str | None = None
    ) -> None:
        """Record how an elevated command ended.

        `result`: `timed-out` where it was ended because it ran for too long, `overlay-lost` where the overlay was
        removed during the run, so that what came after may have run unelevated.
        """
        self._append(
            request,
            audit_id,
            Stage.RESPONSE_COMPLETE,
            Activity.RUN,
            result or _result(elevation),
            session=elevation.session,
            exit_code=exit_code,
        )

    def run_failed(
        self, request: StepUpRequest, session: ElevationSession, failure: StepUpError, *, audit_id: str
    ) -> None:
        """Record that an elevated command could not be started after all."""
        self._append(request, audit_id, Stage.RESPONSE_COMPLETE, Activity.RUN, failure.code, session=session)

    def allowed(self, *, context: str | None, command: Sequence[str], rules: Sequence[str]) -> None:
        """Record a command that runs as it is: a rule in audit mode is about it, or it is inside an elevated one."""
        self._write(
            self.new_id(),
            Stage.REQUEST_RECEIVED,
            Activity.RUN,
            "allowed",
            context=context,
            command=tuple(command),
            rules=tuple(rules),
        )

    def refused(
        self,
        refusal: StepUpError,
        *,
        request: StepUpRequest | None = None,
        context: str | None = None,
        command: Sequence[str] = (),
        rules: Sequence[str] = (),
    ) -> None:
        """Record that nothing was run, and why."""
        if request is not None:
            self._append(request, self.new_id(), Stage.RESPONSE_COMPLETE, Activity.REFUSAL, refusal.code)
            return
        self._write(
            self.new_id(),
            Stage.RESPONSE_COMPLETE,
            Activity.REFUSAL,
            refusal.code,
            context=context,
            command=tuple(command),
            rules=tuple(rules),
        )

    def noted(self, activity: Activity, result: str, *, cluster: str | None, account: str | None, **more: str) -> None:
        """Record a logout or an enrolment."""
        self._write(
            self.new_id(),
            Stage.RESPONSE_COMPLETE,
            activity,
            result,
            cluster=cluster,
            account=account,
            user=account,
            level=more.get("level"),
            context=more.get("context"),
        )

    def _append(
        self,
        request: StepUpRequest,
        audit_id: str,
        stage: Stage,
        activity: Activity,
        result: str,
        *,
        session: ElevationSession | None = None,
        exit_code: int | None = None,
    ) -> None:
        self._write(
            audit_id,
            stage,
            activity,
            result,
            user=request.cluster.account,
            account=request.cluster.account,
            issuer=request.provider.issuer,
            context=request.context,
            cluster=request.cluster.name,
            level=request.level.name if session is None else session.level,
            summary=request.summary or None,
            command=request.command,
            rules=request.rule_labels,
            reason=request.options.reason,
            evidence=None if session is None else _evidence(session),
            exit_code=exit_code,
        )

    def _write(self, audit_id: str, stage: Stage, activity: Activity, result: str, **more: Any) -> None:
        """Write an event of this caller, now; `more` are further members of it."""
        event = AuditEvent(
            audit_id=audit_id,
            stage=stage,
            activity=activity,
            result=result,
            time=self.clock.now(),
            pid=self.caller.pid,
            terminal=self.caller.terminal,
            parent=self.caller.parent,
            version=__version__,
            **more,
        )
        try:
            self.audit.append(event)
        except AuditUnavailable as exc:
            if exc.message not in self._said:
                self._said.add(exc.message)
                self.terminal.warning(audit_off_line(exc.message))
            if event.elevates and self.required():
                with _explained():
                    raise


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except AuditUnavailable as exc:
        raise AuditUnavailable(
            f"{exc.message}, and the config says record: required",
            hint=exc.hint or "kubectl stepup doctor",
            details=exc.details,
        ) from exc


def _result(elevation: Elevation) -> str:
    return "reused" if elevation.reused else "approved"


def _evidence(session: ElevationSession) -> TokenEvidence:
    return TokenEvidence(
        acr=session.acr,
        amr=session.amr,
        auth_time=None if session.auth_time is None else int(session.auth_time),
        exp=int(session.token_expires_at),
        jti_sha256=session.jti_sha256,
    )
