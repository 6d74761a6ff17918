"""The hash chain of the audit log: each line names its number and the SHA-256 of the line before it.

Whoever edits, removes or moves a line breaks the chain at that place. A cut at the end, or a whole new chain, shows
only against a copy of the head kept elsewhere. A line that a crash left half written is not part of the chain; the
record after it vouches for its bytes (`torn`).
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_stepup.audit.event import AuditEvent
from kubectl_stepup.strict_json import json_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

GENESIS = "0" * 64
"""`prev` of the first record."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A record's place in the chain. `torn` is the SHA-256 of unreadable bytes between the record before and this."""

    seq: int
    prev: str
    torn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """One audit event in the log; `line` is as stored, without its newline."""

    link: Link
    event: AuditEvent
    line: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainBreak:
    """The first bad record: its line (1-based), its number where it has one, and what is wrong."""

    line: int
    seq: int | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainVerification:
    """The result of checking the chain. `head` is the SHA-256 of the last good record, for a copy elsewhere."""

    records: int
    seq: int
    head: str
    torn: tuple[int, ...] = ()
    first_break: ChainBreak | None = None

    @property
    def ok(self) -> bool:
        """Whether no record was changed, removed or moved."""
        return self.first_break is None


def digest(data: bytes) -> str:
    """Return the SHA-256 of a line (without its newline), in hex."""
    return hashlib.sha256(data).hexdigest()


def seal(event: AuditEvent, link: Link) -> AuditRecord:
    """Write `event` as the line at `link`: ASCII alone, so that no byte of it can move a cursor or end the line."""
    members = event.to_json()
    head = {name: members.pop(name) for name in ("apiVersion", "kind")}
    chain: dict[str, object] = {"seq": link.seq, "prev": link.prev}
    if link.torn is not None:
        chain["torn"] = link.torn
    line = json.dumps(head | chain | members, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return AuditRecord(link=link, event=event, line=line.encode("ascii"))


def link_of(line: bytes) -> Link | None:
    """Read a line's place in the chain; None where the line is no record."""
    members = _members(line)
    return None if members is None else _link(members)


def record_of(line: bytes) -> AuditRecord | None:
    """Read a whole record; None where the line is none, or one of a version that says more than we understand."""
    members = _members(line)
    if members is None:
        return None
    link, event = _link(members), AuditEvent.from_json(members)
    return None if link is None or event is None else AuditRecord(link=link, event=event, line=line)


def verify(lines: Iterable[bytes], *, seq: int = 0, head: str = GENESIS) -> ChainVerification:
    """Check the chain over `lines` (without newlines) up to the first bad record.

    `seq` and `head` are those of the last record of an earlier file, when the chain goes on from one.
    """
    walk = _Walk(seq=seq, head=head)
    for number, (line, following) in enumerate(_with_next(lines), start=1):
        broken = walk.step(number, line, following)
        if broken is not None:
            return walk.result(broken)
    return walk.result(None)


class _Walk:
    def __init__(self, *, seq: int, head: str) -> None:
        self.seq = seq
        self.head = head
        self.records = 0
        self.torn: list[int] = []
        self._gap: list[bytes] = []
        self._last_line = 0

    def step(self, number: int, line: bytes, following: bytes | None) -> ChainBreak | None:
        link = link_of(line)
        if link is None:
            self._gap.append(line)
            self.torn.append(number)
            return None
        broken = (
            self._number(number, link) or self._gap_before(number, link) or self._prev(number, line, link, following)
        )
        if broken is None:
            self.seq, self.head, self.records = link.seq, digest(line), self.records + 1
            self._gap, self._last_line = [], number
        return broken

    def result(self, broken: ChainBreak | None) -> ChainVerification:
        return ChainVerification(
            records=self.records, seq=self.seq, head=self.head, torn=tuple(self.torn), first_break=broken
        )

    def _number(self, number: int, link: Link) -> ChainBreak | None:
        expected = self.seq + 1
        if link.seq == expected or self._gap:
            return None
        why = f"record {expected} should stand here, not {link.seq}"
        return ChainBreak(line=number, seq=link.seq, why=f"{why}: records were removed, moved or repeated")

    def _gap_before(self, number: int, link: Link) -> ChainBreak | None:
        found = digest(b"\n".join(self._gap)) if self._gap else None
        if link.torn == found and link.seq == self.seq + 1:
            return None
        if found is None:
            return ChainBreak(line=number, seq=link.seq, why=f"the half-written line before record {link.seq} is gone")
        first = number - len(self._gap)
        return ChainBreak(
            line=first, seq=None, why=f"line {first} is no record, and record {link.seq} does not vouch for it"
        )

    def _prev(self, number: int, line: bytes, link: Link, following: bytes | None) -> ChainBreak | None:
        if link.prev == self.head:
            return None
        # Either the record before was changed after this one was written, or this one was: the next one knows.
        next_link = None if following is None else link_of(following)
        changed_here = next_link is not None and next_link.torn is None and next_link.prev != digest(line)
        if changed_here or self.records == 0:
            return ChainBreak(line=number, seq=link.seq, why=f"record {link.seq} does not continue record {self.seq}")
        return ChainBreak(line=self._last_line, seq=self.seq, why=f"record {self.seq} was changed after it was written")


def _with_next(lines: Iterable[bytes]) -> Iterator[tuple[bytes, bytes | None]]:
    walk = iter(lines)
    current = next(walk, None)
    while current is not None:
        following = next(walk, None)
        yield current, following
        current = following


def _members(line: bytes) -> dict[str, object] | None:
    try:
        return json_object(line.decode("ascii"), any_text=True)
    except ValueError:
        return None


def _link(members: dict[str, object]) -> Link | None:
    seq, prev, torn = members.get("seq"), members.get("prev"), members.get("torn")
    if not isinstance(seq, int) or isinstance(seq, bool) or seq < 1:
        return None
    if not isinstance(prev, str) or not _SHA256.fullmatch(prev):
        return None
    if torn is not None and (not isinstance(torn, str) or not _SHA256.fullmatch(torn)):
        return None
    return Link(seq=seq, prev=prev, torn=torn)
