"""The policy in force: which files it is made of, and their compiled form where it is up to date."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kubectl_stepup.config import files, places
from kubectl_stepup.fastpath import allowed_command
from kubectl_stepup.file_stamp import stamp_of
from kubectl_stepup.policy import compiled_file, published_file
from kubectl_stepup.policy.load import load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_stepup.policy.load import Document
    from kubectl_stepup.policy.model import Policy
    from kubectl_stepup.policy.published import Published


def policy_in_force(environ: Mapping[str, str], named: str | None) -> Policy:
    """Return the policy of the system's file, what clusters publish, and the user's file (`named`) or the default one.

    Raises:
        PolicyError: one of them does not load.
    """
    directory = places.cache_directory(environ, platform=sys.platform)
    sources = None if named is not None else allowed_command.policy_sources(environ)
    if sources is None or directory is None:
        return load(*_files(environ, named), published=_published(environ))
    known_by = stamp_of(sources)
    compiled = compiled_file.read(directory, known_by)
    if compiled is not None:
        return compiled
    published = _published(environ)
    policy = load(*_files(environ, named), published=published)
    if all(one.policy is not None for one in published):  # else the fast path would need what says why
        compiled_file.write(directory, sources, policy, known_by=known_by)
    return policy


def own_policy(environ: Mapping[str, str], named: str | None) -> Policy:
    """Return the policy without what clusters publish: that was made of it.

    Raises:
        PolicyError: a file does not load.
    """
    return load(*_files(environ, named))


def _published(environ: Mapping[str, str]) -> tuple[Published, ...]:
    path = places.published_policies(environ, platform=sys.platform)
    return () if path is None else published_file.read(path)


def _files(environ: Mapping[str, str], named: str | None) -> list[Document | None]:
    pair = files.policy_files(environ, named)
    return [None if file is None else (file.path, file.data) for file in (pair.system, pair.user)]
