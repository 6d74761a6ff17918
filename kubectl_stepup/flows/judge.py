"""From a command line to a decision: which cluster it is about, what it would do there, what policy says."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_stepup.errors import ClusterChanged, KubeconfigError, UsageError
from kubectl_stepup.kube.cluster_identity import differences
from kubectl_stepup.policy.command import read
from kubectl_stepup.policy.decide import decide
from kubectl_stepup.policy.discovery import has_unknown, with_discovered
from kubectl_stepup.policy.model import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kubectl_stepup.config.model import Cluster, Config
    from kubectl_stepup.flows.ports import Discover, Expand, Kubeconfig
    from kubectl_stepup.kube.context import ResolvedContext
    from kubectl_stepup.policy.command import KubectlCommand
    from kubectl_stepup.policy.model import Decision, Policy
    from kubectl_stepup.policy.spool import Spool


_ELSEWHERE = frozenset({"--server", "--cluster", "--kuberc"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """The flags that may stand before `--`: they mean what they mean to kubectl."""

    context: str | None = None
    namespace: str | None = None
    kubeconfig: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A command, where it goes, and what policy says.

    `argv` are the words for kubectl, with the flags from before `--` put in. `resolved` is None when the kubeconfig
    does not have the context; `cluster` is None when the context is not enrolled.
    """

    argv: tuple[str, ...]
    command: KubectlCommand
    resolved: ResolvedContext | None
    cluster: Cluster | None
    target: Target
    decision: Decision


def judge(
    words: Sequence[str],
    flags: Flags,
    *,
    policy: Policy,
    config: Config,
    kubeconfig: Callable[[str | None], Kubeconfig],
    expand: Expand,
    discover: Discover,
) -> tuple[Judgement, Spool]:
    """Judge the command line `words`; give with it what was read of manifests for that.

    `kubeconfig` reads the kubeconfig that `--kubeconfig` (or None: the environment) names; `expand` adds the objects
    of manifests to a command that has any, and `discover` knows the resources of a cluster.

    Raises:
        UsageError: a flag stands on both sides of `--` with different values.
        ClusterChanged: the context's server or CA is no longer what was enrolled.
    """
    argv = with_flags(words, read(words), flags)
    command, spool = expand(read(argv))
    resolved = _resolve(command, kubeconfig)
    if resolved is not None and has_unknown(command):
        command = with_discovered(command, discover(resolved.server, command.line.last("cache-dir")))
    cluster = None if resolved is None else config.cluster_for(resolved.context, resolved.server)
    # A rule about clusters is met by any of them where the command, or a kubeconfig edited since, leads elsewhere.
    is_known = cluster is not None and resolved is not None and not differences(cluster, resolved)
    elsewhere = bool(_ELSEWHERE.intersection(command.redirecting))
    is_known = is_known and not elsewhere
    namespace = command.namespace
    if namespace is None and resolved is not None:
        namespace = resolved.namespace or "default"
    target = Target(
        cluster=cluster.name if cluster is not None and is_known else None,
        labels=cluster.labels if cluster is not None and is_known else None,
        namespace=None if command.all_namespaces else namespace,
        unenrolled=resolved is not None and cluster is None and not elsewhere,
    )
    decision = decide(policy, command, target)
    judgement = Judgement(
        argv=argv, command=command, resolved=resolved, cluster=cluster, target=target, decision=decision
    )
    return judgement, spool


def with_flags(words: Sequence[str], command: KubectlCommand, flags: Flags) -> tuple[str, ...]:
    """Put the flags from before `--` into kubectl's own words.

    They go behind the first word: kubectl refuses flags in front of a plugin's name, and a flag in front of the
    subcommand may swallow it.
    """
    given = (
        ("--context", flags.context, command.context),
        ("--namespace", flags.namespace, command.namespace),
        ("--kubeconfig", flags.kubeconfig, command.kubeconfig),
    )
    added: list[str] = []
    for name, ours, theirs in given:
        if ours is None or ours == theirs:
            continue
        if theirs is not None:
            raise UsageError(f"{name} is given twice with different values: {ours!r} before --, {theirs!r} after it")
        added.append(f"{name}={ours}")
    at = 1 if words and not words[0].startswith("-") else 0
    return (*words[:at], *added, *words[at:])


def require_unchanged(cluster: Cluster, resolved: ResolvedContext) -> None:
    """Refuse to elevate on a cluster that is not the enrolled one any more."""
    changed = differences(cluster, resolved)
    if changed:
        raise ClusterChanged(
            f"cluster {cluster.name} is not what was enrolled: {'; '.join(changed)}",
            hint=enrol_again(cluster),
        )


def enrol_again(cluster: Cluster) -> str:
    """Give the command that enrols a cluster as it is now."""
    return f"kubectl stepup setup --context {shlex.quote(cluster.context)} --provider {shlex.quote(cluster.provider)}"


def _resolve(command: KubectlCommand, kubeconfig: Callable[[str | None], Kubeconfig]) -> ResolvedContext | None:
    try:
        return kubeconfig(command.kubeconfig).resolve(command.context)
    except KubeconfigError:
        # kubectl says what is wrong with a kubeconfig in its own words; for policy the target is unknown,
        # which matches every rule.
        return None
