"""Secrets in the words for another program (`exec POD -- PROGRAM …`), and in the scripts among them.

No grammar says what these words mean. A password stands behind a flag that its program is known for, behind a name
that says so, in a header, or before a pipe into a program that reads one.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from kubectl_stepup.audit.secret_shapes import REDACTED, is_secret_name, without_header, without_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_PLAIN_P = frozenset({"cp", "install", "ls", "lsof", "mkdir", "nc", "ps", "rsync", "ssh", "tar"})
"""Programs whose `-p` is no password; of every other one it may be: mysql, mongosh, sshpass, 7z."""

_FLAGS = {"ldap": ("-w",), "redis-cli": ("-a",), "snmp": ("-c", "-A", "-X"), "sqlcmd": ("-P",), "zip": ("-P",)}
"""By the beginning of a program's name, the flags that a password follows."""

_BY_FLAG = {"unzip": "zip", "bcp": "sqlcmd"}

_USER = re.compile(r"(-u\s*+|-U|--(?:proxy-)?user[=\s]\s*+)([^\s:]++):.++", re.DOTALL)
_USERS = ("-u", "-U", "--user", "--proxy-user")
_FLAG = re.compile(r"-{1,2}[A-Za-z][\w-]*+")
# NOTE: two patterns, each of linear time; a word may be a hundred kilobytes of anything.
_BARE_WORD = re.compile(r"[\w-]++")
_PASSWORD_WORD = re.compile(r"passw|requirepass|secret[-_]?(?:access[-_]?)?key|api[-_]?key|identified", re.IGNORECASE)
"""In a bare word after which the rest is taken for secret: change_password, passwd, aws_secret_access_key, PASSWORD."""

_TOKEN = re.compile(r"""(?:"(?:[^"\\]|\\.)*+"|'[^']*+'|\\.|[^\s;|&()'"\\])++|[;|&()\n]++""", re.DOTALL)
_PART = re.compile(r""""((?:[^"\\]|\\.)*+)"|'([^']*+)'|\\(.)""", re.DOTALL)
_ESCAPED = re.compile(r"""\\(["\\$`])""")
_SEPARATORS = frozenset(";|&()\n")
_SAYS = frozenset({"echo", "printf"})
_DEPTH = 3
"""How deep scripts in scripts are read: sh -c "ssh host 'mysql -pSECRET'"."""


class _Command:
    """What is known of a command while its words are read."""

    def __init__(self, argument: Callable[[str], str], depth: int) -> None:
        self._argument = argument
        self._depth = depth
        self._previous = ""
        self._program = ""
        self._names_a_password = False

    def shown(self, word: str, *, said: bool = False) -> str:
        """Return the next word, as it may be shown; `said` is for what goes to a program that reads a password."""
        shown = REDACTED if said and self._program in _SAYS else self._shown(word)
        name = word.rpartition("/")[2]
        if name in _PLAIN_P or name in _SAYS or _flags(name):
            self._program = name
        self._names_a_password = self._names_a_password or _is_password_word(word)
        self._previous = word
        return shown

    def _shown(self, word: str) -> str:
        if self._is_secret(word):
            return REDACTED
        if self._previous in ("-H", "--header"):
            return without_header(word)
        if word.startswith("-H") and ":" in word:
            return f"-H{without_header(word[2:])}"
        if self._previous in _USERS and ":" in word:
            return f"{word.partition(':')[0]}:{REDACTED}"
        if len(word) > 2 and word.startswith("-p") and self._program not in _PLAIN_P:
            return f"-p{REDACTED}"  # mysql -pSECRET; a port or a path lost is no harm
        if word.startswith("pass:"):  # openssl -passin pass:SECRET
            return f"pass:{REDACTED}"
        if (user := _USER.fullmatch(word)) is not None and not any(map(str.isspace, word)):
            return f"{user[1]}{user[2]}:{REDACTED}"
        shown = without_headers(self._argument(word))
        if self._depth and any(map(str.isspace, shown)):
            return _script(shown, self._argument, self._depth - 1)
        return shown

    def _is_secret(self, word: str) -> bool:
        previous = self._previous
        if word.startswith("-"):
            return False
        if self._names_a_password or previous in _flags(self._program):
            return True
        if previous == "-p":
            return self._program not in _PLAIN_P
        return _FLAG.fullmatch(previous) is not None and is_secret_name(previous)


def without_secrets(words: Iterable[str], argument: Callable[[str], str]) -> Iterator[str]:
    """Return the words for another program as they may be shown; `argument` redacts one by its own name and shape."""
    return map(_Command(argument, _DEPTH).shown, words)


def _is_password_word(word: str) -> bool:
    return _BARE_WORD.fullmatch(word) is not None and _PASSWORD_WORD.search(word) is not None


def _flags(program: str) -> tuple[str, ...]:
    program = _BY_FLAG.get(program, program)
    return next((flags for name, flags in _FLAGS.items() if program.startswith(name)), ())


def _script(text: str, argument: Callable[[str], str], depth: int) -> str:
    """Return a shell's script with its words redacted where they stand."""
    reads_password = max((found.start() for found in re.finditer("passw", text, re.IGNORECASE)), default=-1)
    pieces, at, command = [], 0, _Command(argument, depth)
    for token in _TOKEN.finditer(text):
        pieces.append(text[at : token.start()])
        at, word = token.end(), token[0]
        if word[0] in _SEPARATORS:
            command = _Command(argument, depth)
            pieces.append(word)
            continue
        inner = _PART.sub(_without_quotes, word)
        shown = command.shown(inner, said=token.start() < reads_password)
        pieces.append(word if shown == inner else _quoted(shown, word[0]))
    return "".join((*pieces, text[at:]))


def _without_quotes(part: re.Match[str]) -> str:
    double, single, escaped = part.groups()
    if double is not None:
        return _ESCAPED.sub(r"\1", double)
    return single if single is not None else str(escaped)


def _quoted(word: str, quote: str) -> str:
    if not any(letter.isspace() or letter in "'\"\\" for letter in word):
        return word
    return f"{quote}{word}{quote}" if quote in "'\"" and quote not in word and "\\" not in word else shlex.quote(word)
