"""kubelogin, built from its module, with a token in its cache: the exec plugin that most people have today."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.loopback_issuer import CLIENT
from benchmarks.rounds import Subject, SubjectFailed
from benchmarks.stores import SECRET_SERVICE
from tests.system.parts.cache import Missing
from tests.system.parts.go_tools import KUBELOGIN, build

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from benchmarks.place import Place
    from benchmarks.stores import Held

DISK, KEYRING = "kubelogin, disk", "kubelogin, keyring"
LOGIN_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubelogin:
    """The program and, by subject, its storage: the flags that name it and the environment that it needs."""

    program: Path
    storages: Mapping[str, tuple[tuple[str, ...], Mapping[str, str]]]


def installed(place: Place, held: Sequence[Held]) -> Kubelogin | None:
    """Build it, put it on PATH as its installers do, log in once with each storage; None where it cannot be built."""
    try:
        program = build(KUBELOGIN)
    except Missing as error:
        place.left_out["kubelogin"] = str(error)
        return None
    place.install("kubectl-oidc_login", program)
    storages: dict[str, tuple[tuple[str, ...], Mapping[str, str]]] = {DISK: ((), {})}
    desktop = next((one for one in held if one.name == SECRET_SERVICE), None)
    if desktop is None:
        place.left_out[KEYRING] = f"there is no {SECRET_SERVICE}"
    else:
        storages[KEYRING] = (("--token-cache-storage=keyring",), desktop.environ)
    found = Kubelogin(program=program, storages=storages)
    for name in storages:
        _log_in(place, found, name)
    return found


def arguments(place: Place, kubelogin: Kubelogin, storage: str) -> tuple[str, ...]:
    """Return the words of its exec entry, as its documentation prints them, with the issuer's CA."""
    ca_file = place.home / "issuer-ca.pem"
    ca_file.write_text(place.issuer.ca_pem, encoding="ascii")
    return (
        "get-token",
        f"--oidc-issuer-url={place.issuer.url}",
        f"--oidc-client-id={CLIENT}",
        f"--certificate-authority={ca_file}",
        *kubelogin.storages[storage][0],
    )


def subjects(place: Place, kubelogin: Kubelogin) -> list[Subject]:
    """Return the program alone, by its absolute path, with each storage."""
    info = {"KUBERNETES_EXEC_INFO": json.dumps(_EXEC_INFO)}
    return [
        Subject(
            name=name,
            label=f"kubelogin get-token, {name.rpartition(' ')[2]} storage",
            argv=(str(kubelogin.program), *arguments(place, kubelogin, name)),
            environ={**place.environ, **environ, **info},
        )
        for name, (_, environ) in kubelogin.storages.items()
    ]


_EXEC_INFO = {
    "apiVersion": "client.authentication.k8s.io/v1",
    "kind": "ExecCredential",
    "spec": {"interactive": False},
}


def _log_in(place: Place, kubelogin: Kubelogin, storage: str) -> None:
    # The grant type is no part of the key of its cache, so this login serves the calls without one.
    words = [
        str(kubelogin.program),
        *arguments(place, kubelogin, storage),
        "--grant-type=device-code",
        "--skip-open-browser",
    ]
    environ = {**place.environ, **kubelogin.storages[storage][1]}
    done = subprocess.run(words, env=environ, capture_output=True, text=True, timeout=LOGIN_S, check=False)
    if done.returncode != 0 or json.loads(done.stdout)["status"]["token"] != place.token:
        raise SubjectFailed(f"{storage} could not log in: {done.stderr.strip()}")
