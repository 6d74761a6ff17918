"""The input that was read to evaluate a command: kubectl gets the same bytes, whatever changed since."""

from __future__ import annotations

from kubectl_stepup.values import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

SOURCES = ("filename", "kustomize", "recursive")
"""The flags that say where manifests are."""


class CapturedInput(Record):
    """The inputs of a command.

    `stdin`: standard input in pieces, where it was read. `objects`: the objects of files, directories, pipes and
    addresses as kubectl itself printed them, JSON values one after another. `streams`: where there are no such objects,
    what was read from pipes that cannot be read again, one for each `-f`, None for what is no pipe.
    """

    stdin: Iterable[bytes] | None = None
    objects: bytes | None = None
    streams: tuple[bytes | None, ...] = ()


NOTHING = CapturedInput()
