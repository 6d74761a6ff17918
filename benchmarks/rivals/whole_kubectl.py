"""A whole `kubectl get pods` against a TLS server: with an inline token, with each plugin, and under `exec`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import stores
from benchmarks.place import ENTRY_POINT, LAUNCHER, PYTHON_PROGRAM
from benchmarks.rivals import kubelogin, ours
from benchmarks.rounds import Subject
from kubectl_stepup.kubeconfig.overlay import exec_entry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.place import Place
    from benchmarks.rivals.kubelogin import Kubelogin
    from benchmarks.stores import Held

INLINE = "kubectl, inline token"
EXEC, EXEC_AS_PLUGIN = "exec, allowed command", "kubectl stepup exec, allowed command"
EXEC_IN_PYTHON = "exec, allowed command, without the launcher"
DOCUMENTED, ABSOLUTE = "as documented", "by absolute path"
GET_PODS = ("get", "pods")


def with_ours(name: str) -> str:
    """Return the subject's name for a kubectl whose exec entry is that subject of ours."""
    return f"kubectl, {name}"


def with_kubelogin(storage: str, how: str) -> str:
    """Return the subject's name for a kubectl with kubelogin's exec entry."""
    return f"kubectl, {storage}, {how}"


def subjects(place: Place, held: Sequence[Held], rival: Kubelogin | None) -> list[Subject]:
    """Return every `get pods`; the API server counts whom it refused."""
    inline = place.kubeconfig("inline", {"token": place.token})
    found = [
        _get_pods(place, INLINE, "inline token", inline),
        *_ours(place, held),
        Subject(
            name=EXEC,
            label="kubectl-stepup exec -- get pods",
            argv=(ENTRY_POINT, "exec", "--", *GET_PODS),
            environ=inline,
        ),
        Subject(
            name=EXEC_AS_PLUGIN,
            label="kubectl stepup exec -- get pods",
            argv=(place.kubectl, "stepup", "exec", "--", *GET_PODS),
            environ=inline,
        ),
    ]
    if LAUNCHER is not None:
        words = (PYTHON_PROGRAM, "exec", "--", *GET_PODS)
        label = "kubectl-stepup exec -- get pods, console script"
        found.append(Subject(name=EXEC_IN_PYTHON, label=label, argv=words, environ=inline))
    return [*found, *(_kubelogins(place, rival) if rival is not None else ())]


def _ours(place: Place, held: Sequence[Held]) -> Iterator[Subject]:
    for one in held:
        for way, words in ours.ways().items():
            command, *arguments = (*words, *stores.credential(place, one))
            name = with_ours(ours.name_of(way, one.name))
            environ = place.kubeconfig(name, {"exec": exec_entry(command=command, args=arguments)})
            yield _get_pods(place, name, f"{way} credential, {one.name}", {**environ, **one.environ})


def _kubelogins(place: Place, rival: Kubelogin) -> Iterator[Subject]:
    for storage, (_, needed) in rival.storages.items():
        words = kubelogin.arguments(place, rival, storage)
        for how, entry in (
            (DOCUMENTED, exec_entry(command="kubectl", args=("oidc-login", *words))),
            (ABSOLUTE, exec_entry(command=str(rival.program), args=words)),
        ):
            name = with_kubelogin(storage, how)
            environ = place.kubeconfig(name, {"exec": entry})
            yield _get_pods(place, name, f"{storage} storage, {how}", {**environ, **needed})


def _get_pods(place: Place, name: str, credential: str, environ: Mapping[str, str]) -> Subject:
    label = f"kubectl get pods, {credential}"
    return Subject(name=name, label=label, argv=(place.kubectl, *GET_PODS), environ=environ)
