"""`exec`: run a kubectl command, stepped up where policy asks."""

from __future__ import annotations

import shlex

import click

from kubectl_stepup.audit.redaction import redacted
from kubectl_stepup.cli.app import app_for
from kubectl_stepup.cli.options import common, elevating, target
from kubectl_stepup.errors import UsageError
from kubectl_stepup.stepup.options import Settings, StepUpOptions, TargetOptions

USAGE = "[OPTIONS] -- KUBECTL ARGS"


class AfterDashes(click.Command):
    """A command whose own flags end at the first `--`; what follows is another program's, untouched."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse what stands before `--` and keep the rest as it is."""
        at = args.index("--") if "--" in args else len(args)
        forgotten = UsageError("no -- before the kubectl command", hint=self._with_dashes(ctx, args))
        if at == len(args) and any(not word.startswith("-") for word in args):
            raise forgotten
        rest = super().parse_args(ctx, args[:at])
        if at == len(args):
            raise forgotten
        ctx.params["words"] = tuple(args[at + 1 :])
        return rest

    def _with_dashes(self, ctx: click.Context, args: list[str]) -> str:
        """Return the command line with the dashes where the first word stands that is no flag of ours nor its value."""
        valued = {
            name
            for option in self.params
            if isinstance(option, click.Option) and not (option.is_flag or option.count)
            for name in option.opts
        }
        at = 0
        while at < len(args) and args[at].startswith("-"):
            at += 2 if args[at] in valued else 1
        ours, words = args[:at], args[at:] or ["get", "pods"]
        return shlex.join([*ctx.command_path.split(), *ours, "--", *redacted(words)])


@click.command(cls=AfterDashes, name="exec", options_metavar=USAGE)
@target
@elevating
@common
def command(words: tuple[str, ...], target: TargetOptions, step_up: StepUpOptions, common: Settings) -> int:
    """Run a kubectl command; ask for a second factor first where policy says so.

    Standard output and the exit code are kubectl's own; 125 means that kubectl was not started.

    \b
    Examples:
      # Sensitive: asks for a second factor, then deletes
      kubectl stepup exec -- delete pod web-0 -n prod
      # With a reason for the audit log
      kubectl stepup exec -r "INC-42" -- exec -it db-0 -- psql
    """
    from kubectl_stepup.stepup.run import run

    if not words:
        raise UsageError("no kubectl command after --", hint="kubectl stepup exec -- get pods")
    return run(words, target, step_up, app_for(common))
