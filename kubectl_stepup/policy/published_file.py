"""What clusters published, kept from one step-up to the next (filesystem, JSON): one file for all of them.

It decides whether somebody is asked, so it is read like a policy: a file that nobody else can replace, or not at all.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kubectl_stepup import trusted_file
from kubectl_stepup.documents import edited_file, yaml_file
from kubectl_stepup.errors import PolicyError
from kubectl_stepup.policy.document import policy_from
from kubectl_stepup.policy.published import Published

if TYPE_CHECKING:
    from kubectl_stepup.clock import Clock
    from kubectl_stepup.policy.model import Policy

_LARGEST = 4 << 20


def read(path: str) -> tuple[Published, ...]:
    """Give what was kept, by the clusters' names.

    Raises:
        PolicyError: the file is not ours, or is damaged: what a cluster asked for must not be forgotten in silence.
    """
    data = trusted_file.read(path, most=_LARGEST, error=PolicyError)
    return tuple(
        Published(cluster=cluster, policy=parsed(text, cluster)) for cluster, text in sorted(_texts(data, path).items())
    )


def parsed(text: str, cluster: str) -> Policy:
    """Read a published policy.

    Raises:
        PolicyError: it is none, or one for later versions of this program.
    """
    return policy_from(yaml_file.parse(text.encode(), f"{cluster} (published)", error=PolicyError))


def keep(path: str, cluster: str, text: str | None, *, clock: Clock) -> bool:
    """Keep what a cluster publishes now, None: nothing any more; tell whether that is new.

    Raises:
        PolicyError: it cannot be written.
    """

    def with_text(kept: dict[str, str]) -> dict[str, str]:
        others = {name: one for name, one in kept.items() if name != cluster}
        return others if text is None else {**others, cluster: text}

    known = _texts(edited_file.read(path, error=PolicyError), path)
    if with_text(known) == known:  # nothing is written where there is nothing to keep
        return False
    return edited_file.change(
        path,
        lambda before: json.dumps(with_text(_texts(before, path)), sort_keys=True).encode("ascii"),
        clock=clock,
        error=PolicyError,
    )


def _texts(data: bytes | None, path: str) -> dict[str, str]:
    if not data:
        return {}
    try:
        kept = json.loads(data)
        if not isinstance(kept, dict) or not all(isinstance(text, str) for text in kept.values()):
            raise ValueError("not a mapping of texts")
    except (ValueError, RecursionError) as exc:
        raise PolicyError(f"{path}: damaged: {exc}", hint=f"rm {path}") from exc
    return kept
