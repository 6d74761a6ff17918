"""Which store `store:` means, and what is said when it cannot be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubectl_stepup.errors import StoreUnavailable, UsageError
from kubectl_stepup.sessions.stores.choose import ChosenStore, choose
from kubectl_stepup.sessions.stores.interface import SessionStore
from kubectl_stepup.sessions.stores.memory import MemoryStore
from tests.support.clock import StillClock


class Named(MemoryStore):
    """A store with a name."""

    def __init__(self, name: str) -> None:
        super().__init__(now=StillClock().now)
        self.name = name


def chosen(name: str, tmp_path: Path, *, platform: str, working: str) -> ChosenStore:
    """Choose where only the stores named in `working` can be opened."""

    def open_or_fail(kind: str) -> SessionStore:
        if kind in working:
            return Named(kind)
        raise StoreUnavailable(f"no {kind} here")

    return choose(
        name,
        state_directory=tmp_path,
        environ={},
        platform=platform,
        now=StillClock().now,
        kernel=lambda: open_or_fail("kernel"),
        keyring=lambda: open_or_fail("keyring"),
    )


NOTICE = "Not remembering the step-up after this command: "


@pytest.mark.parametrize(
    ("name", "platform", "working", "store", "notice"),
    [
        ("auto", "linux", "kernel keyring", "kernel", None),
        ("auto", "linux", "keyring", "keyring", None),
        ("auto", "linux", "", "memory", f"{NOTICE}no kernel here; no keyring here"),
        ("auto", "darwin", "kernel keyring", "keyring", None),
        ("auto", "darwin", "", "memory", f"{NOTICE}no keyring here"),
        ("kernel", "linux", "keyring", "memory", f"{NOTICE}no kernel here"),
        ("keyring", "linux", "kernel", "memory", f"{NOTICE}no keyring here"),
        ("keyring", "linux", "kernel keyring", "keyring", None),
        ("kernel", "linux", "kernel", "kernel", None),
        ("memory", "linux", "kernel", "memory", None),
        ("file", "linux", "kernel", "file", None),
    ],
)
def test_choose(name: str, platform: str, working: str, store: str, notice: str | None, tmp_path: Path) -> None:
    """CACHE-01."""
    found = chosen(name, tmp_path, platform=platform, working=working)
    assert (found.store.name, found.notice) == (store, notice)


def test_an_unknown_store_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^store 'disk' is none of auto, keyring, kernel, memory, file$"):
        choose("disk", state_directory=tmp_path, environ={})


def test_files_lie_below_the_state_directory(tmp_path: Path) -> None:
    found = chosen("file", tmp_path, platform="linux", working="")
    found.store.put("kubectl-stepup:x:user", b"x", StillClock().now() + 60)
    assert (tmp_path / "sessions").is_dir()
