"""Texts that a policy's author wrote for people: in quotes, with their author, in one line, below our own words.

A published text may come from anybody who may write one ConfigMap in the cluster. So whatever looks like an address, or
like a sign-in code, is left out.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from kubectl_stepup.sanitise import safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kubectl_stepup.policy.quoted_text import QuotedText

OWN_LIMIT = 500
PUBLISHED_LIMIT = 200
MOST_LINES = 4

ADDRESS = "[address left out]"
CODE = "[code left out]"

# Anything with a scheme, `www.`, a name under a domain (`login.example.com`), or an IP address.
_DOTS = "[.\u3002\uff0e\uff61]"
_REST = r"(?:[:/][^\s\"'<>]*)?"
_ADDRESS = re.compile(
    rf"[a-z][a-z0-9+-]*:/+[^\s\"'<>]*|(?:[\w-]+{_DOTS})+[^\W\d_]{{2,}}{_REST}|\d{{1,3}}(?:\.\d{{1,3}}){{3}}{_REST}"
    rf"|\[[0-9a-f:.]+\]{_REST}",
    re.IGNORECASE,
)
# RFC 8628 section 6.1: capitals and digits, often in groups; so are the codes of providers that use digits alone.
_GAP = r"(?:[.:]|\s{1,3}|\s?[_/|\u00b7\u2010-\u2015-]\s?)"
_CODE = re.compile(rf"(?<![\w-])(?:[A-Z0-9]{{3,}}(?:{_GAP}[A-Z0-9]{{3,}})+|[A-Z0-9]{{6,}})(?![\w-])")


def quoted(text: QuotedText) -> str:
    """Write a text in quotes, after its kind and its author."""
    shown = text.text if text.cluster is None else without_leads(text.text[: 2 * PUBLISHED_LIMIT])
    limit = OWN_LIMIT if text.cluster is None else PUBLISHED_LIMIT
    quotable = safe(shown, limit).replace('"', "'")
    return f'{safe(text.what, 120)}, {safe(text.source, 200)}: "{quotable}"'


def quoted_lines(texts: Sequence[QuotedText]) -> Iterator[str]:
    """Write the first texts, and how many more there are."""
    for text in texts[:MOST_LINES]:
        yield quoted(text)
    if len(texts) > MOST_LINES:
        yield f"and {len(texts) - MOST_LINES} more messages: kubectl stepup policy explain"


def published_rules_lines(rules: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Name the published rules that require the step-up, a line for each cluster."""
    for cluster in dict.fromkeys(by for by, _ in rules):
        names = [f'"{safe(name, 63)}"' for by, name in rules if by == cluster]
        more = f" and {len(names) - MOST_LINES} more" if len(names) > MOST_LINES else ""
        several = "s" if len(names) > 1 else ""
        yield f"rule{several} published by cluster {safe(cluster, 80)}: {', '.join(names[:MOST_LINES])}{more}"


def without_leads(text: str) -> str:
    """Return a text without addresses and codes, whatever form their letters have (UAX 15, NFKC)."""
    return _CODE.sub(CODE, _ADDRESS.sub(ADDRESS, unicodedata.normalize("NFKC", text)))
