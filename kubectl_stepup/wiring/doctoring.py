"""Ports for `doctor`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_stepup import __version__
from kubectl_stepup.sessions.stores import choose
from kubectl_stepup.stepup.doctor import OWN_NAME, DoctorPorts
from kubectl_stepup.stepup.rehearse import RehearsePorts
from kubectl_stepup.wiring.exec_info import too_large
from kubectl_stepup.wiring.launcher import launcher
from kubectl_stepup.wiring.policy_file import linted
from kubectl_stepup.wiring.verifying import answered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_stepup.cli.app import Application


def doctor_ports(application: Application, *, online: bool) -> DoctorPorts:
    """Give what `doctor` looks at; the provider is asked only `online`."""
    return DoctorPorts(
        version=__version__,
        has_launcher=launcher() is not None,
        programs=lambda: _programs(application),
        kubectl=application.kubectl,
        config=lambda: application.config,
        policy=lambda: application.policy,
        warnings=lambda: sum(one.severity == "warning" for one in linted(application)),
        store=lambda: _store(application),
        record=lambda: _record(application),
        kubeconfig=lambda: application.kubeconfig(None),
        too_large=too_large,
        client=application.provider if online else None,
        usable_algorithms=_usable_algorithms,
    )


def rehearse_ports(application: Application) -> RehearsePorts:
    """Give what a rehearsal needs."""
    return RehearsePorts(
        environ=application.environ,
        kubectl=application.kubectl,
        kubeconfig=application.kubeconfig,
        answer=lambda words, environ, stdin: answered(application, words, environ, stdin),
    )


def _usable_algorithms(document: object, algorithms: Sequence[str]) -> tuple[str, ...]:
    from kubectl_stepup.oidc.id_token import usable_algorithms  # its libraries are needed only `online`

    return usable_algorithms(document, algorithms)


def _programs(application: Application) -> list[str]:
    """Find what kubectl would take for a plugin of our name, or of a longer one."""
    found = []
    for entry in application.environ.get("PATH", "").split(os.pathsep):
        if os.path.isabs(entry) and os.path.isdir(entry):
            found += [str(path) for path in sorted(Path(entry).glob(f"{OWN_NAME}*")) if os.access(path, os.X_OK)]
    return list(dict.fromkeys(found))


def _record(application: Application) -> str:
    application.audit.check()
    return str(application.state_directory / "audit.jsonl")


def _store(application: Application) -> tuple[str, str | None]:
    chosen = choose.choose(
        application.config.store, state_directory=application.state_directory, environ=application.environ
    )
    return chosen.store.name, chosen.notice
