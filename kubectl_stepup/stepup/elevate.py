"""Get an elevation session: reuse one, or ask the person once for everybody who waits."""

from __future__ import annotations

import contextlib
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kubectl_stepup.audit.event import CLOCK_SET_BACK, Activity
from kubectl_stepup.audit.redaction import redacted, text
from kubectl_stepup.errors import (
    Cancelled,
    InteractionRequired,
    LoginNeeded,
    ProviderError,
    StepUpError,
    StoreUnavailable,
)
from kubectl_stepup.sessions.scope import key
from kubectl_stepup.stepup.request import requirement_for
from kubectl_stepup.stepup.reuse import reusable
from kubectl_stepup.ui.notices import (
    BEHIND_TIMEOUT,
    IN_BACKGROUND,
    clock_set_back_line,
    not_stored_line,
    reuse_line,
)
from kubectl_stepup.ui.quoted_text import quoted

if TYPE_CHECKING:
    from kubectl_stepup.sessions.session import ElevationSession
    from kubectl_stepup.stepup.app import App
    from kubectl_stepup.stepup.request import StepUpRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Elevation:
    """A session, and whether it was there already; `stored` is False when it lives in this process tree alone."""

    session: ElevationSession
    reused: bool
    stored: bool
    audit_id: str | None = None


def session_for(request: StepUpRequest, app: App) -> Elevation:
    """Return a session that satisfies a request; a refusal is in the audit log when it is raised.

    Raises:
        InteractionRequired: nobody can be asked.
        StepUpDenied, StepUpExpired, TokenRejected: the answer was no, came too late, or proves too little.
        LockTimeout: another process is stepping up and does not finish.
        ProviderError: the provider could not be asked.
        AuditUnavailable: a record is required and cannot be written.
    """
    if app.store.name == "memory":
        # What lives in this process alone must not be promised to the next command.
        request = replace(request, options=replace(request.options, once=True))
    app.recorder.require()
    found = _reuse(request, app)
    if found is not None:
        return found
    remembered = app.denials.binding(request.session_id, for_credential=request.for_credential)
    if remembered is not None and request.for_credential:
        remembered.hint = remembered.hint or _what_to_type(request)
        raise remembered  # client-go asks up to six times; the audit log has the answer once
    try:
        if remembered is not None:
            raise remembered
        return _step_up(request, app)
    except StepUpError as refusal:
        level = request.level
        if level.help is not None:
            refusal.details.setdefault("help", level.help.text if level.help.cluster is None else quoted(level.help))
        if level.runbook:
            refusal.details.setdefault("runbook", level.runbook)
        if request.for_credential and isinstance(refusal, InteractionRequired):
            raise  # nobody was asked; a client in the background starts its plugin every few seconds
        app.recorder.refused(refusal, request=request)
        raise
    except KeyboardInterrupt:
        app.recorder.refused(Cancelled("cancelled"), request=request)
        raise


def _step_up(request: StepUpRequest, app: App) -> Elevation:
    requirement_for(request)  # a level that nothing could prove is refused before anybody is asked
    obstacle = app.terminal.obstacle()
    if obstacle is not None:
        raise interaction_required(request, obstacle)
    with app.single_flight(request.session_id, lambda: _answer(request, app)) as answer:
        return _ask(request, app) if answer is None else answer


def _answer(request: StepUpRequest, app: App) -> Elevation | None:
    """Return what another process was approved while this one waited; None: nobody has asked.

    Raises:
        LoginNeeded, ProviderError: the answer was no, or there was none.
    """
    found = _reuse(request, app)
    if found is None:
        if app.denials.ended(key(request.session_id, request.scope)):
            raise _logged_out(request)
        remembered = app.denials.binding(request.session_id, for_credential=request.for_credential)
        if remembered is not None:
            raise remembered
    return found


def _ask(request: StepUpRequest, app: App) -> Elevation:
    try:
        session = app.authenticate(request)
    except (LoginNeeded, ProviderError) as refusal:
        # Of a provider that does not answer too: those who wait would wait for it one after another.
        app.denials.remember(request.session_id, refusal)
        if request.command and isinstance(refusal, LoginNeeded):
            shown = shlex.join(redacted(request.command))
            refusal.details.setdefault("why", f"kubectl stepup policy explain -- {shown}")
        raise
    app.denials.forget(request.session_id)
    audit_id = app.recorder.elevated(request, session)
    stored = request.keeps_session and _stored(request, session, app)
    return Elevation(session=session, reused=False, stored=stored, audit_id=audit_id)


def _stored(request: StepUpRequest, session: ElevationSession, app: App) -> bool:
    try:
        if _put(key(session.id, request.scope), session, app):
            return True
    except StoreUnavailable as exc:
        app.terminal.line(not_stored_line(exc.message))
        return False
    app.terminal.line(not_stored_line(_logged_out(request).message))
    return False


def _put(name: str, session: ElevationSession, app: App) -> bool:
    """Store a session as evaluated with today's files; False where it was ended since this process started.

    Raises:
        StoreUnavailable: it cannot be stored.
    """
    current = replace(session, rests_on=app.rests_on)
    app.store.put(name, current.to_record(), min(session.reuse_until, session.token_expires_at))
    # In this order: what `logout` did not find to delete is deleted here.
    if app.denials.ended(name):
        app.store.delete(name)
        return False
    return True


def _renew(name: str, session: ElevationSession, app: App) -> None:
    """Store a session anew that serves by today's files and was evaluated with others: `credential` compares them."""
    if session.rests_on == app.rests_on:
        return
    with contextlib.suppress(StoreUnavailable):  # it serves this command all the same
        _put(name, session, app)


def _logged_out(request: StepUpRequest) -> LoginNeeded:
    return LoginNeeded(f"logout ended the sessions in {request.cluster.name} while this one was being approved")


def _reuse(request: StepUpRequest, app: App) -> Elevation | None:
    now = app.moment()
    session = reusable(
        request,
        app.store,
        scopes=(request.scope,),
        now=now,
        dropped=lambda session: _note(request, session, app),
        found=lambda name, session: _renew(name, session, app),
    )
    if session is None:
        return None
    if not request.for_credential:
        app.terminal.line(
            reuse_line(
                level=session.level,
                cluster=request.cluster.name,
                age_s=now.wall - session.approved_at,
                command=session.command,
            )
        )
    return Elevation(session=session, reused=True, stored=True)


def _note(request: StepUpRequest, dropped: ElevationSession, app: App) -> None:
    if not request.for_credential:
        app.terminal.line(clock_set_back_line(level=dropped.level, cluster=request.cluster.name))
    app.recorder.noted(
        Activity.LOGOUT,
        CLOCK_SET_BACK,
        cluster=dropped.cluster,
        account=dropped.account,
        level=dropped.level,
        context=request.context,
    )


def interaction_required(request: StepUpRequest, obstacle: str) -> InteractionRequired:
    """Say that a person is needed, in words and in the shape of an RFC 9470 challenge."""
    evidence = request.provider.evidence_of(request.level.name)
    return InteractionRequired(
        f"step-up needed, but nobody can be asked ({obstacle})",
        hint=_what_to_type(request, obstacle),
        details={
            "acr_values": " ".join(evidence.acr) if evidence else "",
            "max_age": request.level.signed_in_within_s,
            "level": request.level.name,
            "cluster": request.cluster.name,
            "rules": list(request.rule_labels),
            "command": list(redacted(request.command)),
        },
    )


def _what_to_type(request: StepUpRequest, obstacle: str = "") -> str:
    """Return the command by which a person gets what is wanted, in a terminal and its foreground."""
    context = shlex.quote(request.context)
    login = f"kubectl stepup login --context {context} --level {request.level.name}"
    reason = f" --reason {shlex.quote(text(request.options.reason))}" if request.options.reason else ""
    command = f"kubectl stepup exec --context {context}{reason} -- {shlex.join(redacted(request.command))}"
    if obstacle == BEHIND_TIMEOUT:
        return f"timeout --foreground 60 {command if request.command else login}"
    if request.keeps_session:
        return f"{login} --scope user"
    return f"in {'the foreground' if obstacle == IN_BACKGROUND else 'a terminal'}: {command}"
