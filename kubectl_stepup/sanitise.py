"""Make foreign text safe to show: the one sanitiser for text of providers, API servers, files and arguments.

A terminal executes control sequences (ECMA-48; OSC 52 writes the clipboard), and bidirectional overrides and invisible
characters deceive the reader. So every character that is not plainly visible becomes an escape, text stays in one line,
and a long text is cut with a mark that counts the missing characters.
"""

from __future__ import annotations

import re
import unicodedata

URL_LIMIT = 2048
"""The length of the longest URL shown; no person is meant to open a longer one."""

MAX_MARKS = 3
"""The combining marks shown on one letter; more of them cover the lines above."""

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

# Cc and Cf hold ESC, C1, DEL, bidi controls and zero-width joiners; Zl, Zp break lines; Zs (but the space itself) makes
# one argument look like two; Cs, Co, Cn have no agreed look.
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})

# Letters and marks by their category, yet drawn as nothing.
_BLANK = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0}
    | set(range(0x180B, 0x1810))
    | set(range(0xFE00, 0xFE10))
    | set(range(0xE0100, 0xE01F0))
)

# RFC 3986 appendix B. urllib.parse drops tabs and newlines without a word, which is what must be seen here.
_URL = re.compile(r"(?P<scheme>[^:/?#]+:)?(?P<slashes>//(?P<authority>[^/?#]*))?(?P<rest>.*)", re.DOTALL)

# One word of ASCII, without what separates words in a message or a list.
_UNMISTAKABLE = re.compile(r"[A-Za-z0-9._:/@%?&=~\[\]-]+")

_PLAIN = re.compile(r"[\t\n -~]*")
_LONGEST_ESCAPE = len(r"\u{10ffff}")

# RFC 3986 section 2: unreserved, reserved and the percent sign are left alone, all other bytes are percent-encoded.
_URL_BYTES = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&'()*+,;=%")


def safe(text: str, limit: int = 200) -> str:
    r"""Show `text` in one line of visible characters, at most `limit` of them.

    Controls, bidi and zero-width characters, unusual spaces, lone surrogates and unassigned code points become
    `\u{1b}`; newline, carriage return and tab become `\n`, `\r`, `\t`. Cut text ends in `...[+N]`, N being the
    characters of `text` that are not shown. Applying it twice changes nothing more.
    """
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text
    pieces: list[str] = []
    length = marks = 0
    for character in text[: limit + 1]:
        marks = marks + 1 if unicodedata.combining(character) else 0
        piece = _escape(character) if marks > MAX_MARKS or _is_hidden(character) else character
        pieces.append(piece)
        length += len(piece)
        if length > limit:
            return _cut(pieces, len(text), limit)
    return "".join(pieces)


def quoted(value: object, limit: int = 100) -> str:
    """Show a value that is compared with another, in quotes and ASCII, so that different values look different.

    Letters of other alphabets, trailing blanks and invisible characters become visible.
    """
    return safe(ascii(value), limit)


def compared(text: str, limit: int = 100) -> str:
    """Show a text that is compared with another: unchanged if that is unambiguous, else `quoted`."""
    if text != "none" and _UNMISTAKABLE.fullmatch(text):
        return safe(text, limit)
    return quoted(text, limit)


def safe_lines(text: str) -> str:
    """Show text of several lines, each as `safe` shows it and none cut; tabs stay.

    This is the last check before a terminal. A value that must stay within its line needs `safe` before.
    """
    if _PLAIN.fullmatch(text):
        return text
    return "\n".join(
        "\t".join(safe(part, _LONGEST_ESCAPE * len(part)) for part in line.split("\t")) for line in text.split("\n")
    )


def safe_url(url: str) -> str:
    """Show `url` in one line of ASCII: the host in punycode, everything else that is no URL character percent-encoded.

    What comes out still leads where a browser would go with `url`, so it may be copied. Nothing is refused: whether
    the address may be trusted is the caller's to check first. A host that cannot be written in punycode keeps escapes.

    Spec: RFC 3986 section 2 and appendix B; UTS 46 and RFC 5891 for the host.
    """
    parts = _URL.fullmatch(url)
    if parts is None or parts["authority"] is None:
        return safe(_percent(url), URL_LIMIT)
    userinfo, at, host_port = parts["authority"].rpartition("@")
    host, colon, port = host_port.rpartition(":") if _has_port(host_port) else (host_port, "", "")
    authority = f"{_percent(userinfo)}{at}{_ascii_host(host)}{colon}{_percent(port)}"
    return safe(f"{_percent(parts['scheme'] or '')}//{authority}{_percent(parts['rest'])}", URL_LIMIT)


def _is_hidden(character: str) -> bool:
    if character == " ":
        return False
    return unicodedata.category(character) in _HIDDEN_CATEGORIES or ord(character) in _BLANK


def _escape(character: str) -> str:
    return _NAMED.get(character) or f"\\u{{{ord(character):x}}}"


def _cut(pieces: list[str], total: int, limit: int) -> str:
    """Drop pieces from the end until the mark fits; no escape is split."""
    shown = sum(map(len, pieces))
    while pieces:
        shown -= len(pieces.pop())
        mark = f"...[+{total - len(pieces)}]"
        if shown + len(mark) <= limit:
            return "".join(pieces) + mark
    return "..."[:limit]


def _percent(text: str) -> str:
    encoded = text.encode("utf-8", "surrogatepass")
    return "".join(chr(byte) if byte in _URL_BYTES else f"%{byte:02X}" for byte in encoded)


def _has_port(host_port: str) -> bool:
    return ":" in host_port and not host_port.endswith("]")


def _ascii_host(host: str) -> str:
    if host.isascii():
        return _percent(host)
    import idna  # 5 ms, and hosts are ASCII nearly always

    try:
        return _percent(idna.encode(host, uts46=True).decode("ascii"))
    except (idna.IDNAError, UnicodeError):
        return "".join(character if character.isascii() else _escape(character) for character in host)
