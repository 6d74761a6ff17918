"""What the command line of this program says, as far as several use cases need it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetOptions:
    """The flags that may stand before `--`: they mean what they mean to kubectl."""

    context: str | None = None
    namespace: str | None = None
    kubeconfig: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUpOptions:
    """How to step up."""

    level: str | None = None
    fresh: bool = False
    once: bool = False
    reason: str | None = None
    browser: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The options of every command: the files of this program, and how it talks."""

    config: str | None = None
    policy: str | None = None
    quiet: bool = False
    verbose: int = 0
    no_input: bool = False
