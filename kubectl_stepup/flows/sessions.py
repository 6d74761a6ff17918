"""`status` and `logout`: what elevation there is, and its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_stepup.audit.event import Activity
from kubectl_stepup.errors import ConfigError, ProviderError, StoreUnavailable
from kubectl_stepup.flows.asked import session_id_of
from kubectl_stepup.flows.reuse import still_serves, stored
from kubectl_stepup.session.model import from_record
from kubectl_stepup.session.scope import USER_SCOPE, key
from kubectl_stepup.session.scope import session_id_of as id_in_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from kubectl_stepup.config.model import Cluster, Config, Provider
    from kubectl_stepup.flows.ports import Refusals
    from kubectl_stepup.flows.recording import Recorder
    from kubectl_stepup.policy.model import Level, Policy
    from kubectl_stepup.secret import Secret
    from kubectl_stepup.session.model import ElevationSession
    from kubectl_stepup.session.record import Moment
    from kubectl_stepup.session.store import SessionStore


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPorts:
    """What looking at sessions and ending them needs.

    `revoke(provider, token)` revokes an access token and tells whether the provider says it did. `refusals` keeps the
    step-ups that are under way from bringing a session back.
    """

    config: Config
    policy: Policy
    store: SessionStore
    scope: str
    moment: Callable[[], Moment]
    recorder: Recorder
    revoke: Callable[[Provider, Secret], bool]
    refusals: Refusals


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSession:
    """A usable session and the enrolment it belongs to."""

    cluster: Cluster
    level: Level
    session: ElevationSession


def live_sessions(clusters: Iterable[Cluster], ports: SessionPorts) -> Iterator[LiveSession]:
    """Give the sessions that a command in this terminal would reuse now, weakest level first."""
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

    Where `clusters` are all that are enrolled, `everywhere` ends every session in the store, whatever it was for.
    Removes what it can; a session is gone here even when its provider cannot be reached, and its access token is
    revoked even when it cannot be removed.
    """
    ended: list[Ended] = []
    failures: list[str] = []
    names = _keys(tuple(clusters), ports, everywhere, failures)
    for session_id in dict.fromkeys(filter(None, map(id_in_key, names))):
        ports.refusals.end(session_id)
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


def _keys(clusters: Sequence[Cluster], ports: SessionPorts, everywhere: bool, failures: list[str]) -> list[str]:
    ids = [
        session_id_of(cluster, ports.config.provider(cluster.provider), level)
        for cluster in clusters
        for level in ports.policy.usable_levels(cluster.name)
    ]
    names = [key(one, scope) for one in ids for scope in dict.fromkeys((ports.scope, USER_SCOPE))]
    if everywhere:
        every_cluster = {one.name for one in clusters} >= {one.name for one in ports.config.clusters}
        try:
            names += [name for name in sorted(ports.store.keys()) if every_cluster or id_in_key(name) in ids]
        except StoreUnavailable as exc:
            failures.append(exc.message)
    return list(dict.fromkeys(names))


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
