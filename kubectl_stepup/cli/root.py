"""The command table and the one exit: every error becomes a message and an exit code here.

A command's module is imported only when the command runs; `--help` uses the summaries of the table.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from difflib import get_close_matches
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING

import click

from kubectl_stepup.cli.output import ReaderGone
from kubectl_stepup.errors import Cancelled, InternalError, OutOfResources, StepUpError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS: dict[str, tuple[str, str]] = {
    "exec": ("kubectl_stepup.cli.exec", "Run a kubectl command, with a step-up where the policy requires one"),
    "login": ("kubectl_stepup.cli.login", "Step up now, run nothing"),
    "status": ("kubectl_stepup.cli.status", "Show elevation sessions"),
    "logout": ("kubectl_stepup.cli.logout", "End elevation sessions"),
    "setup": ("kubectl_stepup.cli.setup", "Enrol a kubeconfig context"),
    "doctor": ("kubectl_stepup.cli.doctor", "Diagnose everything; rehearse break-glass access"),
    "policy": ("kubectl_stepup.cli.policy", "Check, write, compile and verify the policy"),
    "audit": ("kubectl_stepup.cli.audit", "Read the audit log"),
    "rbac": ("kubectl_stepup.cli.rbac", "Find who can act without a step-up"),
    "demo": ("kubectl_stepup.cli.demo", "Try it on an embedded provider and cluster"),
    "version": ("kubectl_stepup.cli.version", "Show the version"),
    "credential": ("kubectl_stepup.cli.credential", "Serve kubectl as an exec credential plugin"),
}
HIDDEN = frozenset({"credential"})
FOOTER = "Documentation: https://kubectl-stepup.github.io"

_UNKNOWN = re.compile(r"No such command '(.*)'", re.DOTALL)

PASSES_CHILD_CODE = frozenset({"exec"})
"""Commands whose exit code is the child's: our own failures are 125 (the convention of env(1) and docker run)."""


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List every command in the table's order."""
        return [name for name in COMMANDS if name not in HIDDEN]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = import_module(entry[0]).command
        if not isinstance(command, click.Command):
            raise TypeError(f"{entry[0]}.command is no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command list from the static summaries."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])


@click.group(
    cls=LazyGroup,
    epilog=FOOTER,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
def root() -> None:
    """Sudo for kubectl, enforced by the API server itself.

    \b
    Examples:
      # Try it: an embedded identity provider and cluster, nothing of yours is touched
      kubectl stepup demo
      # Enrol the current context
      kubectl stepup setup --issuer https://login.example.com --client-id kubectl
      # Run a sensitive command
      kubectl stepup exec -- delete pod web-0 -n prod
    """


def run(argv: Sequence[str]) -> int:
    """Run the command line and return the exit code; never raise."""
    name = next((word for word in argv if not word.startswith("-")), "")
    try:
        # No completion variable: with one set, click would run its completion instead of the command and exit with 0.
        result = root.main(args=list(argv), prog_name=_program_name(), complete_var="", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as exc:
        # Without a command, show the help; this is no error.
        click.echo(exc.ctx.get_help())
        return _exit_code(name, UsageError("")) if exc.ctx.parent is not None else 0
    except click.ClickException as exc:
        return _report(name, argv, _usage_error(exc, argv))
    except (click.Abort, KeyboardInterrupt):
        return _report(name, argv, Cancelled("cancelled, nothing was run"))
    except StepUpError as exc:
        return _report(name, argv, exc)
    except (OSError, MemoryError) as exc:
        return _report(name, argv, _refused_by_the_system(exc))
    except ReaderGone:
        # The interpreter must not report it at exit; 141 is a shell's code for SIGPIPE.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as exc:  # noqa: BLE001 - a traceback would not help the user
        return _report(name, argv, fault(exc))
    return result if isinstance(result, int) else 0


def fault(exc: BaseException) -> InternalError:
    """Return the error for an unexpected exception: its type and location, not its text, which may be secret."""
    trace = exc.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "" if trace is None else f" in {_short(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"
    return InternalError(
        f"internal error in kubectl stepup: {type(exc).__name__}{place}",
        hint="kubectl stepup version   (report both lines, please)",
    )


def _short(path: str) -> str:
    return path.replace("\\", "/").rpartition("/site-packages/")[2].rpartition("/kubectl_stepup/")[2]


def _refused_by_the_system(exc: OSError | MemoryError) -> OutOfResources:
    if isinstance(exc, MemoryError):
        return OutOfResources("there is not enough memory")
    where = f"{exc.filename}: " if exc.filename else ""
    return OutOfResources(f"{where}{(exc.strerror or str(exc)).lower()}")


def _program_name() -> str:
    """Show `kubectl stepup` when kubectl started us by our plugin name (Krew best practices)."""
    return "kubectl stepup"


def _usage_error(exc: click.ClickException, argv: Sequence[str]) -> UsageError:
    message = exc.format_message().rstrip(".")
    unknown = _UNKNOWN.match(message)
    if unknown is not None and _is_kubectls(unknown[1]):
        from kubectl_stepup.audit.redaction import redacted

        words = argv[1:] if argv[0] == "--" else argv
        command = shlex.join(redacted(words))
        return UsageError(f"no such command '{unknown[1]}'", hint=f"{_program_name()} exec -- {command}")
    if unknown is not None and (near := get_close_matches(unknown[1], COMMANDS, n=1)):
        return UsageError(f"no such command '{unknown[1]}'", hint=f"{_program_name()} {near[0]} --help")
    context = getattr(exc, "ctx", None)
    path = context.command_path if context is not None else _program_name()
    return UsageError(message[:1].lower() + message[1:], hint=f"{path} --help")


def _is_kubectls(word: str) -> bool:
    from kubectl_stepup.kubectl.grammar_table import COMMANDS as OF_KUBECTL

    return word in OF_KUBECTL


def _exit_code(name: str, error: StepUpError) -> int:
    if name in PASSES_CHILD_CODE and error.exit_code not in {126, 127, 130}:
        return 125
    return error.exit_code


def _report(name: str, argv: Sequence[str], error: StepUpError) -> int:
    from kubectl_stepup.cli.output import report

    report(error, as_json=_wants_json(name, argv))
    return _exit_code(name, error)


def _wants_json(name: str, argv: Sequence[str]) -> bool:
    """Whether our own flags ask for JSON; kubectl's `-o json` after `--` is not ours."""
    own = list(argv)
    if "--" in own:
        own = own[: own.index("--")]
    pairs = pairwise(own)
    return not _JSON.isdisjoint(own) or any(flag in {"-o", "--output"} and value == "json" for flag, value in pairs)


_JSON = frozenset({"-ojson", "-o=json", "--output=json"})
