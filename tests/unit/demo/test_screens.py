"""What is read from a screen, and how tables and ages are printed."""

from __future__ import annotations

import pytest

from kubectl_stepup.demo.tables import short_duration
from kubectl_stepup.demo.terminal import PromptSeen, prompt_on, screen_text
from kubectl_stepup.ui.prompt import DevicePrompt, device_prompt


def prompt(*, complete: str | None) -> str:
    return device_prompt(
        DevicePrompt(
            summary="delete pods in prod",
            rules=("prod-deletes",),
            level="mfa",
            cluster="demo",
            server="https://127.0.0.1:6443",
            user="alice",
            command=("delete", "pod", "web-0"),
            verification_uri="https://127.0.0.1:8443/device",
            verification_uri_complete=complete,
            user_code="WDJB-MJHT",
            reuse_s=600,
            browser_note="no graphical display",
        )
    )


@pytest.mark.parametrize("complete", [None, "https://127.0.0.1:8443/device?user_code=WDJB-MJHT"])
def test_a_person_reads_address_and_code_from_the_prompt(complete: str | None) -> None:
    address = complete or "https://127.0.0.1:8443/device"
    seen = PromptSeen(verification_uri=address, user_code="WDJB-MJHT")
    assert prompt_on(prompt(complete=complete) + "\nWaiting") == seen


def test_half_a_prompt_is_no_prompt() -> None:
    whole = prompt(complete=None)
    until = whole.index("WDJB-MJHT") + 4
    assert prompt_on(whole[:until]) is None
    assert prompt_on("NAME READY\nweb-0 1/1\n") is None


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"a\r\nb\r\n", "a\nb\n"),
        (b"15:00 left\r14:59 left\r\ndone\r\n", "14:59 left\ndone\n"),
        (b"\x1b[1mbold\x1b[0m \x1b]8;;https://x\x1b\\link\x1b]8;;\x07", "bold link"),
        (b"waiting\r\x1b[2K\r\nnext", "waiting\nnext"),
        (b"bell\x07 trailing   \r\n", "bell trailing\n"),
    ],
)
def test_a_screen_is_read_as_it_looks(data: bytes, text: str) -> None:
    assert screen_text(data) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (200, "3m20s"),
        (600, "10m"),
        (10_799, "179m"),
        (10_800, "3h"),
        (18_180, "5h3m"),
        (28_800, "8h"),
        (172_799, "47h"),
        (172_800, "2d"),
        (180_000, "2d2h"),
        (700_000, "8d"),
    ],
)
def test_ages_as_kubectl_prints_them(seconds: int, text: str) -> None:
    assert short_duration(seconds) == text
