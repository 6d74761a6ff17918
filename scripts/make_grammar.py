"""Make `kubectl_stepup/kubectl/grammar_table.py` from what kubectls have: `tests/data/grammar/*.json`.

Usage: python scripts/make_grammar.py > kubectl_stepup/kubectl/grammar_table.py

Every command, alias and flag of any version is in the table: a kubectl that lacks one rejects it. Where versions differ
about a flag, or about which commands have subcommands, the newest counts; tests/unit/kubectl/test_grammar_versions.py
says where they may differ, and why that is safe.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

DUMPS = Path(__file__).resolve().parent.parent / "tests" / "data" / "grammar"
ELSEWHERE = ("help",)
"""Commands that `kubectl/command_line.py` reads by itself."""

HEADER = '''\
"""kubectl's commands and flags, one text a command. Made by scripts/make_grammar.py from kubectl {oldest} to {newest}.

A flag is `name[,short]` and: nothing (a boolean that is false), `!` (a boolean that is true), `=` (takes a value),
`=,` (takes values, separated by commas), `=+` (takes a value, may be repeated), `?word` (a value only with `=`; `word`
without). A Python module and not JSON: it loads from its bytecode, and importing `json` alone costs more.

Do not edit: `make grammar` dumps what kubectls have and writes this anew.
"""

# ruff: noqa: E501
from __future__ import annotations
'''

Dump = dict[str, Any]


def dumps() -> list[Dump]:
    """Read the dumps, the oldest kubectl first."""
    found = [json.loads(path.read_text()) for path in DUMPS.glob("*.json")]
    return sorted(found, key=lambda dump: [int(part) for part in dump["kubectl"].split(".")])


def merged(texts: list[str]) -> str:
    """Return all flags by name, each as the newest kubectl has it."""
    newest = {re.split("[,!=?]", flag)[0]: flag for text in texts for flag in text.split()}
    return " ".join(newest[name] for name in sorted(newest))


def main() -> None:
    """Print the module."""
    kubectls = dumps()
    paths = sorted({path for dump in kubectls for path in dump["commands"]} - set(ELSEWHERE))
    lines = [HEADER.format(oldest=kubectls[0]["kubectl"], newest=kubectls[-1]["kubectl"])]
    lines.append(f'GLOBAL_FLAGS = "{merged([dump["global"] for dump in kubectls])}"\n')
    lines.append("COMMANDS = {")
    aliases: dict[str, str] = {}
    for path in paths:
        found = [dump["commands"][path] for dump in kubectls if path in dump["commands"]]
        lines.append(f'    "{path}": "{merged([command["flags"] for command in found])}",')
        parent = path.rpartition(" ")[0]
        aliases |= {f"{parent} {alias}".strip(): path for command in found for alias in command.get("aliases", ())}
    lines += ["}\n", "ALIASES = {"]
    lines += [f'    "{alias}": "{path}",' for alias, path in aliases.items()]
    lines += ["}\n", "CONTAINERS = frozenset(", "    {"]
    lines += [f'        "{path}",' for path, found in kubectls[-1]["commands"].items() if found.get("container")]
    print("\n".join([*lines, "    }", ")"]))


if __name__ == "__main__":
    main()
