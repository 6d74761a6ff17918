"""Dump the commands and flags of every kubectl that is supported: `python -m tests.system.grammar [MINOR…]`.

Each kubectl is compiled as a library into a small program (tools/kubectl-grammar) that prints its command tree. What
is kept has one file a minor version; the ordinary tests hold the command reader's table against all of them.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.system.parts.cache import program, run
from tests.system.parts.go_tools import HOW, TOOLS

DATA = Path(__file__).parents[2] / "data" / "grammar"
KUBECTLS = (
    *("1.27.16", "1.28.15", "1.29.15", "1.30.14", "1.31.14", "1.32.13"),
    *("1.33.13", "1.34.13", "1.35.10", "1.36.6", "1.37.2"),
)
"""The newest patch of each minor version."""

MODULES = ("api", "apimachinery", "cli-runtime", "client-go", "component-base", "kubectl")
SPLIT = {"stringSlice": ",", "stringArray": "+"}
_GATE = re.compile(r'FeatureGate\s+= "(KUBECTL_\w+)"')

Dump = dict[str, Any]


def main() -> None:
    """Dump those that are named, or all."""
    DATA.mkdir(exist_ok=True)
    for version in KUBECTLS:
        minor = version.rpartition(".")[0]
        if sys.argv[1:] and minor not in sys.argv[1:]:
            continue
        with tempfile.TemporaryDirectory(prefix="kubectl-grammar-") as name:
            found = tree(version, Path(name))
        (DATA / f"{minor}.json").write_text(f"{json.dumps(found, indent=1)}\n")
        flags = sum(len(command["flags"].split()) for command in found["commands"].values())
        print(f"kubectl {version}: {len(found['commands'])} commands, {flags} flags")


def tree(version: str, directory: Path) -> Dump:
    """Build the program for one kubectl in an empty directory, run it, and give what is kept."""
    part = f"the grammar of kubectl {version}"

    def go(*words: str) -> str:
        command = [program("go", part, HOW), *words]
        environ = {"GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": "-mod=mod", "CGO_ENABLED": "0"}
        return run(part, ["env", *_settings(environ), *command], cwd=directory, timeout_s=3600)

    (directory / "main.go").write_text((TOOLS / "kubectl-grammar" / "main.go").read_text())
    go("mod", "init", "kubectl-stepup.github.io/test-bed/kubectl-grammar")
    go("get", *(f"k8s.io/{module}@v0{version.removeprefix('1')}" for module in MODULES))
    go("build", "-trimpath", "-gcflags=all=-N -l", "-o", "dump", ".")  # it runs once: not worth optimising
    source = Path(go("list", "-m", "-f", "{{.Dir}}", "k8s.io/kubectl").strip())
    gates = sorted(_GATE.findall((source / "pkg/cmd/util/helpers.go").read_text()))
    # Some flags are only there where a feature is on: a person may have set its variable either way.
    return kept(version, [_dump(part, directory, dict.fromkeys(gates, on)) for on in ("", "false", "true")])


def _dump(part: str, directory: Path, environ: dict[str, str]) -> Dump:
    printed = run(part, ["env", "KUBECONFIG=/dev/null", *_settings(environ), directory / "dump"], cwd=directory)
    found: Dump = json.loads(printed)
    return found


def _settings(environ: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in environ.items()]


def kept(version: str, dumps: list[Dump]) -> Dump:
    """Return the union of the dumps of one kubectl, each flag in the notation of `policy/grammar_table.py`."""
    commands = {command["path"]: command for dump in dumps for command in dump["commands"]}
    every = {path: [flag for dump in dumps for flag in _flags(dump, path)] for path in commands}
    return {
        "kubectl": version,
        "global": _texts([flag for dump in dumps for flag in dump["global"]]),
        "commands": {
            path: {
                **({"aliases": commands[path]["aliases"]} if commands[path]["aliases"] else {}),
                **({"container": True} if commands[path]["container"] else {}),
                "flags": _texts(every[path]),
            }
            for path in sorted(commands)
        },
    }


def _flags(dump: Dump, path: str) -> list[Dump]:
    return [flag for command in dump["commands"] if command["path"] == path for flag in command["flags"]]


def _texts(flags: list[Dump]) -> str:
    found = {(flag["name"], _text(flag)) for flag in flags}
    return " ".join(text for _, text in sorted(found))


def _text(flag: Dump) -> str:
    name: str = flag["name"] + (f",{flag['short']}" if flag["short"] else "")
    if flag["type"] == "bool" and flag["noValue"] == "true":
        return name + ("!" if flag["default"] == "true" else "")
    if flag["noValue"]:
        return f"{name}?{flag['noValue']}"
    return f"{name}={SPLIT.get(flag['type'], '')}"


if __name__ == "__main__":
    main()
