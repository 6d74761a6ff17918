"""A refusal binds who was part of it, for half a minute."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kubectl_stepup.session import refusals
from kubectl_stepup.session.refusals import Refusal

ID = "0123456789abcdef0123456789abcdef"
DENIED = Refusal(code="denied", message="alice said no", hint="kubectl stepup login", at_boottime=1000.5)


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
    refusals.remember(tmp_path, ID, DENIED)
    found = refusals.binding(
        tmp_path, ID, process_started_boottime=started, now_boottime=now, for_credential=for_credential
    )
    assert found == (DENIED if expected else None)


def binding(directory: Path, session_id: str = ID) -> Refusal | None:
    return refusals.binding(
        directory, session_id, process_started_boottime=1.0, now_boottime=1001.0, for_credential=True
    )


def test_nothing_is_bound_without_a_refusal(tmp_path: Path) -> None:
    assert binding(tmp_path) is None


def test_another_session_is_not_bound(tmp_path: Path) -> None:
    refusals.remember(tmp_path, ID, DENIED)
    assert binding(tmp_path, "f" * 32) is None


def test_the_latest_counts(tmp_path: Path) -> None:
    refusals.remember(tmp_path, ID, DENIED)
    latest = replace(DENIED, code="too-weak", message="ä\n", hint=None, at_boottime=1000.75)
    refusals.remember(tmp_path, ID, latest)
    assert binding(tmp_path) == latest
    assert [path.name for path in tmp_path.iterdir() if ID in path.name] == [f"{ID}.refusal"]


def test_a_forgotten_refusal_binds_nobody(tmp_path: Path) -> None:
    refusals.remember(tmp_path, ID, DENIED)
    refusals.forget(tmp_path, ID)
    refusals.forget(tmp_path, ID)
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
    refusals.remember(tmp_path, ID, DENIED)
    (tmp_path / f"{ID}.refusal").rename(tmp_path / "elsewhere")
    (tmp_path / f"{ID}.refusal").symlink_to(tmp_path / "elsewhere")
    assert binding(tmp_path) is None
