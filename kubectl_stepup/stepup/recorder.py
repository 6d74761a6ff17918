"""What the record says of each step-up, run, refusal and logout."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kubectl_stepup import __version__
from kubectl_stepup.audit.event import Activity, AuditEvent, Stage, TokenEvidence
from kubectl_stepup.errors import AuditUnavailable
from kubectl_stepup.ui.notices import audit_off_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kubectl_stepup.clock import Clock
    from kubectl_stepup.errors import StepUpError
    from kubectl_stepup.sessions.session import ElevationSession
    from kubectl_stepup.stepup.ports import AuditLog, Terminal
    from kubectl_stepup.stepup.request import Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who runs this program: process, terminal, and the id of the elevated run that it is inside of, for the record."""

    pid: int
    terminal: str | None
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """Writes the record.

    One that cannot be written is said once, quiet or not. It stops nothing, unless it is `required`: then nothing is
    elevated without one.
    """

    audit: AuditLog
    terminal: Terminal
    clock: Clock
    caller: Caller
    new_id: Callable[[], str]
    required: Callable[[], bool] = lambda: False
    _said: set[str] = field(default_factory=set, init=False, compare=False, repr=False)

    def require(self) -> None:
        """Raise where a record is required and cannot be written: asked before a person is.

        Raises:
            AuditUnavailable: it cannot.
        """
        if self.required():
            with _explained():
                self.audit.check()

    def elevated(self, asked: Asked, session: ElevationSession) -> str:
        """Record that a person approved and the token proved it; give the id that the run which follows shares.

        Raises:
            AuditUnavailable: a record is required and cannot be written.
        """
        audit_id = self.new_id()
        self._append(asked, audit_id, Stage.RESPONSE_COMPLETE, Activity.ELEVATION, "approved", session=session)
        return audit_id

    def run_started(self, asked: Asked, session: ElevationSession, *, reused: bool, audit_id: str | None = None) -> str:
        """Record that an elevated command is about to start; give the id that `run_ended` needs.

        Raises:
            AuditUnavailable: a record is required and cannot be written.
        """
        audit_id = audit_id or self.new_id()
        self._append(asked, audit_id, Stage.REQUEST_RECEIVED, Activity.RUN, _result(reused), session=session)
        return audit_id

    def run_ended(
        self, asked: Asked, session: ElevationSession, *, audit_id: str, reused: bool, exit_code: int
    ) -> None:
        """Record how the elevated command ended."""
        self._append(
            asked,
            audit_id,
            Stage.RESPONSE_COMPLETE,
            Activity.RUN,
            _result(reused),
            session=session,
            exit_code=exit_code,
        )

    def run_timed_out(self, asked: Asked, session: ElevationSession, *, audit_id: str, exit_code: int) -> None:
        """Record that an elevated command was ended because it ran for too long."""
        self._append(
            asked,
            audit_id,
            Stage.RESPONSE_COMPLETE,
            Activity.RUN,
            "timed-out",
            session=session,
            exit_code=exit_code,
        )

    def run_lost_overlay(self, asked: Asked, session: ElevationSession, *, audit_id: str, exit_code: int) -> None:
        """Record that the overlay was removed during the run: what came after that may have run unelevated."""
        self._append(
            asked,
            audit_id,
            Stage.RESPONSE_COMPLETE,
            Activity.RUN,
            "overlay-lost",
            session=session,
            exit_code=exit_code,
        )

    def run_failed(self, asked: Asked, session: ElevationSession, failure: StepUpError, *, audit_id: str) -> None:
        """Record that an elevated command could not be started after all."""
        self._append(asked, audit_id, Stage.RESPONSE_COMPLETE, Activity.RUN, failure.code, session=session)

    def allowed(self, *, context: str | None, command: Sequence[str], rules: Sequence[str]) -> None:
        """Record a command that runs as it is: a rule in audit mode is about it, or it is inside an elevated one."""
        self._write(
            AuditEvent(
                audit_id=self.new_id(),
                stage=Stage.REQUEST_RECEIVED,
                activity=Activity.RUN,
                time=self.clock.now(),
                result="allowed",
                context=context,
                command=tuple(command),
                rules=tuple(rules),
                pid=self.caller.pid,
                terminal=self.caller.terminal,
                parent=self.caller.parent,
                version=__version__,
            )
        )

    def refused(
        self,
        refusal: StepUpError,
        *,
        asked: Asked | None = None,
        context: str | None = None,
        command: Sequence[str] = (),
        rules: Sequence[str] = (),
    ) -> None:
        """Record that nothing was run, and why."""
        if asked is not None:
            self._append(asked, self.new_id(), Stage.RESPONSE_COMPLETE, Activity.REFUSAL, refusal.code)
            return
        self._write(
            AuditEvent(
                audit_id=self.new_id(),
                stage=Stage.RESPONSE_COMPLETE,
                activity=Activity.REFUSAL,
                time=self.clock.now(),
                result=refusal.code,
                context=context,
                command=tuple(command),
                rules=tuple(rules),
                pid=self.caller.pid,
                terminal=self.caller.terminal,
                parent=self.caller.parent,
                version=__version__,
            )
        )

    def noted(self, activity: Activity, result: str, *, cluster: str | None, account: str | None, **more: str) -> None:
        """Record a logout or an enrolment."""
        self._write(
            AuditEvent(
                audit_id=self.new_id(),
                stage=Stage.RESPONSE_COMPLETE,
                activity=activity,
                time=self.clock.now(),
                result=result,
                cluster=cluster,
                account=account,
                user=account,
                level=more.get("level"),
                context=more.get("context"),
                pid=self.caller.pid,
                terminal=self.caller.terminal,
                parent=self.caller.parent,
                version=__version__,
            )
        )

    def _append(
        self,
        asked: Asked,
        audit_id: str,
        stage: Stage,
        activity: Activity,
        result: str,
        *,
        session: ElevationSession | None = None,
        exit_code: int | None = None,
    ) -> None:
        self._write(
            AuditEvent(
                audit_id=audit_id,
                stage=stage,
                activity=activity,
                time=self.clock.now(),
                result=result,
                user=asked.cluster.account,
                account=asked.cluster.account,
                issuer=asked.provider.issuer,
                context=asked.context,
                cluster=asked.cluster.name,
                level=asked.level.name if session is None else session.level,
                summary=asked.summary or None,
                command=asked.command,
                rules=asked.rule_labels,
                reason=asked.reason,
                evidence=None if session is None else _evidence(session),
                exit_code=exit_code,
                pid=self.caller.pid,
                terminal=self.caller.terminal,
                parent=self.caller.parent,
                version=__version__,
            )
        )

    def _write(self, event: AuditEvent) -> None:
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


def _result(reused: bool) -> str:
    return "reused" if reused else "approved"


def _evidence(session: ElevationSession) -> TokenEvidence:
    return TokenEvidence(
        acr=session.acr,
        amr=session.amr,
        auth_time=None if session.auth_time is None else int(session.auth_time),
        exp=int(session.token_expires_at),
        jti_sha256=session.jti_sha256,
    )
