"""Find an elevation session that still serves: the exact level first, then stronger ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.sessions.scope import USER_SCOPE, key
from kubectl_stepup.sessions.session import from_record
from kubectl_stepup.sessions.stored_session import CLOCK_TOLERANCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kubectl_stepup.config.model import Cluster, Provider
    from kubectl_stepup.policy.model import Level
    from kubectl_stepup.sessions.session import ElevationSession
    from kubectl_stepup.sessions.stored_session import Moment
    from kubectl_stepup.sessions.stores.interface import SessionStore
    from kubectl_stepup.stepup.request import StepUpRequest


def reusable(
    request: StepUpRequest,
    store: SessionStore,
    *,
    scopes: Iterable[str],
    now: Moment,
    dropped: Callable[[ElevationSession], None] | None = None,
    found: Callable[[str, ElevationSession], None] | None = None,
) -> ElevationSession | None:
    """Return a session that satisfies `asked` without a new approval, or None.

    One that was approved later than `now` serves nobody: the clock was set back, or somebody else wrote it. With
    `dropped` it is removed, and given to that. `found` is given the key of the session that serves, and the session.

    Every level has its own times: a session is reused for as long as its own level's `askAgainAfter` says today, even
    when policy was longer at its approval. `--fresh` and levels with `askAgainAfter: 0s` reuse nothing.
    """
    if request.options.fresh or request.level.ask_again_after_s <= 0:
        return None
    for level in (request.level, *request.stronger):
        for scope, session in _stored(request.session_id_at(level), store, scopes):
            if still_serves(request.cluster, request.provider, level, session, now):
                today = replace(session, reuse_until=_reuse_until(session, level))
                if found is not None:
                    found(key(session.id, scope), today)
                return today
            from_the_future = session.approved_at > now.wall + CLOCK_TOLERANCE_S
            if dropped is not None and from_the_future and _removed(key(session.id, scope), store):
                dropped(session)
    return None


def still_serves(cluster: Cluster, provider: Provider, level: Level, session: ElevationSession, now: Moment) -> bool:
    """Whether a stored session may be used now, by today's policy and enrolment."""
    evidence = provider.evidence_of(level.name)
    same_evidence = session.evidence == (None if evidence is None else evidence.fingerprint)
    within = now.wall - session.approved_at < level.ask_again_after_s
    return (
        session.pin == cluster.pin and same_evidence and within and _is_recent(session, level) and session.usable(now)
    )


def _is_recent(session: ElevationSession, level: Level) -> bool:
    """Whether the sign-in behind a session was young enough for today's `signedInWithin` when it was approved."""
    if session.signed_in_within_s is not None and session.signed_in_within_s <= level.signed_in_within_s:
        return True
    limit = level.signed_in_within_s + CLOCK_TOLERANCE_S
    return session.auth_time is not None and session.approved_at - session.auth_time <= limit


def _reuse_until(session: ElevationSession, level: Level) -> float:
    """Return the end of reuse by today's `askAgainAfter`, where that is sooner than at the approval."""
    return min(session.reuse_until, session.approved_at + level.ask_again_after_s)


def stored(session_id: str, store: SessionStore, scopes: Iterable[str]) -> Iterator[ElevationSession]:
    """Return the readable sessions of one id, by scope; an unreadable store holds none."""
    for _, session in _stored(session_id, store, scopes):
        yield session


def _stored(session_id: str, store: SessionStore, scopes: Iterable[str]) -> Iterator[tuple[str, ElevationSession]]:
    for scope in dict.fromkeys((*scopes, USER_SCOPE)):
        try:
            value = store.get(key(session_id, scope))
        except StoreUnavailable:
            # Failing to read costs one more prompt; it must not fail the command.
            return
        session = None if value is None else from_record(value, session_id=session_id)
        if session is not None:
            yield scope, session


def _removed(name: str, store: SessionStore) -> bool:
    try:
        return store.delete(name)
    except StoreUnavailable:  # it serves nobody while it stays
        return False
