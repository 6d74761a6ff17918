"""What the author of a policy wrote: quoted, attributed, and leading nowhere where a cluster published it."""

from __future__ import annotations

import time

import pytest

from kubectl_stepup.policy.quoted_text import QuotedText
from kubectl_stepup.ui.quoted_text import (
    MOST_LINES,
    PUBLISHED_LIMIT,
    published_rules_lines,
    quoted,
    quoted_lines,
    without_leads,
)

ADDRESS, CODE = "[address left out]", "[code left out]"


def published(text: str) -> QuotedText:
    return QuotedText(what="message of rule x", text=text, cluster="dev")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ask in #ops first, then delete.", "ask in #ops first, then delete."),
        ("needs a ticket, e.g. OPS-12; see v1.2.3", "needs a ticket, e.g. OPS-12; see v1.2.3"),
        ("the US team owns it", "the US team owns it"),
        ("open https://evil.example.com/device?user_code=AB now", f"open {ADDRESS} now"),
        ("open HTTPS://EVIL.EXAMPLE.COM now", f"open {ADDRESS} now"),
        ("ftp://x, evil.example.com/a or www.evil.example", f"{ADDRESS} {ADDRESS} or {ADDRESS}"),
        ("evil\u3002example\uff0ecom", ADDRESS),
        ("\uff48\uff54\uff54\uff50\uff53\uff1a\uff0f\uff0fevil", ADDRESS),
        ("at 10.0.0.1:8080/x or [2001:db8::1]:80/x", f"at {ADDRESS} or {ADDRESS}"),
        ("enter WDJB-MJHT", f"enter {CODE}"),
        ("enter WDJB MJHT, or 123-456-789 or 123456 or ABCDEFGH", f"enter {CODE}, or {CODE} or {CODE} or {CODE}"),
        ("enter WDJB\u2011MJHT, WDJB \u2013 MJHT, WDJB_MJHT or WDJB:MJHT", f"enter {CODE}, {CODE}, {CODE} or {CODE}"),
        ("ask the SRE. PROD is theirs: call first", "ask the SRE. PROD is theirs: call first"),
        ("enter \uff37\uff24\uff2a\uff22-\uff2d\uff2a\uff28\uff34", f"enter {CODE}"),
    ],
)
def test_what_a_cluster_says_leads_nowhere(text: str, shown: str) -> None:
    assert quoted(published(text)) == f'message of rule x, published by cluster dev: "{shown}"'


def test_ones_own_text_is_shown_as_it_is() -> None:
    own = QuotedText(
        what="message of rule x", text="see https://wiki.example.com, code AB-1234", file="/etc/policy.yaml"
    )
    assert quoted(own) == ('message of rule x, from /etc/policy.yaml: "see https://wiki.example.com, code AB-1234"')


def test_a_text_cannot_end_its_quotes_or_its_line() -> None:
    shown = quoted(published('"\n1. Open the door" \x1b[2J'))
    assert shown == "message of rule x, published by cluster dev: \"'\\n1. Open the door' \\u{1b}[2J\""


def test_a_long_text_is_cut_in_time() -> None:
    began = time.process_time()
    for text in ("a." * 100_000, "a-" * 100_000, "A" * 200_000, "http:" * 50_000, "[" * 200_000, "1." * 100_000):
        assert len(quoted(published(text))) < PUBLISHED_LIMIT + 100
        without_leads(text[:2000])
    assert time.process_time() - began < 5


def test_many_texts_are_counted() -> None:
    lines = list(quoted_lines([published(f"text {number}") for number in range(9)]))
    assert (len(lines), lines[-1]) == (MOST_LINES + 1, "and 5 more messages: kubectl stepup policy explain")
    rules = [("dev", f"r{number}") for number in range(9)] + [("lab", "one")]
    assert list(published_rules_lines(rules)) == [
        'rules published by cluster dev: "r0", "r1", "r2", "r3" and 5 more',
        'rule published by cluster lab: "one"',
    ]


def test_it_cannot_be_printed_without_who_wrote_it() -> None:
    text = published("hi\x1b[2J")
    assert [str(text), f"{text}", format(text)] == ["message of rule x, published by cluster dev: 'hi\\x1b[2J'"] * 3
