"""`exec` from its words to kubectl's exit code: judge, wish, run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_stepup.errors import NotEnrolled, PolicyError, UsageError
from kubectl_stepup.policy.summary import summary_of
from kubectl_stepup.stepup.evaluate import judge
from kubectl_stepup.stepup.request import Asked
from kubectl_stepup.stepup.run import run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kubectl_stepup.config.model import Cluster, Config
    from kubectl_stepup.kubeconfig.context import ResolvedContext
    from kubectl_stepup.kubectl.captured_input import Spool
    from kubectl_stepup.policy.model import Level, Policy
    from kubectl_stepup.policy.quoted_text import QuotedText
    from kubectl_stepup.stepup.evaluate import Flags, Judgement
    from kubectl_stepup.stepup.ports import Discover, Expand, Kubeconfig
    from kubectl_stepup.stepup.run import RunPorts


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line says about stepping up."""

    level: str | None = None
    fresh: bool = False
    once: bool = False
    reason: str | None = None
    browser: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutePorts:
    """What `exec` needs of the outside; the elevated part is made only for a command that needs it."""

    config: Config
    policy: Policy
    kubeconfig: Callable[[str | None], Kubeconfig]
    expand: Expand
    discover: Discover
    scope: str
    run_ports: Callable[[ResolvedContext | None], RunPorts]


def execute(words: Sequence[str], flags: Flags, wish: Wish, ports: ExecutePorts) -> int:
    """Run the kubectl command line `words`; a routine one takes our place and never returns.

    Raises:
        StepUpError: nothing was run.
    """
    judged, spool = judged_by(ports, words, flags)
    asked = _asked(judged, wish, ports)
    return run(judged, asked, unenrolled=ports.config.unenrolled, spool=spool, ports=ports.run_ports(judged.resolved))


def judged_by(ports: ExecutePorts, words: Sequence[str], flags: Flags) -> tuple[Judgement, Spool]:
    """Judge a command line with what the ports give."""
    return judge(
        words,
        flags,
        policy=ports.policy,
        config=ports.config,
        kubeconfig=ports.kubeconfig,
        expand=ports.expand,
        discover=ports.discover,
    )


def _asked(judged: Judgement, wish: Wish, ports: ExecutePorts) -> Asked | None:
    policy = ports.policy.on(judged.target)
    level = _level(judged, wish, policy)
    if wish.level is not None and judged.unresolved is not None:
        raise judged.unresolved
    if wish.level is not None and (judged.cluster is None or judged.resolved is None):
        raise NotEnrolled(
            f"level {wish.level} cannot be reached: the context is not enrolled",
            hint="kubectl stepup setup --issuer URL --client-id ID",
        )
    if level is None or judged.cluster is None or judged.resolved is None:
        return None
    return wish_in(
        judged.cluster,
        level,
        ports.config,
        policy,
        context=judged.resolved.context,
        scope=ports.scope,
        wish=wish,
        command=judged.argv,
        rules=judged.decision.own_rules,
        published_rules=judged.decision.published_rules,
        messages=judged.decision.messages,
        summary=_summary(judged),
    )


def named_level(policy: Policy, name: str) -> Level:
    """Give the level that the command line names.

    Raises:
        UsageError: policy has no such level.
    """
    try:
        return policy.level(name)
    except PolicyError as exc:
        raise UsageError(exc.message) from exc


def _level(judged: Judgement, wish: Wish, policy: Policy) -> Level | None:
    """Give the level to reach: policy's, or a stronger one that the person names."""
    needed = judged.decision.level if judged.decision.effect == "stepup" else None
    if wish.level is None:
        return None if needed is None else policy.level_for(judged.decision, needed)
    named = named_level(policy, wish.level)
    if needed is not None and not policy.meets(named.name, needed):
        raise UsageError(f"level {wish.level} is weaker than {needed}, which policy asks for")
    return policy.level_for(judged.decision, named.name) if needed is not None else named


def _summary(judged: Judgement) -> str:
    """Say what the command would do: `delete pods in prod`."""
    return summary_of(judged.decision) if judged.decision.rules else f"kubectl {judged.command.name}"


def wish_in(  # noqa: PLR0913 - one value of many facts
    cluster: Cluster,
    level: Level,
    config: Config,
    policy: Policy,
    *,
    context: str,
    scope: str,
    wish: Wish,
    command: Sequence[str] = (),
    rules: tuple[str, ...] = (),
    published_rules: tuple[tuple[str, str], ...] = (),
    messages: tuple[QuotedText, ...] = (),
    summary: str = "",
    for_credential: bool = False,
) -> Asked:
    """Put a wish together.

    Raises:
        ConfigError: the cluster's provider is not in the config.
    """
    return Asked(
        cluster=cluster,
        provider=config.provider(cluster.provider),
        level=level,
        stronger=policy.stronger(level.name),
        context=context,
        scope=scope,
        command=tuple(command),
        rules=rules,
        published_rules=published_rules,
        messages=messages,
        summary=summary,
        reason=wish.reason,
        fresh=wish.fresh,
        once=wish.once,
        browser=wish.browser,
        for_credential=for_credential,
    )
