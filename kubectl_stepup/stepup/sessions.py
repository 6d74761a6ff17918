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
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from kubectl_stepup.config.model import Cluster, Config, Provider
    from kubectl_stepup.policy.model import Level, Policy
    from kubectl_stepup.secret import Secret
    from kubectl_stepup.sessions.session import ElevationSession
    from kubectl_stepup.sessions.stored_session import Moment
    from kubectl_stepup.sessions.stores.interface import SessionStore
    from kubectl_stepup.stepup.ports import DenialCache
    from kubectl_stepup.stepup.recorder import Recorder


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPorts:
    """What looking at sessions and ending them needs.

    `revoke(provider, token)` revokes an access token and tells whether the provider says it did. `denials` keeps the
    step-ups that are under way from bringing a session back.
    """

    config: Config
    policy: Policy
    store: SessionStore
    scope: str
    moment: Callable[[], Moment]
    recorder: Recorder
    revoke: Callable[[Provider, Secret], bool]
    denials: DenialCache


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSession:
    """A usable session and the enrolment it belongs to."""

    cluster: Cluster
    level: Level
    session: ElevationSession


def live_sessions(clusters: Iterable[Cluster], ports: SessionPorts) -> Iterator[LiveSession]:
    """Return the sessions that a command in this terminal would reuse now, weakest level first."""
    now = ports.moment()
    for cluster in clusters:
        provider = ports.config.provider(cluster.provider)
        for level in ports.policy.usable_levels(cluster.name):
            for session in stored(session_id_of(cluster, provider, level), ports.store, (ports.scope,)):
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


def logout(clusters: Iterable[Cluster], ports: SessionPorts, *, everywhere: bool) -> Logout:
    """End the sessions of `clusters` in this terminal and of the user scope, or with `everywhere` in every terminal.

    Sessions of clusters and accounts that are enrolled no more are ended too where `clusters` are all that are, or bear
    their name. The step-ups that are under way in a terminal whose sessions end bring none back. Removes what it can; a
    session is gone here even when its provider cannot be reached, and its access token is revoked even when it cannot
    be removed.
    """
    failures: list[str] = []
    scopes = None if everywhere else frozenset({ports.scope, USER_SCOPE})
    names = _names(tuple(clusters), ports, scopes, failures)
    under_way = [key(one, EVERY_SCOPE) for one in filter(None, map(id_in_key, names))] if everywhere else names
    for name in dict.fromkeys(under_way):
        ports.denials.end(name)
    return _end(names, ports, failures)


def end_what_counts_no_more(config: Config, ports: SessionPorts) -> Logout:
    """End the sessions of every terminal that serve nobody by `config`; `ports.config` is what it was before.

    The step-ups that are under way for what was taken out bring none back. A store may have sessions of what another
    config enrols: these go on.
    """
    failures: list[str] = []
    before = frozenset(_ids(ports.config.clusters, ports.config, ports.policy))
    for session_id in sorted(before.difference(_ids(config.clusters, config, ports.policy))):
        ports.denials.end(key(session_id, EVERY_SCOPE))
    names = [name for name in _listed(ports, failures) if id_in_key(name) in before]
    return _end([name for name in names if not _counts(name, config, ports)], ports, failures)


def _counts(name: str, config: Config, ports: SessionPorts) -> bool:
    session = _readable(name, ports)
    now = ports.moment()
    return session is not None and any(
        still_serves(cluster, provider, level, session, now)
        for cluster in config.clusters
        for provider in (config.provider(cluster.provider),)
        for level in ports.policy.usable_levels(cluster.name)
        if session_id_of(cluster, provider, level) == session.id
    )


def _end(names: Iterable[str], ports: SessionPorts, failures: list[str]) -> Logout:
    ended: list[Ended] = []
    for name in names:
        session = None
        try:
            session = _stored(name, ports)
            ports.store.delete(name)
        except StoreUnavailable as exc:
            failures.append(f"{name}: {exc.message}")
            if session is not None:
                _revoked(session, ports)
            continue
        if session is not None:
            ended.append(Ended(session=session, revoked=_revoked(session, ports)))
            _note(session, ports)
    return Logout(ended=tuple(ended), failures=tuple(failures))


def _note(session: ElevationSession, ports: SessionPorts) -> None:
    cluster = ports.config.cluster(session.cluster)
    context = {} if cluster is None else {"context": cluster.context}
    ports.recorder.noted(
        Activity.LOGOUT,
        "logged-out",
        cluster=session.cluster,
        account=session.account,
        level=session.level,
        **context,
    )


def _names(
    clusters: Sequence[Cluster], ports: SessionPorts, scopes: frozenset[str] | None, failures: list[str]
) -> list[str]:
    """Name what is stored for clusters under some scopes (None: under all), and what a step-up would store there."""
    ids = _ids(clusters, ports.config, ports.policy)
    names = [key(one, scope) for one in ids for scope in dict.fromkeys((ports.scope, USER_SCOPE))]
    every_cluster = {one.name for one in clusters} >= {one.name for one in ports.config.clusters}
    for name in _listed(ports, failures):
        if scopes is not None and scope_of(name) not in scopes:
            continue
        if every_cluster or id_in_key(name) in ids or _is_of(name, clusters, ports):
            names.append(name)
    return list(dict.fromkeys(names))


def _ids(clusters: Iterable[Cluster], config: Config, policy: Policy) -> list[str]:
    return [
        session_id_of(cluster, config.provider(cluster.provider), level)
        for cluster in clusters
        for level in policy.usable_levels(cluster.name)
    ]


def _listed(ports: SessionPorts, failures: list[str]) -> list[str]:
    try:
        return sorted(ports.store.keys())
    except StoreUnavailable as exc:
        failures.append(exc.message)
        return []


def _is_of(name: str, clusters: Iterable[Cluster], ports: SessionPorts) -> bool:
    session = _readable(name, ports)
    return session is not None and session.cluster in {cluster.name for cluster in clusters}


def _readable(name: str, ports: SessionPorts) -> ElevationSession | None:
    try:
        return _stored(name, ports)
    except StoreUnavailable:  # the attempt to end it says so
        return None


def _stored(name: str, ports: SessionPorts) -> ElevationSession | None:
    value = ports.store.get(name)
    session_id = id_in_key(name)
    return None if value is None or session_id is None else from_record(value, session_id=session_id)


def _revoked(session: ElevationSession, ports: SessionPorts) -> bool | None:
    if session.access_token is None:
        return None
    same = (session.issuer, session.client)
    provider = next((p for p in ports.config.providers if (p.issuer, p.elevated_client_id) == same), None)
    if provider is None or not provider.preset.revoke:
        return None
    try:
        return ports.revoke(provider, session.access_token)
    except (ProviderError, ConfigError):
        # Revoking is tidiness: the ID token lives until it expires all the same, and that is what people are told.
        return False
