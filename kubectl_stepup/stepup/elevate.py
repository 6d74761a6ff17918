"""Get an elevation session: reuse one, or ask the person once for everybody who waits."""

from __future__ import annotations

import contextlib
import shlex
from contextlib import AbstractContextManager
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
    from collections.abc import Callable

    from kubectl_stepup.sessions.session import ElevationSession
    from kubectl_stepup.sessions.stored_session import Moment
    from kubectl_stepup.sessions.stores.interface import SessionStore
    from kubectl_stepup.stepup.ports import DenialCache, Terminal
    from kubectl_stepup.stepup.recorder import Recorder
    from kubectl_stepup.stepup.request import Asked

    SingleFlight = Callable[[str, Callable[[], "Elevation | None"]], AbstractContextManager["Elevation | None"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ElevatePorts:
    """What stepping up needs of the outside.

    `authenticate` asks the provider and proves the answer. `single_flight` is the lock over all processes: it gives
    None to the one that must ask, and to whoever waited for that one what the given function then finds. `rests_on` are
    the files that a session is evaluated with (session/rests_on.py), as they were before they were read.
    """

    store: SessionStore
    terminal: Terminal
    denials: DenialCache
    recorder: Recorder
    moment: Callable[[], Moment]
    single_flight: SingleFlight
    rests_on: str
    authenticate: Callable[[Asked], ElevationSession]


@dataclass(frozen=True, slots=True, kw_only=True)
class Elevation:
    """A session, and whether it was there already; `stored` is False when it lives in this process tree alone."""

    session: ElevationSession
    reused: bool
    stored: bool
    audit_id: str | None = None


def session_for(asked: Asked, ports: ElevatePorts) -> Elevation:
    """Return a session that satisfies `asked`; a refusal is on record when it is raised.

    Raises:
        InteractionRequired: nobody can be asked.
        StepUpDenied, StepUpExpired, TokenRejected: the answer was no, came too late, or proves too little.
        LockTimeout: another process is stepping up and does not finish.
        ProviderError: the provider could not be asked.
        AuditUnavailable: a record is required and cannot be written.
    """
    if ports.store.name == "memory":
        # What lives in this process alone must not be promised to the next command.
        asked = replace(asked, once=True)
    ports.recorder.require()
    found = _reuse(asked, ports)
    if found is not None:
        return found
    remembered = ports.denials.binding(asked.session_id, for_credential=asked.for_credential)
    if remembered is not None and asked.for_credential:
        remembered.hint = remembered.hint or _what_to_type(asked)
        raise remembered  # client-go asks up to six times; the record has the answer once
    try:
        if remembered is not None:
            raise remembered
        return _step_up(asked, ports)
    except StepUpError as refusal:
        level = asked.level
        if level.help is not None:
            refusal.details.setdefault("help", level.help.text if level.help.cluster is None else quoted(level.help))
        if level.runbook:
            refusal.details.setdefault("runbook", level.runbook)
        if asked.for_credential and isinstance(refusal, InteractionRequired):
            raise  # nobody was asked; a client in the background starts its plugin every few seconds
        ports.recorder.refused(refusal, asked=asked)
        raise
    except KeyboardInterrupt:
        ports.recorder.refused(Cancelled("cancelled"), asked=asked)
        raise


def _step_up(asked: Asked, ports: ElevatePorts) -> Elevation:
    requirement_for(asked)  # a level that nothing could prove is refused before anybody is asked
    obstacle = ports.terminal.obstacle()
    if obstacle is not None:
        raise interaction_required(asked, obstacle)
    with ports.single_flight(asked.session_id, lambda: _answer(asked, ports)) as answer:
        return _ask(asked, ports) if answer is None else answer


def _answer(asked: Asked, ports: ElevatePorts) -> Elevation | None:
    """Return what another process was approved while this one waited; None: nobody has asked.

    Raises:
        LoginNeeded, ProviderError: the answer was no, or there was none.
    """
    found = _reuse(asked, ports)
    if found is None:
        if ports.denials.ended(key(asked.session_id, asked.scope)):
            raise _logged_out(asked)
        remembered = ports.denials.binding(asked.session_id, for_credential=asked.for_credential)
        if remembered is not None:
            raise remembered
    return found


def _ask(asked: Asked, ports: ElevatePorts) -> Elevation:
    try:
        session = ports.authenticate(asked)
    except (LoginNeeded, ProviderError) as refusal:
        # Of a provider that does not answer too: those who wait would wait for it one after another.
        ports.denials.remember(asked.session_id, refusal)
        if asked.command and isinstance(refusal, LoginNeeded):
            shown = shlex.join(redacted(asked.command))
            refusal.details.setdefault("why", f"kubectl stepup policy explain -- {shown}")
        raise
    ports.denials.forget(asked.session_id)
    audit_id = ports.recorder.elevated(asked, session)
    stored = asked.keeps_session and _stored(asked, session, ports)
    return Elevation(session=session, reused=False, stored=stored, audit_id=audit_id)


def _stored(asked: Asked, session: ElevationSession, ports: ElevatePorts) -> bool:
    try:
        if _put(key(session.id, asked.scope), session, ports):
            return True
    except StoreUnavailable as exc:
        ports.terminal.line(not_stored_line(exc.message))
        return False
    ports.terminal.line(not_stored_line(_logged_out(asked).message))
    return False


def _put(name: str, session: ElevationSession, ports: ElevatePorts) -> bool:
    """Store a session as evaluated with today's files; False where it was ended since this process started.

    Raises:
        StoreUnavailable: it cannot be stored.
    """
    current = replace(session, rests_on=ports.rests_on)
    ports.store.put(name, current.to_record(), min(session.reuse_until, session.token_expires_at))
    # In this order: what `logout` did not find to delete is deleted here.
    if ports.denials.ended(name):
        ports.store.delete(name)
        return False
    return True


def _renew(name: str, session: ElevationSession, ports: ElevatePorts) -> None:
    """Store a session anew that serves by today's files and was evaluated with others: `credential` compares them."""
    if session.rests_on == ports.rests_on:
        return
    with contextlib.suppress(StoreUnavailable):  # it serves this command all the same
        _put(name, session, ports)


def _logged_out(asked: Asked) -> LoginNeeded:
    return LoginNeeded(f"logout ended the sessions in {asked.cluster.name} while this one was being approved")


def _reuse(asked: Asked, ports: ElevatePorts) -> Elevation | None:
    now = ports.moment()
    session = reusable(
        asked,
        ports.store,
        scopes=(asked.scope,),
        now=now,
        dropped=lambda session: _note(asked, session, ports),
        found=lambda name, session: _renew(name, session, ports),
    )
    if session is None:
        return None
    if not asked.for_credential:
        ports.terminal.line(
            reuse_line(
                level=session.level,
                cluster=asked.cluster.name,
                age_s=now.wall - session.approved_at,
                command=session.command,
            )
        )
    return Elevation(session=session, reused=True, stored=True)


def _note(asked: Asked, dropped: ElevationSession, ports: ElevatePorts) -> None:
    if not asked.for_credential:
        ports.terminal.line(clock_set_back_line(level=dropped.level, cluster=asked.cluster.name))
    ports.recorder.noted(
        Activity.LOGOUT,
        CLOCK_SET_BACK,
        cluster=dropped.cluster,
        account=dropped.account,
        level=dropped.level,
        context=asked.context,
    )


def interaction_required(asked: Asked, obstacle: str) -> InteractionRequired:
    """Say that a person is needed, in words and in the shape of an RFC 9470 challenge."""
    evidence = asked.provider.evidence_of(asked.level.name)
    return InteractionRequired(
        f"step-up needed, but nobody can be asked ({obstacle})",
        hint=_what_to_type(asked, obstacle),
        details={
            "acr_values": " ".join(evidence.acr) if evidence else "",
            "max_age": asked.level.signed_in_within_s,
            "level": asked.level.name,
            "cluster": asked.cluster.name,
            "rules": list(asked.rule_labels),
            "command": list(redacted(asked.command)),
        },
    )


def _what_to_type(asked: Asked, obstacle: str = "") -> str:
    """Return the command by which a person gets what is wanted, in a terminal and its foreground."""
    context = shlex.quote(asked.context)
    login = f"kubectl stepup login --context {context} --level {asked.level.name}"
    reason = f" --reason {shlex.quote(text(asked.reason))}" if asked.reason else ""
    command = f"kubectl stepup exec --context {context}{reason} -- {shlex.join(redacted(asked.command))}"
    if obstacle == BEHIND_TIMEOUT:
        return f"timeout --foreground 60 {command if asked.command else login}"
    if asked.keeps_session:
        return f"{login} --scope user"
    return f"in {'the foreground' if obstacle == IN_BACKGROUND else 'a terminal'}: {command}"
