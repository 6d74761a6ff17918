"""Ports for `doctor`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_stepup import __version__
from kubectl_stepup.enforce.verify.kubectl_as import KubectlAs
from kubectl_stepup.kubeconfig.exec_info import too_large
from kubectl_stepup.sessions.stores import choose
from kubectl_stepup.stepup.doctor import OWN_NAME, DoctorPorts
from kubectl_stepup.stepup.policy_files import lint_policy
from kubectl_stepup.stepup.rehearse import RehearsePorts
from kubectl_stepup.wiring.launcher import launcher

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_stepup.stepup.app import App


def doctor_ports(app: App, *, online: bool) -> DoctorPorts:
    """Return what `doctor` looks at; the provider is asked only `online`."""
    return DoctorPorts(
        version=__version__,
        has_launcher=launcher() is not None,
        programs=lambda: _programs(app),
        kubectl=app.kubectl,
        config=lambda: app.config,
        policy=lambda: app.policy,
        warnings=lambda: sum(one.severity == "warning" for one in lint_policy(app)),
        store=lambda: _store(app),
        record=lambda: _record(app),
        kubeconfig=lambda: app.kubeconfig(None),
        too_large=too_large,
        client=app.provider if online else None,
        usable_algorithms=_usable_algorithms,
    )


def rehearse_ports(app: App) -> RehearsePorts:
    """Return what a rehearsal needs."""
    return RehearsePorts(
        environ=app.environ,
        kubectl=app.kubectl,
        kubeconfig=app.kubeconfig,
        answer=lambda words, environ, stdin: KubectlAs(
            run=app.kubectl.answer, flags=(), environ=environ, trace=app.terminal.detail
        )(words, stdin),
    )


def _usable_algorithms(document: object, algorithms: Sequence[str]) -> tuple[str, ...]:
    from kubectl_stepup.oidc.id_token import usable_algorithms  # its libraries are needed only `online`

    return usable_algorithms(document, algorithms)


def _programs(app: App) -> list[str]:
    """Find what kubectl would take for a plugin of our name, or of a longer one."""
    found = []
    for entry in app.environ.get("PATH", "").split(os.pathsep):
        if os.path.isabs(entry) and os.path.isdir(entry):
            found += [str(path) for path in sorted(Path(entry).glob(f"{OWN_NAME}*")) if os.access(path, os.X_OK)]
    return list(dict.fromkeys(found))


def _record(app: App) -> str:
    app.audit.check()
    return str(app.state_directory / "audit.jsonl")


def _store(app: App) -> tuple[str, str | None]:
    chosen = choose.choose(app.config.store, state_directory=app.state_directory, environ=app.environ)
    return chosen.store.name, chosen.notice
