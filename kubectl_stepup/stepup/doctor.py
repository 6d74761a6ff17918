"""`doctor`: look at everything that a step-up needs on this machine, and say what to type where something is wrong."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_stepup import __version__
from kubectl_stepup.enforce.plan import TargetCluster, points
from kubectl_stepup.errors import StepUpError
from kubectl_stepup.kubeconfig.exec_credential import smaller_ca_hint
from kubectl_stepup.kubeconfig.exec_info import too_large
from kubectl_stepup.policy.expansion import CLIENT
from kubectl_stepup.policy.folding import folded
from kubectl_stepup.sessions.stores import choose
from kubectl_stepup.stepup.evaluate import enrol_again
from kubectl_stepup.stepup.native_launcher import launcher
from kubectl_stepup.stepup.policy_files import lint_policy
from kubectl_stepup.stepup.provider_check import provider_problems
from kubectl_stepup.ui.doctor_screens import FAIL, OK, WARN, Check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kubectl_stepup.config.model import Cluster, Config, Provider
    from kubectl_stepup.kubeconfig.context import ResolvedContext
    from kubectl_stepup.kubeconfig.load import Kubeconfig
    from kubectl_stepup.kubectl.installed import InstalledKubectl
    from kubectl_stepup.oidc.provider import OIDCProvider
    from kubectl_stepup.policy.model import Level, Policy
    from kubectl_stepup.stepup.app import App
    from kubectl_stepup.stepup.provider_check import UsableAlgorithms

OWN_NAME = "kubectl-stepup"
_MOST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorPorts:
    """What looking needs of the outside; what raises a StepUpError is a failed check.

    `has_launcher`: credentials are answered natively; `programs` are the absolute paths on PATH whose names begin with
    `kubectl-stepup`; `store` gives the store's name and what is to be said about it, `record` the path of the audit
    record when it can be written; `warnings` counts what `policy lint` warns of; `too_large` says why client-go could
    not start a credential plugin; `client` talks to an identity provider, None where nobody is to be asked.
    `usable_algorithms`: for which `alg` values a JWKS has a key.
    """

    version: str
    has_launcher: bool
    programs: Callable[[], Sequence[str]]
    kubectl: InstalledKubectl
    config: Callable[[], Config]
    policy: Callable[[], Policy]
    warnings: Callable[[], int]
    store: Callable[[], tuple[str, str | None]]
    record: Callable[[], str]
    kubeconfig: Callable[[], Kubeconfig]
    too_large: Callable[[ResolvedContext], str | None]
    client: Callable[[Provider], OIDCProvider] | None
    usable_algorithms: UsableAlgorithms


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
        store=lambda: _opened_store(app),
        record=lambda: _audit_log(app),
        kubeconfig=lambda: app.kubeconfig(None),
        too_large=too_large,
        client=app.provider if online else None,
        usable_algorithms=_usable_algorithms,
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


def _audit_log(app: App) -> str:
    app.audit.check()
    return str(app.state_directory / "audit.jsonl")


def _opened_store(app: App) -> tuple[str, str | None]:
    chosen = choose.choose(app.config.store, state_directory=app.state_directory, environ=app.environ)
    return chosen.store.name, chosen.notice


def diagnose(ports: DoctorPorts) -> Iterator[Check]:
    """Return a check for each thing, in the order in which they build on each other."""
    yield from _checked("plugin", lambda: _plugin(ports))
    yield from _checked("kubectl", lambda: _kubectl(ports))
    yield from _checked("config", lambda: _config(ports))
    yield from _checked("policy", lambda: _policy(ports))
    yield from _checked("store", lambda: _store(ports))
    yield from _checked("record", lambda: _record(ports))
    try:
        config = ports.config()
    except StepUpError:  # said already
        return
    for cluster in config.clusters:
        yield from _checked(cluster.name, lambda cluster=cluster: _cluster(cluster, ports))  # type: ignore[misc]
        yield from _checked(cluster.name, lambda cluster=cluster: _server(cluster, ports))  # type: ignore[misc]
    for provider in config.providers:
        yield from _checked(provider.name, lambda provider=provider: _provider(provider, ports))  # type: ignore[misc]


def _checked(name: str, look: Callable[[], Iterator[tuple[str, str, str]]]) -> Iterator[Check]:
    """Look at one thing; an error of ours is what is wrong with it."""
    try:
        for state, detail, fix in look():
            yield Check(name=name, state=state, detail=detail, fix=fix)
    except StepUpError as exc:
        yield Check(name=name, state=FAIL, detail=exc.message, fix=exc.hint or "")


def _plugin(ports: DoctorPorts) -> Iterator[tuple[str, str, str]]:
    found = list(ports.programs())
    own = [path for path in found if _name_of(path) == OWN_NAME]
    if own:
        yield OK, f"{ports.version} {own[0]}, {'with its' if ports.has_launcher else 'without a'} native launcher", ""
    else:
        fix = f"put the directory of {OWN_NAME} into PATH"
        yield WARN, f"{ports.version}; PATH has no {OWN_NAME}, so kubectl does not find its plugin", fix
    for path in found:
        if _name_of(path) != OWN_NAME:
            # kubectl runs the program with the longest name that fits its words.
            words = _name_of(path).replace("-", " ")
            yield WARN, f"{path} runs in place of {words}", f"rm {shlex.quote(path)}   (unless it is yours)"


def _name_of(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2].removesuffix(".exe")


def _kubectl(ports: DoctorPorts) -> Iterator[tuple[str, str, str]]:
    path = ports.kubectl.path()
    fault = ports.kubectl.writable_by_others()
    if fault is None:
        yield OK, path, ""
    else:
        yield FAIL, f"{path}: {fault}, so it is not run elevated", fault.hint


def _config(ports: DoctorPorts) -> Iterator[tuple[str, str, str]]:
    clusters = len(ports.config().clusters)
    if clusters:
        yield OK, f"{clusters} cluster{'' if clusters == 1 else 's'} enrolled", ""
    else:
        yield WARN, "no cluster is enrolled", "kubectl stepup setup --issuer URL --client-id ID"


def _policy(ports: DoctorPorts) -> Iterator[tuple[str, str, str]]:
    policy, warnings = ports.policy(), ports.warnings()
    where = ", ".join(policy.files) or "the built-in policy"
    rules = folded(policy.rules)
    said = f"{where}: {len(rules)} rules, levels {', '.join(level.name for level in policy.levels)}"
    if warnings:
        yield WARN, f"{said}; {warnings} warning{'' if warnings == 1 else 's'}", "kubectl stepup policy lint"
    else:
        yield OK, said, ""


def _store(ports: DoctorPorts) -> Iterator[tuple[str, str, str]]:
    name, notice = ports.store()
    if notice is not None:
        yield WARN, notice, "set store in the config: keyring, kernel or file"
    else:
        yield OK, f"sessions are kept in: {name}", ""


def _record(ports: DoctorPorts) -> Iterator[tuple[str, str, str]]:
    yield OK, f"{ports.record()} can be written", ""


def _cluster(cluster: Cluster, ports: DoctorPorts) -> Iterator[tuple[str, str, str]]:
    resolved = ports.kubeconfig().resolve(cluster.context)
    changed = cluster.pin.differences(resolved.pin)
    if changed:
        yield FAIL, f"context {cluster.context} is not what was enrolled: {'; '.join(changed)}", enrol_again(cluster)
        return
    provider = ports.config().provider(cluster.provider)
    yield OK, f"context {cluster.context}, {cluster.server}, account {cluster.account} at {provider.name}", ""
    reason = ports.too_large(resolved)
    if reason is not None:
        yield WARN, reason, smaller_ca_hint(resolved.cluster)
    for level in ports.policy().for_cluster(cluster.name).levels:
        evidence = provider.evidence_of(level.name)
        if evidence is None:
            fix = f"kubectl stepup setup --context {shlex.quote(cluster.context)} --evidence {level.name}:acr=VALUE"
            yield WARN, f"nothing proves level {level.name}: commands that need it are refused", fix


def _server(cluster: Cluster, ports: DoctorPorts) -> Iterator[tuple[str, str, str]]:
    """Say which parts of which rules the server cannot enforce; whether it enforces the others, `verify` proves."""
    target = TargetCluster(name=cluster.name, labels=dict(cluster.labels))
    policy = ports.policy()
    listed = folded(policy.rules)
    found = [point for point in points(policy, target) if point.by == CLIENT and point.rule in listed]
    alone = [f"{point.rule.label} ({point.what})" for point in found]
    shown = ", ".join(dict.fromkeys(alone))
    words = f"by the client alone: {shown}" if shown else "it can enforce every rule"
    proof = f"kubectl stepup policy verify --cluster {shlex.quote(cluster.name)}"
    yield OK, f"SERVER {words}; proof of the rest: {proof}", ""


def _provider(provider: Provider, ports: DoctorPorts) -> Iterator[tuple[str, str, str]]:
    if provider.client_id == provider.elevated_client_id:
        yield (
            WARN,
            "one client serves both logins: an everyday sign-in with a second factor is elevated at once",
            "kubectl stepup setup --elevated-client-id ID   (of a client of its own)",
        )
    if ports.client is None:
        yield OK, f"{provider.issuer}, not asked (--online asks it)", ""
        return
    client = ports.client(provider)
    problems = list(provider_problems(provider, client, ports.usable_algorithms, _levels(ports)))
    for problem in problems:
        yield FAIL if problem.is_certain else WARN, problem.sentence, problem.fix
    if any(problem.is_certain for problem in problems):
        return
    metadata = client.metadata()
    named = ", ".join(metadata.acr_values[:_MOST]) if metadata.acr_values else "not named"
    yield OK, f"{provider.issuer} answers, has a device endpoint and a key that can be used; acr values: {named}", ""


def _levels(ports: DoctorPorts) -> Sequence[Level]:
    try:
        return ports.policy().levels
    except StepUpError:  # said already
        return ()
