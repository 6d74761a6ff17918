from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_stepup.sanitise import URL_LIMIT, safe, safe_lines, safe_url


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("delete pod web-0 -n prod", "delete pod web-0 -n prod"),
        ("[/foo] [link=file:///etc]", "[/foo] [link=file:///etc]"),
        ("Zoë Müller 日本 ✓", "Zoë Müller 日本 ✓"),
        ("\x1b[31mred\x1b[0m", "\\u{1b}[31mred\\u{1b}[0m"),
        ("\x1b]52;c;Zm9v\x07", "\\u{1b}]52;c;Zm9v\\u{7}"),
        ("\x9b31m", "\\u{9b}31m"),
        ("\x00\x7f\x85", "\\u{0}\\u{7f}\\u{85}"),
        ("one\ntwo\r\nthree\tfour", "one\\ntwo\\r\\nthree\\tfour"),
        ("a\u2028b\u2029c", "a\\u{2028}b\\u{2029}c"),
        ("user\u202egpj.exe\u2066", "user\\u{202e}gpj.exe\\u{2066}"),
        ("ad\u200bmin\u200d\ufeff", "ad\\u{200b}min\\u{200d}\\u{feff}"),
        ("delete\u00a0pod\u3000x", "delete\\u{a0}pod\\u{3000}x"),
        ("tag\U000e0041", "tag\\u{e0041}"),
        ("\u3164\u2800\ufe0f", "\\u{3164}\\u{2800}\\u{fe0f}"),
        ("lone \ud800 surrogate", "lone \\u{d800} surrogate"),
        ("private \ue000 unassigned \u0378", "private \\u{e000} unassigned \\u{378}"),
        ("e\u0301", "e\u0301"),
        ("z\u0301\u0301\u0301\u0301\u0301", "z\u0301\u0301\u0301\\u{301}\\u{301}"),
    ],
)
def test_hidden_characters_become_visible(text: str, shown: str) -> None:
    assert safe(text) == shown


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("abcdefghij", 10, "abcdefghij"),
        ("abcdefghijk", 10, "abc...[+8]"),
        ("x" * 1_000_000, 20, "x" * 8 + "...[+999992]"),
        ("ab\x1bcdefghijk", 12, "ab...[+10]"),
        ("\x1b" * 50, 9, "...[+50]"),
        ("abcdef", 3, "..."),
        ("abcdef", 0, ""),
    ],
)
def test_long_text_is_cut_with_what_is_missing(text: str, limit: int, shown: str) -> None:
    assert safe(text, limit) == shown


@given(st.text(), st.integers(min_value=0, max_value=60))
def test_whatever_comes_in_one_visible_line_comes_out(text: str, limit: int) -> None:
    shown = safe(text, limit)
    assert len(shown) <= limit
    assert shown.isprintable()
    assert len(shown.splitlines()) <= 1
    assert not any(unicodedata.category(character)[0] == "C" for character in shown)
    assert safe(shown, limit) == shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://login.example.com/device", "https://login.example.com/device"),
        (
            "https://login.example.com:8443/a?user_code=WDJB-MJHT#x",
            "https://login.example.com:8443/a?user_code=WDJB-MJHT#x",
        ),
        ("https://[::1]:8443/d", "https://[::1]:8443/d"),
        ("https://[::1]/d", "https://[::1]/d"),
        ("https://müller.example/gerät", "https://xn--mller-kva.example/ger%C3%A4t"),
        ("https://аpple.com/", "https://xn--pple-43d.com/"),
        ("https://login。example.com", "https://login.example.com"),
        ("https://user:pw@мойсайт.рф:443/", "https://user:pw@xn--80arbjktj.xn--p1ai:443/"),
        ("https://idp.example@evil.example/", "https://idp.example@evil.example/"),
        ("https://a\nb/c d\x1b[0m", "https://a%0Ab/c%20d%1B[0m"),
        ("https://good.example\\@evil.example", "https://good.example%5C@evil.example"),
        ("https://\u202eevil.example/", "https://\\u{202e}evil.example/"),
        ("https://x/\ud800", "https://x/%ED%A0%80"),
        ("javascript:alert(1)\n", "javascript:alert(1)%0A"),
        ("//host/path", "//host/path"),
        ("-flag", "-flag"),
        ("", ""),
    ],
)
def test_urls_are_shown_in_ascii(url: str, shown: str) -> None:
    assert safe_url(url) == shown


def test_an_ordinary_url_is_never_wrapped_or_cut() -> None:
    url = "https://login.example.com/device?user_code=" + "x" * 1000
    assert safe_url(url) == url


def test_a_monstrous_url_is_cut() -> None:
    shown = safe_url("https://login.example.com/" + "x" * 10_000)
    assert len(shown) == URL_LIMIT
    assert shown.endswith("]")


@given(st.text())
def test_any_url_is_one_line_of_ascii(url: str) -> None:
    shown = safe_url(url)
    assert shown.isascii()
    assert shown.isprintable()
    assert len(shown) <= URL_LIMIT


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("a: 1\n\tb: 2\n", "a: 1\n\tb: 2\n"),
        ("a\x1b[2J\nb\r\n\u202ec\td", "a\\u{1b}[2J\nb\\r\n\\u{202e}c\td"),
        ("\x1b" * 5000, "\\u{1b}" * 5000),
        ("\U0010ffff", "\\u{10ffff}"),
        ("Zo\xeb \u65e5\u672c", "Zo\xeb \u65e5\u672c"),
    ],
)
def test_lines_stay_lines_and_are_not_cut(text: str, shown: str) -> None:
    assert safe_lines(text) == shown
    assert safe_lines(shown) == shown
