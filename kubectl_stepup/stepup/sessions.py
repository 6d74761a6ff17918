"""`status` and `logout`: what elevation there is, and its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_stepup.audit.event import Activity
from kubectl_stepup.errors import ConfigError, ProviderError, StoreUnavailable
from kubectl_stepup.sessions.scope import EVERY_SCOPE, USER_SCOPE, key, scope_of
from kubectl_stepup.sessions.scope import session_id_of as id_in_key
from kubectl_stepup.sessions.session import from_record
from kubectl_stepup.stepup.request import session_id_of
from kubectl_stepup.stepup.reuse import still_serves, stored

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kubectl_stepup.config.model import Cluster, Config
    from kubectl_stepup.policy.model import Level, Policy
    from kubectl_stepup.sessions.session import ElevationSession
    from kubectl_stepup.sessions.stores.interface import SessionStore
    from kubectl_stepup.stepup.app import App


@dataclass(frozen=True, slots=True)
class StoredSessions:
    """The sessions of a store, and the config that they are of: the app's own, where `of` made it."""

    app: App
    config: Config
    store: SessionStore

    @classmethod
    def of(cls, app: App) -> StoredSessions:
        """Return those of the config in force."""
        return cls(app, app.config, app.store)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSession:
    """A usable session and the enrolment it belongs to."""

    cluster: Cluster
    level: Level
    session: ElevationSession


def live_sessions(clusters: Iterable[Cluster], sessions: StoredSessions) -> Iterator[LiveSession]:
    """Return the sessions that a command in this terminal would reuse now, weakest level first."""
    now = sessions.app.moment()
    for cluster in clusters:
        provider = sessions.config.provider(cluster.provider)
        for level in sessions.app.policy.usable_levels(cluster.name):
            for session in stored(session_id_of(cluster, provider, level), sessions.store, (sessions.app.scope,)):
                if still_serves(cluster, provider, level, session, now):
                    yield LiveSession(cluster=cluster, level=level, session=session)
                    break


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A session that was ended; `revoked` is None where the provider was not asked."""

    session: ElevationSession
    revoked: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Logout:
    """What `logout` did: ended sessions, and what could not be removed, in words."""

    ended: tuple[Ended, ...]
    failures: tuple[str, ...]


def logout(clusters: Iterable[Cluster], sessions: StoredSessions, *, everywhere: bool) -> Logout:
    """End the sessions of `clusters` in this terminal and of the user scope, or with `everywhere` in every terminal.

    Sessions of clusters and accounts that are enrolled no more are ended too where `clusters` are all that are, or bear
    their name. The step-ups that are under way in a terminal whose sessions end bring none back. Removes what it can; a
    session is gone here even when its provider cannot be reached, and its access token is revoked even when it cannot
    be removed.
    """
    failures: list[str] = []
    scopes = None if everywhere else frozenset({sessions.app.scope, USER_SCOPE})
    names = _names(tuple(clusters), sessions, scopes, failures)
    under_way = [key(one, EVERY_SCOPE) for one in filter(None, map(id_in_key, names))] if everywhere else names
    for name in dict.fromkeys(under_way):
        sessions.app.denials.end(name)
    return _end(names, sessions, failures)


def end_what_counts_no_more(config: Config, sessions: StoredSessions) -> Logout:
    """End the sessions of every terminal that serve nobody by `config`; `sessions.config` is what it was before.

    The step-ups that are under way for what was taken out bring none back. A store may have sessions of what another
    config enrols: these go on.
    """
    failures: list[str] = []
    before = frozenset(_ids(sessions.config.clusters, sessions.config, sessions.app.policy))
    for session_id in sorted(before.difference(_ids(config.clusters, config, sessions.app.policy))):
        sessions.app.denials.end(key(session_id, EVERY_SCOPE))
    names = [name for name in _listed(sessions, failures) if id_in_key(name) in before]
    return _end([name for name in names if not _counts(name, config, sessions)], sessions, failures)


def _counts(name: str, config: Config, sessions: StoredSessions) -> bool:
    session = _readable(name, sessions)
    now = sessions.app.moment()
    return session is not None and any(
        still_serves(cluster, provider, level, session, now)
        for cluster in config.clusters
        for provider in (config.provider(cluster.provider),)
        for level in sessions.app.policy.usable_levels(cluster.name)
        if session_id_of(cluster, provider, level) == session.id
    )


def _end(names: Iterable[str], sessions: StoredSessions, failures: list[str]) -> Logout:
    ended: list[Ended] = []
    for name in names:
        session = None
        try:
            session = _stored(name, sessions)
            sessions.store.delete(name)
        except StoreUnavailable as exc:
            failures.append(f"{name}: {exc.message}")
            if session is not None:
                _revoked(session, sessions)
            continue
        if session is not None:
            ended.append(Ended(session=session, revoked=_revoked(session, sessions)))
            _note(session, sessions)
    return Logout(ended=tuple(ended), failures=tuple(failures))


def _note(session: ElevationSession, sessions: StoredSessions) -> None:
    cluster = sessions.config.cluster(session.cluster)
    context = {} if cluster is None else {"context": cluster.context}
    sessions.app.recorder.noted(
        Activity.LOGOUT,
        "logged-out",
        cluster=session.cluster,
        account=session.account,
        level=session.level,
        **context,
    )


def _names(
    clusters: Sequence[Cluster], sessions: StoredSessions, scopes: frozenset[str] | None, failures: list[str]
) -> list[str]:
    """Name what is stored for clusters under some scopes (None: under all), and what a step-up would store there."""
    ids = _ids(clusters, sessions.config, sessions.app.policy)
    names = [key(one, scope) for one in ids for scope in dict.fromkeys((sessions.app.scope, USER_SCOPE))]
    every_cluster = {one.name for one in clusters} >= {one.name for one in sessions.config.clusters}
    for name in _listed(sessions, failures):
        if scopes is not None and scope_of(name) not in scopes:
            continue
        if every_cluster or id_in_key(name) in ids or _is_of(name, clusters, sessions):
            names.append(name)
    return list(dict.fromkeys(names))


def _ids(clusters: Iterable[Cluster], config: Config, policy: Policy) -> list[str]:
    return [
        session_id_of(cluster, config.provider(cluster.provider), level)
        for cluster in clusters
        for level in policy.usable_levels(cluster.name)
    ]


def _listed(sessions: StoredSessions, failures: list[str]) -> list[str]:
    try:
        return sorted(sessions.store.keys())
    except StoreUnavailable as exc:
        failures.append(exc.message)
        return []


def _is_of(name: str, clusters: Iterable[Cluster], sessions: StoredSessions) -> bool:
    session = _readable(name, sessions)
    return session is not None and session.cluster in {cluster.name for cluster in clusters}


def _readable(name: str, sessions: StoredSessions) -> ElevationSession | None:
    try:
        return _stored(name, sessions)
    except StoreUnavailable:  # the attempt to end it says so
        return None


def _stored(name: str, sessions: StoredSessions) -> ElevationSession | None:
    value = sessions.store.get(name)
    session_id = id_in_key(name)
    return None if value is None or session_id is None else from_record(value, session_id=session_id)


def _revoked(session: ElevationSession, sessions: StoredSessions) -> bool | None:
    if session.access_token is None:
        return None
    same = (session.issuer, session.client)
    provider = next((p for p in sessions.config.providers if (p.issuer, p.elevated_client_id) == same), None)
    if provider is None or not provider.preset.revoke:
        return None
    try:
        return sessions.app.provider(provider).revoke(
            session.access_token, kind="access_token", client_id=provider.elevated_client_id
        )
    except (ProviderError, ConfigError):
        # Revoking is tidiness: the ID token lives until it expires all the same, and that is what people are told.
        return False
