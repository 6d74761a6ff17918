"""What clusters published, kept from one step-up to the next (filesystem, JSON): one file for all of them.

It decides whether somebody is asked, so it is read like a policy: a file that nobody else can replace, or not at all.
What one cluster published never makes the others' unreadable: a text that is no policy stands for that cluster alone,
and none is so long that the others have no room.
"""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from kubectl_stepup import trusted_file
from kubectl_stepup.errors import PolicyError, PolicyTooNew
from kubectl_stepup.policy.document import policy_from
from kubectl_stepup.policy.published import Published
from kubectl_stepup.strict_json import json_object
from kubectl_stepup.yaml_edit import edited_file, yaml_file

if TYPE_CHECKING:
    from kubectl_stepup.clock import Clock
    from kubectl_stepup.policy.model import Policy

LARGEST_TEXT = 256 << 10
"""So many bytes of the file may be one cluster's: 15 of the largest fit."""

_LARGEST = 4 << 20


def read(path: str) -> tuple[Published, ...]:
    """Return what was kept, by the clusters' names; of one that cannot be used, why.

    Raises:
        PolicyError: the file is not ours, or is damaged: what a cluster asked for must not be forgotten in silence.
    """
    data = trusted_file.read(path, most=_LARGEST, error=PolicyError)
    return tuple(_published(cluster, text) for cluster, text in sorted(_texts(data, path).items()))


def _published(cluster: str, text: str) -> Published:
    try:
        return Published(cluster=cluster, policy=parsed(text, cluster))
    except PolicyError as exc:
        return Published(
            cluster=cluster,
            policy=None,
            problem=exc.message,
            hint=exc.hint or f"kubectl stepup policy forget --cluster {shlex.quote(cluster)}",
            too_new=isinstance(exc, PolicyTooNew),
        )


def parsed(text: str, cluster: str) -> Policy:
    """Read a published policy.

    Raises:
        PolicyError: it is none, or one for later versions of this program.
    """
    return policy_from(yaml_file.parse(text.encode(), f"{cluster} (published)", error=PolicyError), published=True)


def keep(path: str, cluster: str, text: str | None, *, clock: Clock) -> bool:
    """Keep what a cluster publishes now, None: nothing any more; return whether that is new.

    Raises:
        PolicyError: it cannot be written, or is too long to be kept beside the others'.
    """
    if text is not None and len(json.dumps(text)) > LARGEST_TEXT:
        raise PolicyError(f"{cluster} (published): longer than {LARGEST_TEXT >> 10} KiB")

    def with_text(kept: dict[str, str]) -> dict[str, str]:
        others = {name: one for name, one in kept.items() if name != cluster}
        return others if text is None else {**others, cluster: text}

    known = _texts(edited_file.read(path, error=PolicyError), path)
    if with_text(known) == known:  # nothing is written where there is nothing to keep
        return False

    def edited(before: bytes | None) -> bytes:
        data = json.dumps(with_text(_texts(before, path)), sort_keys=True).encode("ascii")
        if text is not None and len(data) > _LARGEST:  # nobody could read it any more
            raise PolicyError(
                f"{cluster} (published): no room beside what other clusters published, {_LARGEST >> 20} MiB in all",
                hint="kubectl stepup policy forget --all",
            )
        return data

    return edited_file.change(path, edited, clock=clock, error=PolicyError)


def forget(path: str, cluster: str | None, *, clock: Clock) -> tuple[str, ...]:
    """Forget what a cluster published, None: what every cluster did; return the names of those that had something.

    Raises:
        PolicyError: the file cannot be read or written. A damaged one can be forgotten as a whole.
    """
    forgotten: tuple[str, ...] = ()

    def without(before: bytes | None) -> bytes:
        nonlocal forgotten
        try:
            kept = _texts(before, path)
        except PolicyError:
            if cluster is not None:
                raise
            kept = {}
        forgotten = tuple(sorted(name for name in kept if cluster in (None, name)))
        return json.dumps({name: kept[name] for name in kept if name not in forgotten}, sort_keys=True).encode("ascii")

    if edited_file.read(path, error=PolicyError) is None:
        return ()
    edited_file.change(path, without, clock=clock, error=PolicyError)
    return forgotten


def _texts(data: bytes | None, path: str) -> dict[str, str]:
    if not data:
        return {}
    try:
        kept = json_object(data, any_text=True)
        if not all(isinstance(text, str) for text in kept.values()):
            raise ValueError("is not a mapping of texts")
    except ValueError as exc:
        raise PolicyError(f"{path}: damaged: {exc}", hint="kubectl stepup policy forget --all") from exc
    return kept
