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
    from kubectl_stepup.kubectl.captured_input import CapturedInput
    from kubectl_stepup.policy.model import Level, Policy
    from kubectl_stepup.policy.quoted_text import QuotedText
    from kubectl_stepup.stepup.evaluate import Evaluation, Flags
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
    evaluated, captured = evaluated_by(ports, words, flags)
    asked = _asked(evaluated, wish, ports)
    return run(
        evaluated,
        asked,
        unenrolled=ports.config.unenrolled,
        captured=captured,
        ports=ports.run_ports(evaluated.resolved),
    )


def evaluated_by(ports: ExecutePorts, words: Sequence[str], flags: Flags) -> tuple[Evaluation, CapturedInput]:
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


def _asked(evaluated: Evaluation, wish: Wish, ports: ExecutePorts) -> Asked | None:
    policy = ports.policy.on(evaluated.target)
    level = _level(evaluated, wish, policy)
    if wish.level is not None and evaluated.unresolved is not None:
        raise evaluated.unresolved
    if wish.level is not None and (evaluated.cluster is None or evaluated.resolved is None):
        raise NotEnrolled(
            f"level {wish.level} cannot be reached: the context is not enrolled",
            hint="kubectl stepup setup --issuer URL --client-id ID",
        )
    if level is None or evaluated.cluster is None or evaluated.resolved is None:
        return None
    return wish_in(
        evaluated.cluster,
        level,
        ports.config,
        policy,
        context=evaluated.resolved.context,
        scope=ports.scope,
        wish=wish,
        command=evaluated.argv,
        rules=evaluated.decision.own_rules,
        published_rules=evaluated.decision.published_rules,
        messages=evaluated.decision.messages,
        summary=_summary(evaluated),
    )


def named_level(policy: Policy, name: str) -> Level:
    """Return the level that the command line names.

    Raises:
        UsageError: policy has no such level.
    """
    try:
        return policy.level(name)
    except PolicyError as exc:
        raise UsageError(exc.message) from exc


def _level(evaluated: Evaluation, wish: Wish, policy: Policy) -> Level | None:
    """Return the level to reach: policy's, or a stronger one that the person names."""
    needed = evaluated.decision.level if evaluated.decision.effect == "stepup" else None
    if wish.level is None:
        return None if needed is None else policy.level_for(evaluated.decision, needed)
    named = named_level(policy, wish.level)
    if needed is not None and not policy.meets(named.name, needed):
        raise UsageError(f"level {wish.level} is weaker than {needed}, which policy asks for")
    return policy.level_for(evaluated.decision, named.name) if needed is not None else named


def _summary(evaluated: Evaluation) -> str:
    """Say what the command would do: `delete pods in prod`."""
    return summary_of(evaluated.decision) if evaluated.decision.rules else f"kubectl {evaluated.command.name}"


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
