"""Write docs/reference/commands.md from every command's own `--help`, so that the page is what one sees."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kubectl_stepup.cli import root as cli  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = ROOT / "docs" / "reference" / "commands.md"
WIDTH = 100
HEAD = """# Commands

Written by `make docs` from `--help`.

Flags come after the plugin's name: `kubectl stepup exec --context prod-eu -- …`. `exec`'s own flags end at the first
`--`; `--context`, `-n` and `--kubeconfig` may stand on either side. See also [exit codes](exit-codes.md) and
[environment variables](environment.md).
"""


def page() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for name, command in commands(cli.root):
        heading = "kubectl stepup" + (f" {name}" if name else "")
        parts.append(f"\n## {heading}\n\n```text\n{help_of(heading, command)}\n```\n")
    return "".join(parts)


def commands(group: click.Group, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    """Return every command with its words, groups before what is in them."""
    yield prefix, group
    names = list(cli.COMMANDS) if group is cli.root else group.list_commands(click.Context(group))
    for name in names:
        words = f"{prefix} {name}".strip()
        command = import_module(cli.COMMANDS[name][0]).command if group is cli.root else group.commands[name]
        if isinstance(command, click.Group):
            yield from commands(command, words)
        else:
            yield words, command


def help_of(heading: str, command: click.Command) -> str:
    """Return a command's help as a terminal of a fixed width shows it."""
    settings = {**cli.root.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    context = command.context_class(command, info_name=heading, **settings)
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)}: {len(page().splitlines())} lines\n")
