"""Find and read our files (the filesystem), and only those that nobody else could have written.

A config says whom to trust, and a policy what to ask for; whoever can write them can switch both off.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from kubectl_stepup import environment, trusted_file
from kubectl_stepup.config import places
from kubectl_stepup.errors import ConfigError

MAX_BYTES = 1 << 20
_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")
"""How OpenSSL names the certificates that it looks for in a directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedFile:
    """A file of ours that was read; `path` is as it was named, for messages."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePair:
    """The system's file and the user's; None: there is none."""

    system: TrustedFile | None
    user: TrustedFile | None


def config_path(environ: Mapping[str, str], flag: str | None) -> str | None:
    """Return the user's config: `--config`, else `$KUBECTL_STEPUP_CONFIG`, else the one in the user's directory."""
    return flag or environ.get(environment.CONFIG) or places.user_config(environ, platform=sys.platform)


def config_files(environ: Mapping[str, str], flag: str | None, *, system: str | None = None) -> FilePair:
    """Read the config files; the user's may be missing only where neither `flag` nor the variable names it.

    `system` stands for the system's file in tests.

    Raises:
        ConfigError: a named file is missing, or a file is not to be trusted.

    """
    return FilePair(
        system=_system_file(system, places.system_config(environ, platform=sys.platform)),
        user=_user_file(flag or environ.get(environment.CONFIG), places.user_config(environ, platform=sys.platform)),
    )


def policy_files(environ: Mapping[str, str], flag: str | None, *, system: str | None = None) -> FilePair:
    """Read the policy files, as `config_files` does with `$KUBECTL_STEPUP_POLICY`.

    Raises:
        ConfigError: a named file is missing, or a file is not to be trusted.

    """
    return FilePair(
        system=_system_file(system, places.system_policy(environ, platform=sys.platform)),
        user=_user_file(flag or environ.get(environment.POLICY), places.user_policy(environ, platform=sys.platform)),
    )


def _system_file(stand_in: str | None, default: str | None) -> TrustedFile | None:
    if stand_in is not None:
        return read(stand_in)
    return None if default is None else read(default, owners=frozenset({0}))


def _user_file(named: str | None, default: str | None) -> TrustedFile | None:
    if named:
        return read(named, must_exist=True)
    return None if default is None else read(default)


def read(path: str, *, must_exist: bool = False, owners: frozenset[int] | None = None) -> TrustedFile | None:
    """Read a file that nobody but its owner (one of `owners`; by default root and us) can replace; None: there is none.

    Raises:
        ConfigError: it is missing though it `must_exist`, is no regular file, or somebody else can replace it.

    """
    data = trusted_file.read(path, most=MAX_BYTES, must_exist=must_exist, owners=owners)
    return None if data is None else TrustedFile(path=path, data=data)


def require_trusted_ca(path: str) -> None:
    """Refuse a provider's `caFile`, a file or a directory of them, that somebody else can replace.

    Whoever can is the provider. One that does not exist is left to what reads it.

    Raises:
        ConfigError: somebody else can, or it is neither a regular file nor a directory.

    """
    try:
        found = [path]
        if os.path.isdir(path):
            found += [os.path.join(path, name) for name in sorted(os.listdir(path)) if _HASHED.fullmatch(name)]
        for name in found:
            fault = trusted_file.untrusted(name)
            if fault is not None:
                raise ConfigError(f"caFile {path}: {fault}", hint=fault.hint)
            if not _is_file_or_directory(name):
                raise ConfigError(f"caFile {path}: {name}: not a regular file")
    except (OSError, ValueError) as exc:
        raise ConfigError(f"caFile {path}: {(getattr(exc, 'strerror', None) or str(exc)).lower()}") from exc


def _is_file_or_directory(path: str) -> bool:
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return True
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)
