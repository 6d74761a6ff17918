"""Which subjects are compared, and the bounds of the design."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass

from benchmarks.rivals import interpreters, kubelogin, ours, whole_kubectl
from benchmarks.stores import FILES, KERNEL, SECRET_SERVICE

STORES = (KERNEL, FILES, SECRET_SERVICE)
FLAT = 1.25
"""Growth below this, from the smallest size to the largest, is flat: it is lost in the cost of the process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`name` over `against`, and the bound on wall time where there is one."""

    name: str
    against: str
    bound: float | None = None


def comparisons(measured: Container[str]) -> list[Comparison]:
    """Return the comparisons of which both sides were measured."""
    return [one for one in _all() if one.name in measured and one.against in measured]


def _all() -> Iterator[Comparison]:
    for store in STORES:
        yield from _plugins_alone(store)
    for store in STORES:
        yield from _whole_commands(store)
    yield Comparison(name=whole_kubectl.EXEC, against=whole_kubectl.INLINE, bound=1.25)
    yield Comparison(name=whole_kubectl.EXEC_IN_PYTHON, against=whole_kubectl.INLINE)
    yield Comparison(name=whole_kubectl.EXEC_AS_PLUGIN, against=whole_kubectl.INLINE)
    for storage in (kubelogin.DISK, kubelogin.KEYRING):
        for how in (whole_kubectl.DOCUMENTED, whole_kubectl.ABSOLUTE):
            yield Comparison(name=whole_kubectl.with_kubelogin(storage, how), against=whole_kubectl.INLINE)


def _plugins_alone(store: str) -> Iterator[Comparison]:
    by_launcher, by_file, by_console_script = _ways(store)
    in_memory = store == KERNEL
    # Where the design names no bound of its own, the claim to be ahead is one.
    yield Comparison(name=by_launcher, against=rival_of(store), bound=1.0)
    yield Comparison(name=by_launcher, against=interpreters.HELLO)
    yield Comparison(name=by_launcher, against=interpreters.OF_THE_VENV, bound=1.4 if in_memory else None)
    yield Comparison(name=by_console_script, against=interpreters.OF_THE_VENV, bound=1.4 if in_memory else None)
    yield Comparison(name=by_file, against=interpreters.BARE, bound=1.6 if in_memory else None)
    yield Comparison(name=by_file, against=interpreters.HELLO)
    yield Comparison(name=by_file, against=rival_of(store))


def _whole_commands(store: str) -> Iterator[Comparison]:
    documented = whole_kubectl.with_kubelogin(rival_of(store), whole_kubectl.DOCUMENTED)
    absolute = whole_kubectl.with_kubelogin(rival_of(store), whole_kubectl.ABSOLUTE)
    in_memory = store == KERNEL
    by_launcher, by_file, by_console_script = (whole_kubectl.with_ours(way) for way in _ways(store))
    yield Comparison(name=by_launcher, against=documented, bound=0.65 if in_memory else 1.0)
    yield Comparison(name=by_file, against=documented, bound=0.65 if in_memory else 1.0)
    yield Comparison(name=by_console_script, against=documented, bound=1.0)
    yield Comparison(name=by_launcher, against=absolute, bound=1.0)
    yield Comparison(name=by_file, against=absolute)
    yield Comparison(name=by_launcher, against=whole_kubectl.INLINE, bound=1.05 if in_memory else None)
    yield Comparison(name=by_file, against=whole_kubectl.INLINE, bound=1.25 if in_memory else None)
    yield Comparison(name=by_console_script, against=whole_kubectl.INLINE)


def _ways(store: str) -> list[str]:
    return [ours.name_of(way, store) for way in (ours.BY_LAUNCHER, ours.BY_FILE, ours.BY_CONSOLE_SCRIPT)]


def rival_of(store: str) -> str:
    """Return kubelogin's storage that matches a store of ours; its disk stands for the kernel keyring."""
    return kubelogin.KEYRING if store == SECRET_SERVICE else kubelogin.DISK
