"""Who can replace a file that we trust: a config, a policy, a CA, kubectl (filesystem).

The kernel follows a path name by name, so everything on the way counts: each directory, each link, and the file at the
end. Nobody but root and us may own or write any of it.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys

from kubectl_stepup import environment, private_file
from kubectl_stepup.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Step = tuple[str, os.stat_result]

_MOST_LINKS = 40
"""As many as Linux follows."""


class Untrusted:
    """A file, directory or link by which somebody else could replace what a path leads to: `hint` mends it."""

    __slots__ = ("hint", "path", "reason")

    def __init__(self, path: str, reason: str, hint: str) -> None:
        self.path = path
        self.reason = reason
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.path} {self.reason}"


def untrusted(path: str, *, owners: frozenset[int] | None = None, sticky: bool = False) -> Untrusted | None:
    """Find what on the way to `path` somebody other than `owners` (by default root and us) could replace.

    What does not exist yet ends the way. In a sticky directory that others can write nobody else can remove a file of
    ours, but put a hard link to one of our files where none is: that is accepted with `sticky` alone.

    Raises:
        OSError: the path cannot be followed.

    """
    if sys.platform == "win32":  # which has no such owner and mode; its access lists are inherited from the profile
        return None
    steps: list[Step] = []
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        steps.extend(_followed(path))
    return _untrusted_of(steps, owners, sticky=sticky)


def read(
    path: str,
    *,
    most: int,
    error: type[ConfigError] = ConfigError,
    must_exist: bool = False,
    owners: frozenset[int] | None = None,
) -> bytes | None:
    """Read a regular file that nobody but `owners` (by default root and us) can replace; None where there is none.

    Raises: `error` where it is missing though it `must_exist`, cannot be read, is larger than `most`, or is untrusted.
    """
    try:
        data = _read(path, most, error, owners)
    except (FileNotFoundError, NotADirectoryError) as exc:
        if must_exist:
            raise error(f"{path}: no such file") from exc
        return None
    except (OSError, ValueError) as exc:
        raise error(f"{path}: {(getattr(exc, 'strerror', None) or str(exc)).lower()}") from exc
    if len(data) > most:
        raise error(f"{path}: larger than {most} bytes")
    return data


def _read(path: str, most: int, error: type[ConfigError], owners: frozenset[int] | None) -> bytes:
    steps = list(_followed(path)) if sys.platform != "win32" else []
    target = steps[-1][0] if steps else os.path.realpath(path)
    try:
        descriptor = private_file.open_regular(target)
    except private_file.NotPrivateError as exc:
        raise error(f"{path}: not a regular file") from exc
    try:
        found = os.fstat(descriptor)
        # The open file is checked, not its name, which could change between the two.
        fault = _untrusted_of([*steps[:-1], (target, found)], owners) if steps else None
        if fault is not None:
            raise error(f"{path}: {fault}", hint=fault.hint)
        with open(descriptor, "rb", closefd=False) as stream:
            return stream.read(most + 1)
    finally:
        os.close(descriptor)


def _followed(path: str) -> Iterator[Step]:
    """Follow a path as the kernel does; yield every directory and link on the way, and the file at the end.

    Raises:
        OSError: it leads nowhere.

    """
    whole = path if os.path.isabs(path) else os.path.join(os.getcwd(), path)
    at, links, names = "/", 0, _reversed_names(whole)
    yield at, os.stat(at)
    while names:
        name = names.pop()
        if name == "..":
            at = os.path.dirname(at)
            yield at, os.stat(at)
            continue
        here = os.path.join(at, name)
        found = os.lstat(here)
        yield here, found
        if not stat.S_ISLNK(found.st_mode):
            at = here
            continue
        links += 1
        if links > _MOST_LINKS:
            import errno

            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        target = os.readlink(here)
        at = "/" if os.path.isabs(target) else at
        names += _reversed_names(target)


def _reversed_names(path: str) -> list[str]:
    return [name for name in reversed(path.split("/")) if name not in ("", ".")]


def _untrusted_of(steps: Sequence[Step], owners: frozenset[int] | None, *, sticky: bool = False) -> Untrusted | None:
    trusted = frozenset({0, os.geteuid()}) if owners is None else owners
    # Whoever owns the root directory can replace everything: in a user namespace that is not user id 0.
    above = trusted | {steps[0][1].st_uid} if steps else trusted
    last = steps[-1][0] if steps else ""
    for number, (path, found) in enumerate(steps):
        close = path in (last, os.path.dirname(last)) and not stat.S_ISLNK(found.st_mode)
        if found.st_uid not in (trusted if close else above):
            reason = f"belongs to user id {found.st_uid}, who could change it"
            return Untrusted(path, reason, _owner_hint(path, found, trusted, close=close))
        inside = steps[number + 1][1] if number + 1 < len(steps) else None
        if not _is_writable_by_others(path, found, trusted) or _is_kept_by_sticky(found, inside, also_files=sticky):
            continue
        return Untrusted(path, "can be changed by other users", _mode_hint(path, found, last))
    return None


def _is_kept_by_sticky(found: os.stat_result, inside: os.stat_result | None, *, also_files: bool) -> bool:
    """Whether what we look for in a directory stays what it is, as only its owner can remove it (sticky bit)."""
    if not (stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX):
        return False
    return also_files or (inside is not None and stat.S_ISDIR(inside.st_mode))


def _is_writable_by_others(path: str, found: os.stat_result, trusted: frozenset[int]) -> bool:
    if stat.S_ISLNK(found.st_mode):  # whose mode says nothing
        return False
    if found.st_mode & stat.S_IWOTH:
        return True
    if not found.st_mode & stat.S_IWGRP:
        return False
    return _has_access_list(path) or not _is_group_of(trusted, found.st_gid)


def _has_access_list(path: str) -> bool:
    """Whether further users have rights of their own: the group's bits are then the most that any of them has."""
    try:
        return "system.posix_acl_access" in os.listxattr(path, follow_symlinks=False)
    except (AttributeError, OSError):  # the system or the filesystem has none
        return False


def _is_group_of(trusted: frozenset[int], gid: int) -> bool:
    """Whether a group has nobody in it but root and us, as the private groups of users have (umask 002).

    Where we are not among the trusted, as for the machine's own files, nobody but root may be in it.

    A group need not name those whose first group it is. No list of all users is asked for, which a directory service
    may not give, or only slowly: where there is one, a group counts only if it is ours by number and name, or names us.
    """
    import grp

    try:
        group = grp.getgrgid(gid)
    except KeyError:
        return False
    us, own_gid = _account(os.geteuid()) if os.geteuid() in trusted else (None, None)
    root, _ = _account(0)
    if not {*group.gr_mem} <= {us, root}:
        return False
    if gid == 0:
        return True
    is_private = own_gid == gid and group.gr_name == us
    names_us = us != root and us in group.gr_mem
    if not (is_private or names_us or _are_all_users_local()):
        return False
    return not _is_first_group_of_others(gid, us)


def _account(uid: int) -> tuple[str | None, int | None]:
    """Return a user's name and primary group; None twice where the system knows no such user."""
    import pwd

    try:
        found = pwd.getpwuid(uid)
    except KeyError:
        return None, None
    return found.pw_name, found.pw_gid


_USERS = ("/etc/passwd", "/usr/lib/passwd")
_OF_THIS_MACHINE = {"files", "altfiles", "systemd"}
"""The sources of users in nsswitch.conf(5) that are `_USERS`, or give each user a group of their own."""


def _is_first_group_of_others(gid: int, us: str | None) -> bool:
    fields = (line.split(":") for path in _USERS for line in _lines(path))
    return any(len(one) > 3 and one[3] == str(gid) and one[0] not in (us, "root") for one in fields)


def _are_all_users_local() -> bool:
    """Whether no directory service can know users that the files of this machine do not."""
    if sys.platform != "linux":
        return False
    sources = [
        line.partition(":")[2] for line in _lines("/etc/nsswitch.conf") if line.split(":")[0].strip() == "passwd"
    ]
    words = " ".join(sources).partition("#")[0].split()
    return {word for word in words if not word.startswith("[")} <= _OF_THIS_MACHINE


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []


def _owner_hint(path: str, found: os.stat_result, trusted: frozenset[int], *, close: bool) -> str:
    import shlex

    us = os.geteuid()
    chown = "sudo chown -h" if stat.S_ISLNK(found.st_mode) else "sudo chown"
    if us not in trusted:  # the machine's own file
        return f"{chown} root {shlex.quote(path)}"
    if us != 0:  # a directory further up may be others' as well
        owner = '"$(id -un)"' if close else "root"
        return f"{chown} {owner} {shlex.quote(path)}"
    if os.environ.get(environment.SUDO_UID) == str(found.st_uid):
        return "run it without sudo, or with files of root's own: sudo -H kubectl stepup ..."
    return f"run it as that user: sudo -H -u '#{found.st_uid}' kubectl stepup ..."


def _mode_hint(path: str, found: os.stat_result, file: str) -> str:
    import shlex

    if stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX:  # made for everybody, as /tmp is
        return f"mv {shlex.quote(file)} DIRECTORY   (one that nobody else can write)"
    return f"{'' if os.geteuid() in (0, found.st_uid) else 'sudo '}chmod go-w {shlex.quote(path)}"
