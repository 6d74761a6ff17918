"""Take secrets out of a command line before it is written down or shown, and keep it within bounds.

Works on the argument list and needs no grammar: what looks like a secret by its name or its shape goes, wherever it
stands, so that `exec POD -- mysql --password=x` is covered as well. Too much is redacted rather than too little.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

REDACTED = "[redacted]"

ARGUMENT_LIMIT = 1024
"""Characters kept of one argument."""

COMMAND_LIMIT = 8192
"""Characters kept of all arguments together."""

# Always followed by a value, be it one that starts with a dash (kubectl's global and set-credentials flags).
_VALUE_FLAGS = frozenset({"token", "password", "docker-password", "client-key"})

_SECRET_NAME = re.compile(
    r"passw|passphrase|passcode|(?<!by)(?<!com)pass(?![a-z])|pwd|secret|token|credential|otp\b|bearer|authorization|[-_]auth\b|"
    r"(api|private|client|access|account|encryption|signing)[-_.]?key",
    re.IGNORECASE,
)

# Names that hold such a word and yet only point at a secret, or switch something.
_POINTER_NAME = re.compile(
    r"(name|ref|refs|seconds|path|file|dir|url|uri|type|mount|pullsecrets)$|^-{0,2}(show|allow|no|automount)",
    re.IGNORECASE,
)

# `config set users.admin.token VALUE`: the value is the next argument.
_CONFIG_PROPERTY = re.compile(r"users\.[^=]*\.(token|password|client-key-data|auth-provider|exec)\b", re.IGNORECASE)

# NOTE: arguments may be a megabyte of anything, so every pattern here takes linear time (possessive where it repeats).
_DOTTED = re.compile(r"(?<![\w.-])[\w.-]++")
_QUERY = re.compile(r"([?&])([\w.-]++)=([^&#\s]++)")
_SCHEME = re.compile(r"\b(bearer|basic)\s++[\w.~+/=-]{4,}+", re.IGNORECASE)  # RFC 6750, RFC 7617
_USERINFO = re.compile(r"(?<=://)[^/?#@\s:]*+:[^/?#@\s]*+@")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*", re.DOTALL)

# Of other programs, in words of their own or in a shell's script: curl -u USER:PASSWORD, redis-cli -a PASSWORD.
_USER = re.compile(r"(?<!\S)(-u\s*+|--(?:proxy-)?user[=\s]\s*+)([^\s:]++):\S++")
_REDIS = re.compile(r"(?<!\S)-a\s++\S++")
_ASSIGNMENT = re.compile(r"""(?<![\w./?&%-])([\w.-]++)=("[^"]*+"|'[^']*+'|[^\s;&|]++)""")

_TEMPLATE = re.compile(r"\s*+\{[.{@]|\s*+\{range ")
"""How templates of `-o jsonpath=` and `go-template=` begin."""

_ARGUMENT_MARK = re.compile(r"\.\.\.\[\+\d+\]\Z")
_ARGUMENTS_MARK = re.compile(r"\.\.\.\[\+\d+ arguments\]")
_MARK_ROOM = 40

_BODY_FLAGS = ("--patch", "--overrides")

_NESTING = 4
"""How often `a=b=c` is looked into: --exec-arg=--header=token=x."""


def redacted(argv: Sequence[str]) -> tuple[str, ...]:
    """Give `argv` without secrets, each argument and the whole capped with a mark. Twice is the same as once."""
    return tuple(_capped(_arguments(argv)))


def text(value: str, limit: int = ARGUMENT_LIMIT) -> str:
    """Give free text (a reason, a provider's message) without what has the shape of a secret, capped at `limit`."""
    return cap(_shapes(value), limit)


def cap(value: str, limit: int = ARGUMENT_LIMIT) -> str:
    """Cut `value` to `limit` characters, the last of which say how many are missing."""
    if len(value) <= limit:
        return value
    keep = max(0, limit - len(f"...[+{len(value)}]"))
    return f"{value[:keep]}...[+{len(value) - keep}]"


def _arguments(argv: Sequence[str]) -> Iterator[str]:
    previous = ""
    foreign = False
    patching = "patch" in argv
    redis = any(argument.endswith("redis-cli") for argument in argv)
    for argument in argv:
        if foreign and len(argument) > 2 and argument.startswith("-p"):
            shown = f"-p{REDACTED}"  # mysql -pSECRET; a port or a path lost is no harm
        elif _takes(previous, argument):
            shown = _separate(previous, argument)
        elif foreign:
            shown = REDACTED if redis and previous == "-a" else _foreign(previous, argument)
        elif previous in _BODY_FLAGS or (patching and previous in ("-p", "-Rp")):
            shown = _body(argument)
        elif patching and argument.startswith("-p") and len(argument) > 2:
            shown = f"-p{'=' if argument[2] == '=' else ''}{_body(argument[2:].removeprefix('='))}"
        else:
            shown = _argument(argument)
        yield shown
        previous = argument
        foreign = foreign or shown == "--"


def _foreign(previous: str, argument: str) -> str:
    """Redact a word for another program; one with spaces may be a script."""
    if previous in ("-u", "--user", "--proxy-user") and ":" in argument:
        return f"{argument.partition(':')[0]}:{REDACTED}"
    shown = _USER.sub(rf"\1\2:{REDACTED}", _argument(argument))
    if not any(map(str.isspace, argument)):
        return shown
    if "redis-cli" in argument:
        shown = _REDIS.sub(f"-a {REDACTED}", shown)
    return _ASSIGNMENT.sub(_without_assigned_secret, shown)


def _takes(previous: str, argument: str) -> bool:
    """Tell whether `previous` makes `argument` a secret."""
    if len(previous) < 512 and _CONFIG_PROPERTY.match(previous):
        return True
    if not previous.startswith("--") or "=" in previous or len(previous) == 2:
        return False
    name = _flag_name(previous)
    if name in _VALUE_FLAGS or name == "from-literal":
        return True
    return _is_secret_name(name) and not argument.startswith("-")


def _separate(previous: str, argument: str) -> str:
    if _flag_name(previous) == "from-literal":
        return _literal(argument)
    return REDACTED


def _argument(argument: str, nesting: int = _NESTING) -> str:
    if argument.lstrip()[:1] in ("{", "["):
        return _json(argument)
    pair = re.fullmatch(r"([\w./-]+)=(.*)", argument, re.DOTALL)
    if pair is None or not pair[2] or nesting == 0:
        return _shapes(argument)
    return f"{pair[1]}={_value(_flag_name(pair[1]), pair[2], nesting - 1)}"


def _value(name: str, value: str, nesting: int) -> str:
    if name == "from-literal":
        return _literal(value)
    if f"--{name}" in _BODY_FLAGS:
        return _body(value)
    return REDACTED if _is_secret_name(name) else _argument(value, nesting)


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
        document = json.loads(value)
        clean = _tree(document)
    except ValueError:
        return _shapes(value) if _holds_nothing(value) else REDACTED
    except RecursionError:
        return REDACTED
    whole = value if clean == document else json.dumps(clean, ensure_ascii=False, separators=(",", ":"))
    shown = _shapes(whole)
    return shown if shown == whole or _is_json(shown) else REDACTED


def _holds_nothing(value: str) -> bool:
    """Tell what only looks like an object that could hold a secret, be it in YAML: a template, or our own work."""
    if len(value) >= ARGUMENT_LIMIT - 1 and _ARGUMENT_MARK.search(value[-_MARK_ROOM:]):
        return True
    return not _SECRET_NAME.search(value) and (":" not in value or _TEMPLATE.match(value) is not None)


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
    value_is_secret = any(_is_secret_name(subject) or re.search(r"/(stringD|d)ata\b", subject) for subject in subjects)
    return {
        key: _leaves(item)
        if _is_secret_name(key) or key in ("data", "stringData") or (key == "value" and value_is_secret)
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


def _shapes(value: str) -> str:
    """Redact what is a secret by its shape: tokens, userinfo and queries of URLs, private keys."""
    value = _PRIVATE_KEY.sub(REDACTED, value)
    value = _DOTTED.sub(_without_jwt, value)
    value = _SCHEME.sub(rf"\1 {REDACTED}", value)
    value = _USERINFO.sub(f"{REDACTED}@", value)
    return _QUERY.sub(_without_query_secret, value)


def _without_jwt(run: re.Match[str]) -> str:
    start = run[0].find("eyJ")  # `{"` in base64url: a JOSE header (RFC 7519)
    return run[0] if start < 0 or run[0].count(".", start) < 2 else run[0][:start] + REDACTED


def _without_assigned_secret(pair: re.Match[str]) -> str:
    return f"{pair[1]}={REDACTED}" if _is_secret_name(pair[1]) else pair[0]


def _without_query_secret(pair: re.Match[str]) -> str:
    secret = _is_secret_name(pair[2]) or pair[2] in ("code", "key")
    return f"{pair[1]}{pair[2]}={REDACTED}" if secret else pair[0]


def _flag_name(flag: str) -> str:
    return flag.lstrip("-").replace("_", "-")  # kubectl takes --docker_password as well


def _is_secret_name(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None and _POINTER_NAME.search(name.strip()) is None


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
