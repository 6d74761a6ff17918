"""The compiled policy on disk (filesystem): read where it was made from exactly the file that is there now.

What a policy file is known by - path, inode, times, size, owner and mode, those of its directory too - was the same
when the ordinary path loaded it, trust checks included; any change of them leads back to it.
"""

from __future__ import annotations

from kubectl_stepup import cache_file
from kubectl_stepup.file_stamp import stamp_of
from kubectl_stepup.policy.compiled import pack, unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_stepup.file_stamp import Stamp
    from kubectl_stepup.policy.model import Policy

NAME = "policy.compiled-2"
"""Another one for each form, and for each change of what the words of a policy mean."""


def read(directory: str, stamp: Stamp) -> Policy | None:
    """Return the policy compiled from the files of this stamp (file_stamp.py); None where it must be loaded anew."""
    try:
        known, packed = cache_file.read(directory, NAME) or (None, None)
        return unpack(packed) if known == stamp else None
    except (ValueError, TypeError, IndexError):
        return None


def write(directory: str, sources: Sequence[str], policy: Policy, *, known_by: Stamp) -> None:
    """Keep the policy that was loaded from `sources`; where that cannot be, the next command loads it again.

    `known_by` was taken before they were read: a file that changed meanwhile is not the one that was loaded.
    """
    if known_by == stamp_of(sources):
        cache_file.write(directory, NAME, (known_by, pack(policy)))
