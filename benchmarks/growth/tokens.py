"""`credential` with more and more sessions in the store that it reads one from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks import secret_service
from benchmarks.comparisons import FLAT
from benchmarks.growth.curve import QUICK, Curve
from benchmarks.rivals import ours
from benchmarks.rounds import Subject
from benchmarks.session import exec_info, others
from benchmarks.stores import FILES, KERNEL, SECRET_SERVICE, Held, credential, put
from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.kubeconfig.overlay import exec_entry
from kubectl_stepup.sessions import scope
from kubectl_stepup.sessions.stores.file import FileStore
from kubectl_stepup.sessions.stores.kernel import KernelKeyringStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.place import Place
    from kubectl_stepup.sessions.session import ElevationSession

SIZES = (1, 10, 100, 1000)
UNIT = "tokens"


def curves(place: Place, held: Sequence[Held], sizes: Sequence[int] = SIZES) -> Iterator[Curve]:
    """Return a curve for each store that this machine has."""
    sessions = others(place, max(sizes))
    for one in held:
        if one.name == SECRET_SERVICE:
            yield from _secret_service(place, one, sizes)
        else:
            yield {KERNEL: _kernel, FILES: _files}[one.name](place, one, sessions, sizes)


def _subject(place: Place, one: Held, size: int) -> Subject:
    name = f"{one.name}, {size} {UNIT}"
    way, words = next(iter(ours.ways().items()))
    return Subject(
        name=name,
        label=name,
        argv=(*words, *credential(place, one)),
        environ={**place.environ, **one.environ, **exec_info(place)},
        times=QUICK if way == ours.BY_LAUNCHER else 1,
    )


def _curve(one: Held, points: dict[int, Subject], stopped: str = "", *, bound: float | None = FLAT) -> Curve:
    return Curve(name=f"credential, {one.name}", unit=UNIT, points=points, bound=bound, stopped=stopped)


def _key(session: ElevationSession) -> str:
    return scope.key(session.id, scope.USER_SCOPE)


class _Filled:
    """The kernel keyring with so many other sessions in it: an unprivileged user's quota ends at about ten."""

    def __init__(self, sessions: Sequence[ElevationSession]) -> None:
        self._store = KernelKeyringStore()
        self._records = [(_key(session), session.to_record(), session.reuse_until) for session in sessions]
        self._there = 0

    def to(self, size: int) -> None:
        """Add or remove sessions until there are so many, that of the benchmark with them."""
        for key, record, until in self._records[self._there : size - 1]:
            self._store.put(key, record, until)
            self._there += 1
        for key, _, _ in self._records[size - 1 : self._there]:
            self._store.delete(key)
        self._there = size - 1


def _kernel(place: Place, one: Held, sessions: Sequence[ElevationSession], sizes: Sequence[int]) -> Curve:
    filled = _Filled(sessions)
    place.stack.callback(filled.to, 1)
    points: dict[int, Subject] = {}
    stopped = ""
    for size in sizes:
        try:
            filled.to(size)
        except StoreUnavailable as error:
            stopped = f"{size} {UNIT}: {error.message}"
            break
        points[size] = replace(_subject(place, one, size), prepare=lambda size=size: filled.to(size))  # type: ignore[misc]
    filled.to(1)
    return _curve(one, points, stopped)


def _files(place: Place, one: Held, sessions: Sequence[ElevationSession], sizes: Sequence[int]) -> Curve:
    points = {}
    for size in sizes:
        directory = place.directory(f"sessions-{size}")
        store = FileStore(directory)
        put(place, store, FILES)
        own = next(directory.iterdir())
        # Written as the store does, without its sweep over all others at each one.
        for session in sessions[: size - 1]:
            path = directory / f"{_key(session).replace(':', ',')}{own.suffix}"
            path.touch(mode=0o600)
            path.write_bytes(b"%d\n%b" % (int(session.reuse_until), session.to_record()))
        points[size] = _subject(place, replace(one, arguments=("--store-directory", str(directory))), size)
    return _curve(one, points)


def _secret_service(place: Place, one: Held, sizes: Sequence[int]) -> Iterator[Curve]:
    """Return the curve of `credential`, and of the whole command that it is a part of.

    How the service looks for an item is its own affair (gnome-keyring goes through all of them), so the bound is on
    what a person waits for.
    """
    alone, whole = {}, {}
    for size in sizes:
        at = secret_service.desktop(place, f"desktop-{size}", others=size - 1)
        with secret_service.on_desktop(at):
            put(place, secret_service.store(), SECRET_SERVICE)
        alone[size] = _subject(place, replace(one, environ=at), size)
        whole[size] = _whole(place, alone[size], at)
    yield _curve(one, alone, bound=None)
    yield Curve(name=f"kubectl get pods, credential, {one.name}", unit=UNIT, points=whole, bound=FLAT)


def _whole(place: Place, plugin: Subject, at: Mapping[str, str]) -> Subject:
    name = f"kubectl get pods, {plugin.name}"
    command, *arguments = plugin.argv
    environ = place.kubeconfig(name, {"exec": exec_entry(command=command, args=arguments)})
    return Subject(name=name, label=name, argv=(place.kubectl, "get", "pods"), environ={**environ, **at})
