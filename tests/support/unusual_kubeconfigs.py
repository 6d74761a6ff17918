"""Kubeconfigs of every form that people and tools write, and some that nobody should."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from tests.fuzz.unusual_yaml import damaged
from tests.grammar.choices import chance, pick

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.grammar.choices import Choices

NAMES = (
    *("prod", "dev", "arn:aws:eks:eu:1:cluster/prod", "a b", "\u00fc\U0001f9a2", "", "#x", "it's", '"q"', "-", "a\\b"),
    *("5", "0o17", "017", "0x1F", "1_000", "1:30", "1e3", "1e999", ".5", "yes", "n", "null", "~", "2001-12-14", "<<"),
    *("true", ".inf", "=", "@x", "*a", "&a", "!x", "%x", "? x", "x: y", "x #y", " x ", "08", "+1", "-0b11", "9" * 25),
)
SERVERS = ("https://a.example.com", "https://b.example.com:6443/k8s?x=1#y", "http://[::1]:8080", "", "not a url")
TYPED_NAMES = ("5", "yes", "~", "'5'", "x", "'~'", "!!str 5", "!x 5", "! 5", "!!binary cHJvZA==", "!!int '5'")
KEYS = (
    *("contexts", "clusters", "users", "current-context", "name", "context", "cluster", "user", "server", "namespace"),
    *("certificate-authority-data", "insecure-skip-tls-verify", "proxy-url", "apiVersion", "kind", "preferences", "<<"),
    *(
        "as",
        "as-groups",
        "as-user-extra",
        "exec",
        "extensions",
        "Server",
        "CONTEXTS",
        "token",
        "unknown",
        "auth-provider",
    ),
)
_PEM = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nMTIz\n-----END CERTIFICATE-----\n").decode()
_BASE64 = (_PEM, _PEM[:40] + "\n" + _PEM[40:], "aGk=", "aGl=", "")
_WRONG = ("5", "yes", "[a]", "{a: b}", "1.5", "[{}]", "'x'", "[null]", "aG k=", "not base64")


def kubeconfig(choices: Choices) -> bytes:
    """Return one file; about half of them are such as kubectl reads."""
    document = _document(choices)
    text = _written(choices, document)
    for _ in range(choices.below(3)):
        text = pick(choices, _CHANGES)(choices, text)
    if chance(choices, 12):
        return damaged(choices, text, KEYS)
    return _encoded(choices, text)


def _document(choices: Choices) -> dict[str, Any]:
    names = [pick(choices, NAMES) for _ in range(1 + choices.below(4))]
    names = list(dict.fromkeys(names)) if not chance(choices, 30) else names
    document: dict[str, Any] = {
        "apiVersion": pick(choices, ("", "/v1", "/", "v2")) if chance(choices, 9) else "v1",
        "kind": "Config",
        "current-context": pick(choices, names),
        "contexts": [{"name": name, "context": _context(choices, names)} for name in names],
        "clusters": [{"name": name, "cluster": _cluster(choices)} for name in names],
        "users": [{"name": name, "user": _user(choices)} for name in names],
    }
    for key in [key for key in document if chance(choices, 30)]:
        document[key] = pick(choices, (None, None, [], {}, "x"))
    for kind in ("contexts", "clusters", "users"):
        if isinstance(document[kind], list) and chance(choices, 8):
            document[kind].insert(0, pick(choices, ({kind[:-1]: {}}, {}, None, {"name": None}, {"name": "alone"})))
    return document


def _context(choices: Choices, names: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"cluster": pick(choices, names), "user": pick(choices, names)}
    if chance(choices, 3):
        found["namespace"] = pick(choices, ("shop", "", None, "5", "Not A Name"))
    if chance(choices, 6):
        found["extensions"] = [
            {"name": "icon", "extension": pick(choices, ({"a": [1, 2.5, None]}, "\U0001f9a2", None))}
        ]
    return {key: value for key, value in found.items() if not chance(choices, 20)}


def _cluster(choices: Choices) -> dict[str, Any]:
    found: dict[str, Any] = {"server": pick(choices, SERVERS)}
    for key, values in (
        ("certificate-authority-data", _BASE64),
        ("certificate-authority", ("ca.pem", "../ca.pem", "/no/such", "")),
        ("insecure-skip-tls-verify", (True, False, None)),
        ("tls-server-name", ("api", "", None)),
        ("proxy-url", ("http://proxy.test:3128", "socks5://u:p@h", "")),
        ("disable-compression", (True, False)),
    ):
        if chance(choices, 6):
            found[key] = pick(choices, values)
    return found


def _user(choices: Choices) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, values in (
        ("token", ("t-0-k-e-n", "")),
        ("as", ("somebody", "", None)),
        ("as-groups", (["a"], [], [None])),
        ("as-user-extra", ({"k": ["v"]}, {}, {"k": None})),
        ("client-certificate-data", _BASE64),
        ("tokenFile", ("token", "/no/such")),
        ("exec", ({"command": "aws", "apiVersion": "client.authentication.k8s.io/v1", "args": None}, {}, None)),
        ("auth-provider", ({"name": "oidc", "config": {"id-token": "x"}}, None)),
    ):
        if chance(choices, 8):
            found[key] = pick(choices, values)
    return found


def _written(choices: Choices, document: dict[str, Any]) -> str:
    kind = choices.below(6)
    if kind == 0:
        return json.dumps(document, ensure_ascii=chance(choices, 4), indent=pick(choices, (None, 2)))
    if kind == 1:
        return json.dumps(document, ensure_ascii=False).replace('": ', '" : ' if chance(choices, 2) else '":')
    return "\n".join(_lines(choices, document)) + "\n"


def _lines(choices: Choices, value: dict[str, Any]) -> list[str]:
    """Return block style with scalars in every style."""
    lines = []
    for key, member in value.items():
        if isinstance(member, dict) and member:
            lines += [f"{key}:", *("  " + line for line in _lines(choices, member))]
        elif isinstance(member, list) and member and all(isinstance(one, dict) and one for one in member):
            indent = pick(choices, ("", "  "))
            lines.append(f"{key}:")
            for one in member:
                first, *rest = _lines(choices, one)
                lines += [f"{indent}- {first}", *(f"{indent}  {line}" for line in rest)]
        else:
            lines.append(f"{key}: {_scalar(choices, member)}")
    return lines


def _scalar(choices: Choices, value: Any) -> str:
    if isinstance(value, str):
        kind = choices.below(8)
        if kind == 0:
            return "'" + value.replace("'", "''") + "'"
        if kind == 1 and value and "\n" not in value and (value.isalpha() or chance(choices, 6)):
            return pick(choices, ("!!str ", "&x1 ", "! ", "")) + value
        if kind == 2:
            return '"' + "".join(f"\\U{ord(one):08x}" for one in value) + '"'
        if kind == 3 and value.strip() and "\n" not in value:
            return "|-\n          " + value
    if value is None:
        return pick(choices, ("null", "~", "", "Null"))
    if isinstance(value, bool):
        return pick(choices, ("yes", "True", "on", "y") if value else ("no", "FALSE", "off", "N"))
    return json.dumps(value, ensure_ascii=False)


def _inserted(choices: Choices, text: str, line: str) -> str:
    lines = text.split("\n")
    tops = [index for index, one in enumerate(lines) if one[:1].isalpha()]
    at = pick(choices, tops) if tops else 0
    return "\n".join([*lines[:at], line, *lines[at:]])


def _repeated(choices: Choices, text: str) -> str:
    key = pick(choices, KEYS[:5])
    value = pick(choices, ("", "[]", "prod", "null", "{}", "[{name: again}]"))
    return f"{text.rstrip()}\n{key}: {value}\n"


def _merged(choices: Choices, text: str) -> str:
    anchor = (
        "x-default: &default {namespace: merged, cluster: merged, user: merged, server: 'https://merged.example'}\n"
    )
    more = pick(choices, ("*default", "[*default]", "[{cluster: first}, *default]", "{}", "*nobody", "x", "[x]"))
    for key in (pick(choices, ("cluster: ", "user: ", "server: ")),):
        parts = text.split(f" {key}")
        if len(parts) > 1:
            at = 1 + choices.below(len(parts) - 1)
            indent = " " * (len(parts[at - 1]) - len(parts[at - 1].rstrip(" ")) + 1)
            before = " ".join([""]).join([f" {key}".join(parts[:at])])
            text = f"{before} <<: {more}\n{indent}{key}" + f" {key}".join(parts[at:])
    return anchor + text


def _aliases(choices: Choices, text: str) -> str:
    count = pick(choices, (3, 60, 2000))
    return f"x-a: &a0 {pick(choices, ('[u, v]', 'u', '{k: v}'))}\nx-b: [{'*a0, ' * count}]\n{text}"


def _bomb(choices: Choices, text: str) -> str:
    width = pick(choices, (2, 9))
    lines = ["x0: &x0 [u, u]", *(f"x{one}: &x{one} [{', '.join([f'*x{one - 1}'] * width)}]" for one in range(1, 12))]
    return "\n".join(lines) + "\n" + text


def _named(choices: Choices, text: str) -> str:
    return text.replace('name: "', f"name: {pick(choices, TYPED_NAMES)} #", 1 + choices.below(2))


def _wrong(choices: Choices, text: str) -> str:
    """Return one value another type, at the end of a line of block style."""
    lines = text.split("\n")
    at = choices.below(len(lines))
    key, colon, value = lines[at].partition(": ")
    lines[at] = key + colon + pick(choices, _WRONG) if value and colon else lines[at]
    return "\n".join(lines)


def _second_document(choices: Choices, text: str) -> str:
    more = ("", text, "{[", "a: \x01", "a: b\n" * 300 + "\x01", "a: b\n" * 9000 + "\x01", "- \ta", "%YAML 1.1\n---\n")
    return (
        text.rstrip("\n")
        + "\n"
        + pick(choices, ("---\n", "...\n", "---", "--- \n", "...\n---\n"))
        + pick(choices, more)
    )


def _before(choices: Choices, text: str) -> str:
    return (
        pick(choices, ("---\n", "# x\n", "%YAML 1.1\n---\n", "%TAG ! tag:x,2000:\n---\n", "\n\n", "--- # x\n", "\n\n"))
        + text
    )


def _unknown(choices: Choices, text: str) -> str:
    values = (
        "[a, {b: c}]",
        "1e999",
        ".5",
        "!!set {a}",
        "!!binary aGk=",
        "!!float 5",
        "? x",
        "{1: a, yes: b}",
        "-",
        "''",
    )
    return _inserted(choices, text, f"{pick(choices, KEYS)}-x: {pick(choices, values)}")


def _key_style(choices: Choices, text: str) -> str:
    key = pick(choices, KEYS[:9])
    return text.replace(
        f"{key}: ", pick(choices, (f'"{key}": ', f"'{key}' : ", f"? {key}\n: ", f"{key}:\t", f"!!str {key}: "))
    )


def _ends(choices: Choices, text: str) -> str:
    return text.replace("\n", pick(choices, ("\r\n", "\r", "\n\n", " \n", " # x\n")))


def _case(choices: Choices, text: str) -> str:
    key = pick(choices, KEYS[:12])
    return text.replace(f"{key}:", f"{pick(choices, (key.upper(), key.title()))}:", 1)


def _large(choices: Choices, text: str) -> str:
    return f"{text.rstrip()}\nx-note: {'a' * pick(choices, (5_000, 70_000, 5 << 20))}\n"


def _reused(choices: Choices, text: str) -> str:
    """Put an anchor on a value and its alias in place of a later one of the same text."""
    key = pick(choices, ("cluster: ", "user: ", "server: ", "name: "))
    first, *rest = text.split(key)
    if len(rest) < 2:
        return text
    rest[0] = "&again " + rest[0]
    last = rest[-1].partition("\n")
    rest[-1] = "*again" + last[1] + last[2]
    return key.join([first, *rest])


_CHANGES: tuple[Callable[[Choices, str], str], ...] = (
    *(_repeated, _merged, _aliases, _bomb, _named, _second_document, _before, _unknown, _key_style, _ends, _case),
    *(_large, _reused, _wrong, _unknown, _merged, _second_document, _before, _key_style, _unknown, _merged, _aliases),
)


def _encoded(choices: Choices, text: str) -> bytes:
    kind = choices.below(16)
    if kind == 0:
        return ("\ufeff" + text).encode(pick(choices, ("utf-16-le", "utf-16-be", "utf-8")))
    if kind == 1 and chance(choices, 3):
        return text.encode("utf-16-le")
    if kind == 2 and chance(choices, 3):
        return text.encode("latin-1", "replace")
    return text.encode()
