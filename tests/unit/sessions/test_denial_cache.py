"""A refusal binds who was part of it, for half a minute."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kubectl_stepup.sessions import denial_cache
from kubectl_stepup.sessions.denial_cache import Denial

ID = "0123456789abcdef0123456789abcdef"
DENIED = Denial(code="denied", message="alice said no", hint="kubectl stepup login", at_boottime=1000.5)


@pytest.mark.parametrize(
    ("started", "now", "for_credential", "expected"),
    [
        # Twenty commands that waited for one prompt.
        (990.0, 1001.0, False, True),
        (1000.5, 1000.5, False, True),
        (990.0, 1030.4, False, True),
        (990.0, 1030.5, False, False),
        # Typed afterwards.
        (1000.6, 1001.0, False, False),
        # kubectl runs its plugin again.
        (1000.6, 1001.0, True, True),
        (1029.0, 1030.4, True, True),
        (1029.0, 1030.5, True, False),
        # Remembered in another boot.
        (10.0, 20.0, True, False),
    ],
)
def test_who_is_bound(started: float, now: float, for_credential: bool, expected: bool, tmp_path: Path) -> None:
    denial_cache.remember(tmp_path, ID, DENIED)
    found = denial_cache.binding(
        tmp_path, ID, process_started_boottime=started, now_boottime=now, for_credential=for_credential
    )
    assert found == (DENIED if expected else None)


EXPIRED = Denial(code="expired", message="code expired", hint=None, at_boottime=1000.0)


def asks_again(directory: Path, after_s: float, *, for_credential: bool = True) -> bool:
    """Whether a process that starts `after_s` seconds after EXPIRED would prompt."""
    now = EXPIRED.at_boottime + after_s
    found = denial_cache.binding(
        directory, ID, process_started_boottime=now, now_boottime=now, for_credential=for_credential
    )
    return found is None


def expire(directory: Path, *at_s: float) -> None:
    for later in at_s:
        denial_cache.remember(directory, ID, replace(EXPIRED, at_boottime=EXPIRED.at_boottime + later))


def test_after_three_unattended_codes_in_a_row_a_plugin_prompts_no_more(tmp_path: Path) -> None:
    """DEV-27: k9s is open, and nobody is there."""
    expire(tmp_path, 0, 1000)
    assert asks_again(tmp_path, 1031)
    expire(tmp_path, 2000)
    assert not asks_again(tmp_path, 2031)
    assert not asks_again(tmp_path, 100_000)


def test_a_person_is_asked_whatever_nobody_answered_before(tmp_path: Path) -> None:
    """DEV-27."""
    expire(tmp_path, 0, 1000, 2000)
    assert asks_again(tmp_path, 2001, for_credential=False)
    denial_cache.forget(tmp_path, ID)
    assert asks_again(tmp_path, 2001)


def test_a_provider_that_fails_in_between_is_no_answer(tmp_path: Path) -> None:
    """CONC-12."""
    expire(tmp_path, 0, 1000)
    denial_cache.remember(tmp_path, ID, replace(EXPIRED, code="provider-unreachable", at_boottime=2500.0))
    assert asks_again(tmp_path, 1531)
    expire(tmp_path, 2000)
    assert not asks_again(tmp_path, 2031)


def test_an_answer_and_another_boot_begin_the_count_anew(tmp_path: Path) -> None:
    """DEV-27: a denial comes from somebody who is there."""
    expire(tmp_path, 0, 1000)
    denial_cache.remember(tmp_path, ID, replace(DENIED, at_boottime=2500.0))
    expire(tmp_path, 2000, 3000)
    assert asks_again(tmp_path, 3031)
    expire(tmp_path, -900, -800)
    assert asks_again(tmp_path, -769)


def binding(directory: Path, session_id: str = ID) -> Denial | None:
    return denial_cache.binding(
        directory, session_id, process_started_boottime=1.0, now_boottime=1001.0, for_credential=True
    )


def test_nothing_is_bound_without_a_refusal(tmp_path: Path) -> None:
    assert binding(tmp_path) is None


def test_another_session_is_not_bound(tmp_path: Path) -> None:
    denial_cache.remember(tmp_path, ID, DENIED)
    assert binding(tmp_path, "f" * 32) is None


def test_the_latest_counts(tmp_path: Path) -> None:
    denial_cache.remember(tmp_path, ID, DENIED)
    latest = replace(DENIED, code="too-weak", message="ä\n", hint=None, at_boottime=1000.75)
    denial_cache.remember(tmp_path, ID, latest)
    assert binding(tmp_path) == latest
    assert [path.name for path in tmp_path.iterdir() if ID in path.name] == [f"{ID}.refusal"]


def test_a_forgotten_refusal_binds_nobody(tmp_path: Path) -> None:
    denial_cache.remember(tmp_path, ID, DENIED)
    denial_cache.forget(tmp_path, ID)
    denial_cache.forget(tmp_path, ID)
    assert binding(tmp_path) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"code": "denied"}',
        b'{"code": 1, "message": "m", "hint": null, "at": 1.0}',
        b'{"code": "c", "message": "m", "hint": 1, "at": 1.0}',
        b'{"code": "c", "message": "m", "hint": null, "at": "1"}',
        b"\xff",
        b"[" * 60_000,
    ],
)
def test_an_unreadable_refusal_binds_nobody(tmp_path: Path, content: bytes) -> None:
    (tmp_path / f"{ID}.refusal").write_bytes(content)
    assert binding(tmp_path) is None


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    denial_cache.remember(tmp_path, ID, DENIED)
    (tmp_path / f"{ID}.refusal").rename(tmp_path / "elsewhere")
    (tmp_path / f"{ID}.refusal").symlink_to(tmp_path / "elsewhere")
    assert binding(tmp_path) is None
