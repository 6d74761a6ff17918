"""The kubeconfig reader: any bytes are a kubeconfig, or an error that names file and line; contexts resolve."""

from __future__ import annotations

import marshal
import os
import tempfile
import tracemalloc
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_stepup.errors import KubeconfigError
from kubectl_stepup.kubeconfig import config_v1, load
from kubectl_stepup.kubeconfig.names_cache import without_credentials
from kubectl_stepup.kubeconfig.overlay import overlay_document
from tests.fuzz.policy import shape
from tests.fuzz.unusual_yaml import damaged
from tests.grammar.choices import chance, pick
from tests.support.unusual_kubeconfigs import KEYS
from tests.support.unusual_kubeconfigs import kubeconfig as made

if TYPE_CHECKING:
    from typing import Any

    from tests.fuzz.watch import Watch
    from tests.grammar.choices import Bytes

FACTOR, ROOM = 200, 4 << 20
"""So many bytes of memory for each byte of a file, and so many more, are enough for any."""


def one(choices: Bytes, watch: Watch) -> str:
    """Read one file, and follow all of its contexts."""
    data = _content(choices)
    found = watch.decision(lambda: _read(data), long=len(data) > 10_000, of_bytes=len(data))
    if chance(choices, 16):
        _require_little_memory(data)
    if isinstance(found, str):
        return found
    marshal.dumps(found)
    names = without_credentials(found)
    assert names is None or set(names) == {*found, "users"}, "something else than credentials was left out"
    return " ".join(sorted({_followed(name, data) for name in [*_names(found), "nowhere"][:5]}))


def _read(data: bytes) -> dict[str, Any] | str:
    try:
        return config_v1.parse(data, "config")
    except KubeconfigError as exc:
        return shape(exc.message, "config")


def _names(found: dict[str, Any]) -> list[str]:
    return [entry.get("name", "") for entry in found.get("contexts", ())]


def _followed(name: str, data: bytes) -> str:
    """Resolve a context through a real file, and write the overlay of an elevated run."""
    file = _directory() / "config"
    file.write_bytes(data)
    try:
        resolved = load.load({"KUBECONFIG": str(file)}, None).resolve(name)
    except KubeconfigError:
        return "no context" if name == "nowhere" else "not resolved"
    overlay_document(resolved, user_name="stepup:mfa", exec_command="x", exec_args=())
    return "resolved"


@cache
def _directory() -> Path:
    return Path(os.path.realpath(tempfile.mkdtemp(prefix="stepup-fuzz-")))


def _require_little_memory(data: bytes) -> None:
    tracemalloc.start()
    try:
        _read(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < ROOM + FACTOR * len(data), f"{peak} bytes of memory for {len(data)}"


def _content(choices: Bytes) -> bytes:
    kind = choices.below(8)
    if kind == 0:
        return bytes(choices.below(256) for _ in range(choices.below(200)))
    if kind < 3:
        return damaged(choices, made(choices).decode("utf-8", "replace")[:50_000], KEYS)
    return (
        made(choices) if kind < 7 else pick(choices, (b"[", b"{a: ", b"- ", b"? ")) * pick(choices, (99, 101, 50_000))
    )
