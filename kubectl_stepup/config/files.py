"""Find and read our files (the filesystem), and only those that nobody else could have written.

A config says whom to trust, and a policy what to ask for; whoever can write them can switch both off.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from kubectl_stepup import environment
from kubectl_stepup.config import places
from kubectl_stepup.errors import ConfigError

MAX_BYTES = 1 << 20


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
    """Name the user's config: `--config`, else `$KUBECTL_STEPUP_CONFIG`, else the one in the user's directory."""
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
    """Read a file that only its owner (one of `owners`; by default root and us) can write; None if it does not exist.

    Symbolic links are followed first: the file at their end and its directory are what is checked.

    Raises:
        ConfigError: it is missing though it `must_exist`, is no regular file, or somebody else can write it.

    """
    try:
        target = os.path.realpath(path)
        # NOTE: O_NONBLOCK, or a FIFO that nobody writes would hold us for ever.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(target, flags)
        try:
            # The open file is checked, not its name, which could change between the two.
            _require_trusted(path, target, descriptor, owners)
            with open(descriptor, "rb", closefd=False) as stream:
                data = stream.read(MAX_BYTES + 1)
        finally:
            os.close(descriptor)
    except (FileNotFoundError, NotADirectoryError) as exc:
        if must_exist:
            raise ConfigError(f"{path}: no such file") from exc
        return None
    except OSError as exc:
        raise ConfigError(f"{path}: {(exc.strerror or str(exc)).lower()}") from exc
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_BYTES} bytes")
    return TrustedFile(path=path, data=data)


def _require_trusted(path: str, target: str, descriptor: int, owners: frozenset[int] | None) -> None:
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise ConfigError(f"{path}: not a regular file")
    # NOTE: Windows has no such owner and mode; there %APPDATA% and %PROGRAMDATA% carry the access lists.
    if sys.platform == "win32":
        return
    trusted = frozenset({0, os.geteuid()}) if owners is None else owners
    owner = "$(id -un)" if os.geteuid() in trusted else "root"
    directory = os.path.dirname(target)
    named_in = os.path.dirname(os.path.abspath(path))
    checked = ((target, found), (directory, os.stat(directory)), (named_in, os.stat(named_in)))
    for name, status in checked:
        if status.st_uid not in trusted:
            raise ConfigError(
                f"{path}: {name} belongs to user id {status.st_uid}, who could change it",
                hint=f"sudo chown {owner} {name}",
            )
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise ConfigError(f"{path}: {name} can be changed by other users", hint=f"chmod go-w {name}")
