"""The stores that are measured: each holds the session, and says how `credential` finds it there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks import secret_service
from benchmarks.session import CLUSTERS, new_session
from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.sessions import scope
from kubectl_stepup.sessions.stores.file import FileStore
from kubectl_stepup.sessions.stores.kernel import KernelKeyringStore
from tests.system.parts.cache import Missing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.place import Place
    from kubectl_stepup.sessions.stores.interface import SessionStore

KERNEL, FILES, SECRET_SERVICE = "kernel keyring", "file store", "Secret Service"
CLUSTER_OF = dict(zip((KERNEL, FILES, SECRET_SERVICE), CLUSTERS, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A store with the session in it; `arguments` and `environ` are what `credential` needs to find it."""

    name: str
    arguments: tuple[str, ...]
    environ: Mapping[str, str] = field(default_factory=dict)


def held(place: Place) -> list[Held]:
    """Store the session in every store that this machine has; report the others as left out."""
    found = []
    for name, keep in ((KERNEL, _kernel), (FILES, _files), (SECRET_SERVICE, _secret_service)):
        try:
            found.append(keep(place))
        except (StoreUnavailable, Missing) as error:
            place.left_out[name] = str(error)
    return found


def credential(place: Place, one: Held) -> tuple[str, ...]:
    """Return the words of the exec plugin for the session in a store."""
    return ("credential", "--session", new_session(place, CLUSTER_OF[one.name]).id, *one.arguments)


def put(place: Place, store: SessionStore, name: str) -> None:
    """Store the session for all of the user's programs; it is removed at the end."""
    session = new_session(place, CLUSTER_OF[name])
    key = scope.key(session.id, scope.USER_SCOPE)
    store.put(key, session.to_record(), session.reuse_until)


def _kernel(place: Place) -> Held:
    store = KernelKeyringStore()
    store.probe()
    put(place, store, KERNEL)
    place.stack.callback(store.delete, scope.key(new_session(place).id, scope.USER_SCOPE))
    return Held(name=KERNEL, arguments=())


def _files(place: Place) -> Held:
    directory = place.directory("sessions")
    put(place, FileStore(directory), FILES)
    return Held(name=FILES, arguments=("--store-directory", str(directory)))


def _secret_service(place: Place) -> Held:
    bus = secret_service.desktop(place, "desktop")
    with secret_service.on_desktop(bus):
        put(place, secret_service.store(), SECRET_SERVICE)
    return Held(name=SECRET_SERVICE, arguments=("--store", "keyring"), environ=bus)
