from __future__ import annotations

import pytest

from kubectl_stepup.audit.chain import GENESIS, ChainBreak, Link, digest, link_of, seal, verify
from kubectl_stepup.audit.event import Activity, AuditEvent, Stage


def event(number: int) -> AuditEvent:
    return AuditEvent(
        audit_id=f"id-{number}",
        stage=Stage.REQUEST_RECEIVED,
        activity=Activity.RUN,
        time=1_795_264_480.0 - number,  # a clock that goes back does not matter
        result="approved",
    )


def chain(length: int, *, first: int = 1, prev: str = GENESIS) -> list[bytes]:
    lines: list[bytes] = []
    for number in range(first, first + length):
        lines.append(seal(event(number), Link(seq=number, prev=digest(lines[-1]) if lines else prev)).line)
    return lines


def test_an_untouched_chain_is_whole() -> None:
    lines = chain(5)
    found = verify(lines)
    assert found.ok
    assert (found.records, found.seq, found.head, found.torn) == (5, 5, digest(lines[-1]), ())


def test_no_record_is_whole() -> None:
    found = verify([])
    assert found.ok
    assert (found.records, found.head) == (0, GENESIS)


def test_the_chain_goes_on_from_an_earlier_file() -> None:
    earlier = chain(3)
    later = chain(2, first=4, prev=digest(earlier[-1]))
    assert verify(later, seq=3, head=digest(earlier[-1])).ok
    assert verify(later).first_break == ChainBreak(
        line=1, seq=4, why="record 1 should stand here, not 4: records were removed, moved or repeated"
    )


def edited(line: bytes) -> bytes:
    return line.replace(b'"approved"', b'"denied"')


@pytest.mark.parametrize(
    ("tamper", "expected"),
    [
        (lambda r: [r[0], edited(r[1]), *r[2:]], (2, 2, "record 2 was changed after it was written")),
        (lambda r: [edited(r[0]), *r[1:]], (1, 1, "record 1 was changed after it was written")),
        (lambda r: [*r[:3], edited(r[3]), r[4]], (4, 4, "record 4 was changed after it was written")),
        (
            lambda r: [*r[:2], r[2].replace(digest(r[1]).encode(), GENESIS.encode()), *r[3:]],
            (3, 3, "record 3 does not continue record 2"),
        ),
        (
            lambda r: [r[0].replace(GENESIS.encode(), b"1" * 64), *r[1:]],
            (1, 1, "record 1 does not continue record 0"),
        ),
        (
            lambda r: [r[0], *r[2:]],
            (2, 3, "record 2 should stand here, not 3: records were removed, moved or repeated"),
        ),
        (
            lambda r: r[1:],
            (1, 2, "record 1 should stand here, not 2: records were removed, moved or repeated"),
        ),
        (
            lambda r: [r[0], r[2], r[1], *r[3:]],
            (2, 3, "record 2 should stand here, not 3: records were removed, moved or repeated"),
        ),
        (
            lambda r: [r[0], r[1], r[1], *r[2:]],
            (3, 2, "record 3 should stand here, not 2: records were removed, moved or repeated"),
        ),
        (lambda r: [r[0], b"junk", *r[2:]], (2, None, "line 2 is no record, and record 3 does not vouch for it")),
        (lambda r: [r[0], b"", *r[1:]], (2, None, "line 2 is no record, and record 2 does not vouch for it")),
    ],
    ids=[
        "edit",
        "edit first",
        "edit last but one",
        "edit prev",
        "edit first prev",
        "remove",
        "behead",
        "reorder",
        "replay",
        "junk",
        "insert",
    ],
)
def test_the_first_bad_record_is_named(tamper: object, expected: tuple[int, int | None, str]) -> None:
    line, seq, why = expected
    found = verify(tamper(chain(5)))  # type: ignore[operator]
    assert not found.ok
    assert found.first_break == ChainBreak(line=line, seq=seq, why=why)


def test_a_cut_at_the_end_needs_the_head_kept_elsewhere() -> None:
    lines = chain(5)
    found = verify(lines[:4])
    assert found.ok
    assert found.head != digest(lines[-1])


def test_a_half_written_line_is_vouched_for_by_the_next_record() -> None:
    lines = chain(2)
    torn = [b'{"apiVersion":"kubectl-st', b'{"api']
    after = seal(event(3), Link(seq=3, prev=digest(lines[1]), torn=digest(b"\n".join(torn)))).line
    assert verify([*lines, *torn]).torn == (3, 4)
    assert verify([*lines, *torn]).ok
    found = verify([*lines, *torn, after])
    assert (found.ok, found.records, found.seq, found.torn) == (True, 3, 3, (3, 4))
    assert verify([*lines, torn[0], after]).first_break == ChainBreak(
        line=3, seq=None, why="line 3 is no record, and record 3 does not vouch for it"
    )
    assert verify([*lines, after]).first_break == ChainBreak(
        line=3, seq=3, why="the half-written line before record 3 is gone"
    )


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        b"[]",
        b'{"seq":1}',
        b'{"seq":"1","prev":"%s"}' % (b"0" * 64),
        b'{"seq":true,"prev":"%s"}' % (b"0" * 64),
        b'{"seq":0,"prev":"%s"}' % (b"0" * 64),
        b'{"seq":1,"prev":"%s"}' % (b"0" * 63),
        b'{"seq":1,"prev":"%s","torn":"x"}' % (b"0" * 64),
        b'{"seq":1,"prev":"%s","user":"\xc3\xa9"}' % (b"0" * 64),
        b"[" * 100_000,
        b'{"seq":' + b"9" * 5000 + b"}",
        b"\x00" * 4096,
    ],
    ids=lambda line: repr(line[:20]),
)
def test_odd_lines_have_no_place_in_the_chain(line: bytes) -> None:
    assert link_of(line) is None
