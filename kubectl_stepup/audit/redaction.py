"""Take secrets out of a command line before it is written down or shown, and keep it within bounds.

Works on the argument list and needs no grammar: what looks like a secret by its name or its shape goes, wherever it
stands, so that `exec POD -- mysql --password=x` is covered as well. Too much is redacted rather than too little.
"""

from __future__ import annotations

import json
import re
from itertools import takewhile
from typing import TYPE_CHECKING

from kubectl_stepup.audit.foreign_words import without_secrets
from kubectl_stepup.audit.secret_shapes import REDACTED, SECRET_NAME, is_secret_name, without_headers, without_shapes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ARGUMENT_LIMIT = 1024
"""Characters kept of one argument."""

COMMAND_LIMIT = 8192
"""Characters kept of all arguments together."""

# Always followed by a value, be it one that starts with a dash (kubectl's global and set-credentials flags).
_VALUE_FLAGS = frozenset({"token", "password", "docker-password", "client-key"})

_ASSIGNING_FLAGS = frozenset({"from-literal", "env", "exec-env"})
"""Followed by NAME=VALUE, whose value goes whatever the name."""

# `config set users.admin.token VALUE`: the value is the next argument.
_CONFIG_PROPERTY = re.compile(r"users\.[^=]*\.(token|password|client-key-data|auth-provider|exec)\b", re.IGNORECASE)

_TEMPLATE = re.compile(r"\s*+\{[.{@]|\s*+\{range ")
"""How templates of `-o jsonpath=` and `go-template=` begin."""

_ARGUMENT_MARK = re.compile(r"\.\.\.\[\+\d+\]\Z")
_ARGUMENTS_MARK = re.compile(r"\.\.\.\[\+\d+ arguments\]")
_MARK_ROOM = 40

_BODY_FLAGS = ("--patch", "--overrides")

_NESTING = 4
"""How often `a=b=c` is looked into: --exec-arg=--header=token=x."""


def redacted(argv: Sequence[str]) -> tuple[str, ...]:
    """Return `argv` without secrets, each argument and the whole capped with a mark. Twice is the same as once."""
    return tuple(_capped(_arguments(argv)))


def text(value: str, limit: int = ARGUMENT_LIMIT) -> str:
    """Return free text (a reason, a provider's message) without what has the shape of a secret, capped at `limit`."""
    return cap(without_shapes(value), limit)


def cap(value: str, limit: int = ARGUMENT_LIMIT) -> str:
    """Cut `value` to `limit` characters, the last of which say how many are missing."""
    if len(value) <= limit:
        return value
    keep = max(0, limit - len(f"...[+{len(value)}]"))
    return f"{value[:keep]}...[+{len(value) - keep}]"


def _arguments(argv: Sequence[str]) -> Iterator[str]:
    ours = tuple(takewhile(lambda argument: argument != "--", argv))
    shown = _of_kubectl(ours)
    # Without -- kubectl takes what follows the pod for a command as well, as far as it has no flags.
    yield from without_secrets(shown, _argument) if "exec" in ours else shown
    if len(ours) < len(argv):
        yield "--"
        yield from without_secrets(argv[len(ours) + 1 :], _argument)


def _of_kubectl(argv: Sequence[str]) -> Iterator[str]:
    previous = ""
    patching, setting = "patch" in argv, argv[:1] == ("set",)
    for argument in argv:
        if _takes(previous, argument):
            shown = _separate(previous, argument)
        elif setting and previous == "-e":
            shown = _literal(argument)
        elif previous in _BODY_FLAGS or (patching and previous in ("-p", "-Rp")):
            shown = _body(argument)
        elif patching and argument.startswith("-p") and len(argument) > 2:
            shown = f"-p{'=' if argument[2] == '=' else ''}{_body(argument[2:].removeprefix('='))}"
        else:
            shown = without_headers(_argument(argument))
        yield shown
        previous = argument


def _takes(previous: str, argument: str) -> bool:
    """Whether `previous` makes `argument` a secret."""
    if len(previous) < 512 and _CONFIG_PROPERTY.match(previous):
        return True
    if not previous.startswith("--") or "=" in previous or len(previous) == 2:
        return False
    name = _flag_name(previous)
    if name in _VALUE_FLAGS or name in _ASSIGNING_FLAGS:
        return True
    return is_secret_name(name) and not argument.startswith("-")


def _separate(previous: str, argument: str) -> str:
    return _literal(argument) if _flag_name(previous) in _ASSIGNING_FLAGS else REDACTED


def _argument(argument: str, nesting: int = _NESTING) -> str:
    if argument.lstrip()[:1] in ("{", "["):
        return _json(argument)
    pair = re.fullmatch(r"([\w./-]+)=(.*)", argument, re.DOTALL)
    if pair is None or not pair[2] or nesting == 0:
        return without_shapes(argument)
    return f"{pair[1]}={_value(pair[1], pair[2], nesting - 1)}"


def _value(word: str, value: str, nesting: int) -> str:
    name = _flag_name(word)
    if word.startswith("--") and name in _ASSIGNING_FLAGS:  # not the label env=prod
        return _literal(value)
    if f"--{name}" in _BODY_FLAGS:
        return _body(value)
    return REDACTED if is_secret_name(name) else _argument(value, nesting)


def _literal(value: str) -> str:
    """Keep the key of `KEY=VALUE`, nothing of the value."""
    key, equals, _ = value.partition("=")
    return f"{key}={REDACTED}" if equals else REDACTED


def _body(value: str) -> str:
    """Redact the body of a patch; one that is not JSON goes as a whole."""
    if not value.strip():
        return value
    return _json(value) if value.lstrip()[0] in ("{", "[") else REDACTED


def _json(value: str) -> str:
    try:
        document = json.loads(value, object_pairs_hook=_unique)
        clean = _tree(document)
    except ValueError:
        return without_shapes(value) if _holds_nothing(value) else REDACTED
    except RecursionError:
        return REDACTED
    whole = value if clean == document else json.dumps(clean, ensure_ascii=False, separators=(",", ":"))
    shown = without_shapes(whole)
    return shown if shown == whole or _is_json(shown) else REDACTED


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return an object's members; raise where a name stands twice, as only the last one would be looked at."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member stands twice")
    return members


def _holds_nothing(value: str) -> bool:
    """Return what only looks like an object that could hold a secret, be it in YAML: a template, or our own work."""
    if len(value) >= ARGUMENT_LIMIT - 1 and _ARGUMENT_MARK.search(value[-_MARK_ROOM:]):
        return True
    if ":" not in value and _TEMPLATE.match(value) is not None:  # {.data.token} gives nothing a value
        return True
    return not SECRET_NAME.search(value) and (":" not in value or _TEMPLATE.match(value) is not None)


def _is_json(value: str) -> bool:
    try:
        json.loads(value)
    except ValueError:
        return False
    return True


def _tree(node: object) -> object:
    if isinstance(node, list):
        return [_tree(item) for item in node]
    if not isinstance(node, dict):
        return node
    # A container's variable {"name": "DB_PASSWORD", "value": "x"} and a JSON patch {"path": "/data/db", "value": "x"}.
    subjects = [subject for subject in (node.get("name"), node.get("path")) if isinstance(subject, str)]
    value_is_secret = any(is_secret_name(subject) or re.search(r"/(stringD|d)ata\b", subject) for subject in subjects)
    return {
        key: _leaves(item)
        if is_secret_name(key) or key in ("data", "stringData") or (key == "value" and value_is_secret)
        else _tree(item)
        for key, item in node.items()
    }


def _leaves(node: object) -> object:
    """Redact every text and number below `node`; the keys and the switches stay."""
    if isinstance(node, dict):
        return {key: _leaves(item) for key, item in node.items()}
    if isinstance(node, list):
        return [_leaves(item) for item in node]
    return node if node is None or isinstance(node, bool) else REDACTED


def _flag_name(flag: str) -> str:
    return flag.lstrip("-").replace("_", "-")  # kubectl takes --docker_password as well


def _capped(arguments: Iterator[str]) -> Iterator[str]:
    room = COMMAND_LIMIT
    dropped = 0
    for argument in arguments:
        kept = cap(argument)
        reserve = 0 if _ARGUMENTS_MARK.fullmatch(kept) else _MARK_ROOM
        if dropped or len(kept) > room - reserve:
            dropped += 1
            continue
        room -= len(kept) + 1
        yield kept
    if dropped:
        yield f"...[+{dropped} arguments]"
