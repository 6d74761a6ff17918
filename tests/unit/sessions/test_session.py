"""Sessions: identity, validity, and their way through the stored form."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from kubectl_stepup.secret import Secret
from kubectl_stepup.sessions.session import COMMAND_CHARACTERS, from_record, session_id
from kubectl_stepup.sessions.stored_session import Moment
from tests.support.sessions import APPROVED, SESSION, later, session

IDENTITY = {"issuer": "https://i", "client": "c", "account": "a", "cluster": "k", "level": "mfa"}


def test_the_id_is_the_digest_of_the_sorted_compact_json() -> None:
    text = json.dumps({"v": 1, **IDENTITY}, sort_keys=True, separators=(",", ":"))
    assert session_id(**IDENTITY) == hashlib.sha256(text.encode()).hexdigest()[:32]


@pytest.mark.parametrize("name", sorted(IDENTITY))
def test_every_parameter_is_in_the_id(name: str) -> None:
    """CACHE-15."""
    assert session_id(**{**IDENTITY, name: "other"}) != session_id(**IDENTITY)


def test_no_two_parameter_lists_run_together() -> None:
    assert session_id(**{**IDENTITY, "account": 'a","cluster":"k'}) != session_id(**IDENTITY)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"acr": None, "amr": (), "auth_time": None, "ca_sha256": None},
        {"access_token": Secret("opaque-ä")},
        {"tls_server_name": "api", "proxy_url": "http://proxy:8080", "insecure": True},
        {"command": "delete pod 'ä\n\u2028\x1b[31m' \"x\"", "account": "älice\\"},
        {"exec_info": ("a" * 64, "b" * 64, "c" * 64, "d" * 64)},
        {"approved": Moment(wall=1_800_000_000, boottime=5, boot_id="")},
        {"token_expires_at": 1_800_000_900, "reuse_until": 1_800_000_000},
    ],
)
def test_a_record_gives_the_session_back(changes: dict[str, Any]) -> None:
    original = session(**changes)
    assert from_record(original.to_record(), session_id=original.id) == original


def test_a_long_command_is_stored_cut() -> None:
    original = session(command="delete pod " + "x" * 5000)
    found = from_record(original.to_record(), session_id=original.id)
    assert found is not None
    assert len(found.command) == COMMAND_CHARACTERS
    assert found.command.endswith("x…")


def test_the_token_is_in_the_record_once_and_in_no_repr() -> None:
    assert SESSION.to_record().count(SESSION.token.reveal().encode()) == 1
    assert SESSION.token.reveal() not in repr(SESSION)


@pytest.mark.parametrize("parameter", ["issuer", "client", "account", "cluster", "level"])
def test_a_record_of_another_identity_is_refused(parameter: str) -> None:
    """CACHE-15."""
    assert from_record(session(**{parameter: "other"}).to_record(), session_id=SESSION.id) is None


def damaged() -> list[tuple[str, bytes]]:
    """Return records that this program never wrote, each with a name."""
    good = SESSION.to_record()
    token = SESSION.token.reveal().encode()
    swaps: list[tuple[bytes, bytes]] = [
        (b"session 2\n", b"session 1\n"),
        (b"kubectl-stepup", b"kubectl-stepdown"),
        (b"approved=", b"agreed="),
        (b"\n", b"\r\n"),
        (b'"insecure":false', b'"insecure":0'),
        (b'"insecure":false', b'"insecure":false,"more":1'),
        (b'"amr":["pwd","otp"]', b'"amr":"pwd"'),
        (b'"amr":["pwd","otp"]', b'"amr":[1]'),
        (b'"acr":"mfa"', b'"acr":["mfa"]'),
        (b'"auth_time":1799999990', b'"auth_time":true'),
        (b'"token":"' + token + b'"', b'"token":null'),
        (b'"expirationTimestamp":"2027', b'"expirationTimestamp":"2099'),
        (b"until=1800000600.0 ", b"until=1800000600.0 1 "),
        (b"until=1800000600.0 ", b"until=nan "),
        (b"until=1800000600.0 ", b"until=1e999 "),
        (b"until=1800000600.0 ", b"until=soon "),
        (b"exec_info=", b"exec_info=abc"),
        (b"facts={", b"facts=["),
        (b'"v":1}', b'"v":2}'),
    ]
    found = [(f"{old!r} -> {new!r}", good.replace(old, new, 1)) for old, new in swaps]
    assert all(data != good for _, data in found)
    found += [(f"cut at {at}", good[:at]) for at in (0, 1, 24, 60, len(good) // 2, len(good) - 2, len(good) - 1)]
    found += [
        ("longer", good + b"more\n"),
        ("NUL", good + b"\0"),
        ("twice", good * 2),
        ("not ASCII", good.replace(b"mfa", b"mf\xe4")),
        ("a megabyte", b"x" * (1 << 20)),
        ("empty lines", b"\n" * 8),
        ("deep", good.replace(b"facts={", b"facts=" + b"[" * 100_000)),
    ]
    return found


@pytest.mark.parametrize("data", [pytest.param(data, id=name) for name, data in damaged()])
def test_a_damaged_record_is_none(data: bytes) -> None:
    """CACHE-12."""
    assert from_record(data, session_id=SESSION.id) is None


@pytest.mark.parametrize(
    ("changes", "now", "expected"),
    [
        ({}, later(0), True),
        ({}, later(599), True),
        ({}, later(600), False),
        # A token with ten seconds or less to live is of no use.
        ({"reuse_until": 1_800_009_999.0}, later(889), True),
        ({"reuse_until": 1_800_009_999.0}, later(890), False),
        # Set back by NTP, and by hand.
        ({}, later(-4, 1), True),
        ({}, later(-6, 1), False),
        ({}, later(10, 700), False),
        ({}, later(-3600, 3600), False),
        # Set on: the session ends early, which costs one prompt.
        ({}, later(3600, 10), False),
        # Another boot, told by its id or by a clock that began anew.
        ({}, later(10, 10, "another-boot"), False),
        ({}, later(10, 10, ""), False),
        ({}, later(10, -4000), False),
        # Nothing to reuse: `askAgainAfter: 0s`.
        ({"reuse_until": APPROVED.wall}, later(0), False),
    ],
)
def test_usable(changes: dict[str, Any], now: Moment, expected: bool) -> None:
    """CACHE-13."""
    assert session(**changes).usable(now) is expected


def test_a_process_tree_has_it_as_long_as_the_token() -> None:
    handed = session(reuse_until=APPROVED.wall).for_process_tree()
    assert handed.usable(later(889))
    assert not handed.usable(later(890))
    assert handed.id == SESSION.id
    assert handed.token == SESSION.token


@pytest.mark.parametrize(
    ("reuse_until", "expected"),
    [(1_800_000_600.0, b"2027-01-15T08:10:00Z"), (1_800_009_999.0, b"2027-01-15T08:14:50Z")],
)
def test_the_expiration_timestamp_is_the_first_of_the_two_ends(reuse_until: float, expected: bytes) -> None:
    record = session(reuse_until=reuse_until).to_record()
    assert b'"expirationTimestamp":"' + expected + b'"' in record


def test_a_record_is_small() -> None:
    # The kernel gives a user 20,000 bytes: six sessions with tokens of this size.
    large = session(token=Secret("x" * 1700), exec_info=("a" * 64,) * 4, command="x" * 5000)
    assert len(large.to_record()) < 3000
