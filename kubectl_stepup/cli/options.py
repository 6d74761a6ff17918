"""Option groups that commands share, each collected into one value."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kubectl_stepup.stepup.options import Settings, StepUpOptions, TargetOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def common(function: Decorated) -> Decorated:
    """Add the common options; the command receives them as `common`."""
    return _collect(
        function,
        "common",
        Settings,
        [
            click.option("--config", metavar="FILE", help="Our config file [$KUBECTL_STEPUP_CONFIG]."),
            click.option("--policy", metavar="FILE", help="The policy file [$KUBECTL_STEPUP_POLICY]."),
            click.option("-q", "--quiet", is_flag=True, help="Show only prompts, errors and audit failures."),
            click.option("-v", "--verbose", count=True, help="Show each step and why; -vv: provider requests too."),
            click.option("--no-input", is_flag=True, help="Never prompt; fail instead."),
        ],
    )


def target(function: Decorated) -> Decorated:
    """Add the context options; the command receives them as `target`."""
    return _collect(
        function,
        "target",
        TargetOptions,
        [
            click.option("--context", metavar="NAME", help="The kubeconfig context."),
            click.option("-n", "--namespace", metavar="NAME", help="The namespace."),
            click.option("--kubeconfig", metavar="FILE", help="The kubeconfig file."),
        ],
    )


def elevating(function: Decorated) -> Decorated:
    """Add the step-up options; the command receives them as `step_up`."""
    return _collect(
        function,
        "step_up",
        StepUpOptions,
        [
            click.option("--level", metavar="NAME", help="Require at least this level."),
            click.option("--fresh", is_flag=True, help="Sign in again; reuse no session."),
            click.option("--once", is_flag=True, help="For this command only; store no session."),
            click.option("-r", "--reason", metavar="TEXT", help="The reason, for the audit log."),
            click.option("--no-browser", "browser", flag_value=False, default=True, help="Do not open a browser."),
        ],
    )


def output_format(*choices: str) -> Callable[[Decorated], Decorated]:
    """Add `-o`; the command receives `output`, the first choice by default."""
    return click.option("-o", "--output", type=click.Choice(choices), default=choices[0], help="Output format.")


def _collect(
    function: Decorated, name: str, into: type[Any], options: list[Callable[[Decorated], Decorated]]
) -> Decorated:
    fields = tuple(into.__dataclass_fields__)

    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        kwargs[name] = into(**{field: kwargs.pop(field) for field in fields})
        return function(*args, **kwargs)

    for option in reversed(options):
        wrapper = option(wrapper)
    return wrapper  # type: ignore[return-value]
