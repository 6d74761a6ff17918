"""Make `kubectl_stepup/policy/grammar_table.py` from a dump of kubectl's command tree.

Usage: python scripts/make_grammar.py GRAMMAR.json > kubectl_stepup/policy/grammar_table.py

The dump is JSON: `global_flags` and `commands`; a command has `path`, `aliases` and `flags`; a flag has `name`,
`short`, `type`, `takes_value` (none, optional, required), `no_opt_default` and `default`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

HEADER = '''\
"""kubectl's commands and flags, one text a command. Made by scripts/make_grammar.py from kubectl {walked}; do not edit.

A flag is `name[,short]` and: nothing (a boolean that is false), `!` (a boolean that is true), `=` (takes a value),
`=,` (takes values, separated by commas), `=+` (takes a value, may be repeated), `?word` (a value only with `=`; `word`
without). A Python module and not JSON: it loads from its bytecode, and importing `json` alone costs more.
"""

# ruff: noqa: E501
from __future__ import annotations
'''


def flag_text(flag: dict[str, str]) -> str:
    """Write one flag in the table's notation."""
    name = flag["name"] + (f",{flag['short']}" if flag["short"] else "")
    if flag["takes_value"] == "none":
        return name + ("!" if flag["default"] == "true" else "")
    if flag["takes_value"] == "optional":
        return f"{name}?{flag['no_opt_default']}"
    kind = {"stringSlice": ",", "stringArray": "+"}.get(flag["type"], "")
    return f"{name}={kind}"


def main() -> None:
    """Print the module."""
    grammar = json.loads(Path(sys.argv[1]).read_text())
    commands = sorted(grammar["commands"], key=lambda command: command["path"])
    containers = sorted({path.rpartition(" ")[0] for path in (c["path"] for c in commands) if " " in path})
    lines = [HEADER.format(walked=grammar["versions"]["walked"])]
    globals_text = " ".join(flag_text(flag) for flag in grammar["global_flags"] if flag["name"] != "help")
    lines.append(f'GLOBAL_FLAGS = "{globals_text}"\n')
    lines.append("COMMANDS = {")
    for command in commands:
        flags = " ".join(flag_text(flag) for flag in command["flags"] if flag["name"] != "help")
        lines.append(f'    "{command["path"]}": "{flags}",')
    lines.append("}\n")
    lines.append("ALIASES = {")
    for command in commands:
        parent = command["path"].rpartition(" ")[0]
        lines.extend(f'    "{f"{parent} {alias}".strip()}": "{command["path"]}",' for alias in command["aliases"])
    lines.append("}\n")
    quoted = ", ".join(f'"{name}"' for name in containers)
    lines.append(f"CONTAINERS = frozenset({{{quoted}}})")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
