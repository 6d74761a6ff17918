"""From a command line to a decision: which cluster it is about, what it would do there, what policy says."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_stepup.errors import ClusterChanged, KubeconfigError, UsageError
from kubectl_stepup.kubectl.command import read
from kubectl_stepup.kubectl.discovery import has_unknown, with_discovered, with_named
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.model import Target

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from kubectl_stepup.config.model import Cluster, Config
    from kubectl_stepup.kubeconfig.context import ResolvedContext
    from kubectl_stepup.kubectl.captured_input import CapturedInput
    from kubectl_stepup.kubectl.command import KubectlCommand
    from kubectl_stepup.policy.decision import Decision
    from kubectl_stepup.stepup.app import App
    from kubectl_stepup.stepup.options import TargetOptions


_ELSEWHERE = frozenset({"--server", "--cluster", "--kuberc"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """A command, where it goes, and what policy says.

    `argv` are the words for kubectl, with the flags from before `--` put in. `resolved` is None where no context could
    be read. `cluster` is None when no enrolled cluster was found; `unresolved` then says why nobody knows whether the
    command goes to one.
    """

    argv: tuple[str, ...]
    command: KubectlCommand
    resolved: ResolvedContext | None
    cluster: Cluster | None
    target: Target
    decision: Decision
    unresolved: KubeconfigError | None = None

    @property
    def context_name(self) -> str | None:
        """The context that the command names, or the one that was found."""
        return self.command.context or (self.resolved.context if self.resolved else None)


def evaluate(
    argv: tuple[str, ...], command: KubectlCommand, app: App, *, online: bool = False
) -> tuple[Evaluation, CapturedInput]:
    """Evaluate a parsed command line by the policy in force; return with it what was read of manifests for that.

    `online` lets manifests be fetched. `argv` are the words for kubectl, from which `command` was parsed.

    Raises:
        ConfigError: config or policy do not load.
    """
    config = app.config
    command, captured = app.expand(command, online=online)
    resolved, unresolved, server, defaults = _destination(command, app)
    command = _explained(command, resolved, app)
    cluster = config.cluster_for("" if resolved is None else resolved.context, server)
    is_known = unresolved is None and _is_known(cluster, resolved, command, config)
    known = cluster if is_known else None
    target = Target(
        cluster=None if known is None else known.name,
        labels=None if known is None else known.labels,
        namespace=_namespace(command, resolved, defaults),
        unenrolled=cluster is None
        and resolved is not None
        and unresolved is None
        and not _ELSEWHERE.intersection(command.redirecting),
    )
    evaluation = Evaluation(
        argv=argv,
        command=command,
        resolved=resolved,
        cluster=cluster,
        target=target,
        decision=decide(app.policy, command, target),
        # What runs elevated on an enrolled cluster reads no kuberc, and goes where the context says.
        unresolved=unresolved if config.clusters and (cluster is None or resolved is None) else None,
    )
    return evaluation, captured


def _namespace(command: KubectlCommand, resolved: ResolvedContext | None, defaults: Container[str]) -> str | None:
    """Return the namespace of requests that name none, None where it may be any; `defaults` are those of a kuberc."""
    if command.all_namespaces or "all-namespaces" in defaults:
        return None
    if command.namespace is not None or resolved is None or "namespace" in defaults:
        return command.namespace
    return resolved.namespace or "default"


def _is_known(
    cluster: Cluster | None, resolved: ResolvedContext | None, command: KubectlCommand, config: Config
) -> bool:
    """Whether the enrolment says which cluster the command goes to: else it meets a rule about any cluster.

    Not where the command, or a kubeconfig edited since, leads elsewhere, nor where another context leads to a server
    that is enrolled under several names.
    """
    if cluster is None or resolved is None or cluster.pin.differences(resolved.pin):
        return False
    is_the_one = cluster.context == resolved.context or len(config.clusters_at(resolved.server)) == 1
    return is_the_one and not _ELSEWHERE.intersection(command.redirecting)


def _explained(command: KubectlCommand, resolved: ResolvedContext | None, app: App) -> KubectlCommand:
    """Return the command with the resources that its words mean to kubectl.

    The usual table explains the words that are not built in. One that the command line or the environment names
    counts together with what the words mean without it: whoever names it does not make a request harmless.
    """
    directory = command.line.last("cache-dir")
    goes_elsewhere = resolved is None or bool(_ELSEWHERE.intersection(command.redirecting))
    table = app.discovery.named(None if resolved is None or goes_elsewhere else resolved.server, directory)
    known = command
    if resolved is not None and not directory and has_unknown(command):
        known = with_discovered(command, app.discovery.usual(resolved.server))
    return known if table is None else with_named(known, command, table)


def parse(words: Sequence[str], target: TargetOptions) -> tuple[tuple[str, ...], KubectlCommand]:
    """Parse kubectl's words with the flags from before `--` put in; return the words for kubectl, and the command.

    Raises:
        UsageError: a flag stands on both sides of `--` with different values.
    """
    given = {
        name: value
        for name, value in (
            ("context", target.context),
            ("namespace", target.namespace),
            ("kubeconfig", target.kubeconfig),
        )
        if value is not None
    }
    command = read(with_flags(words, given))
    for name, ours in given.items():
        # Ours stands first, behind the first word.
        theirs = command.line.all(name)[1:]
        if theirs and theirs[-1] != ours:
            raise UsageError(
                f"--{name} is given twice with different values: {ours!a} before --, {theirs[-1]!a} after it"
            )
    alone = {name: value for name, value in given.items() if len(command.line.all(name)) <= 1}
    return with_flags(words, alone), command


def with_flags(words: Sequence[str], flags: Mapping[str, str]) -> tuple[str, ...]:
    """Put flags into kubectl's own words.

    They go behind the first word: kubectl refuses flags in front of a plugin's name, and a flag in front of the
    subcommand may swallow it.
    """
    at = 1 if words and not words[0].startswith("-") else 0
    return (*words[:at], *(f"--{name}={value}" for name, value in flags.items()), *words[at:])


def require_unchanged(cluster: Cluster, resolved: ResolvedContext) -> None:
    """Refuse to elevate on a cluster that is not the enrolled one any more."""
    changed = cluster.pin.differences(resolved.pin)
    if changed:
        raise ClusterChanged(
            f"cluster {cluster.name} is not what was enrolled: {'; '.join(changed)}",
            hint=enrol_again(cluster),
        )


def enrol_again(cluster: Cluster) -> str:
    """Return the command that enrols a cluster as it is now."""
    return f"kubectl stepup setup --context {shlex.quote(cluster.context)} --provider {shlex.quote(cluster.provider)}"


def _destination(
    command: KubectlCommand, app: App
) -> tuple[ResolvedContext | None, KubeconfigError | None, str, frozenset[str]]:
    """Return the context of a command, why it is not known where it goes, and the server ("" where nobody knows).

    With them come the flags of namespaces that a kuberc may set.

    Without a context kubectl does not give up: it takes `--server`, `$KUBERNETES_MASTER`, the service account of the
    pod that it runs in, or localhost. Only the first of them is known to be no enrolled cluster.
    """
    server = command.line.last("server") or ""
    try:
        read_files = app.kubeconfig(command.kubeconfig)
    except KubeconfigError as exc:
        return None, exc, server, frozenset()
    named = command.line.last("cluster")
    server = server or (read_files.server_of(named) or "" if named else "")
    resolved, unresolved = None, None
    try:
        resolved = read_files.resolve(command.context)
    except KubeconfigError as exc:
        unresolved = None if server else exc
    else:
        server = server or resolved.server
    if read_files.kuberc is not None:
        unresolved = KubeconfigError(
            f"{read_files.kuberc}: may send kubectl to another cluster than the kubeconfig says",
            hint="KUBERC=off kubectl stepup exec -- ...",
        )
    return resolved, unresolved, server, read_files.namespace_defaults
