"""A directory as a .tar.gz that Krew unpacks and that is the same on every run.

Krew refuses anything but regular files and directories. Same tree, same bytes: sorted names, one time for all, no
owner, no name and no time in the gzip header.
"""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TIME = 315532800
"""1980-01-01, the earliest time that every unpacker can hold."""


def without_links(root: Path) -> None:
    """Replace every symbolic link below `root` by its target.

    Raises ValueError where a link leaves the tree, or points at a directory or at nothing.
    """
    resolved_root = root.resolve()
    for path in sorted(root.rglob("*")):
        if path.is_symlink():
            target = path.resolve()
            if not target.is_file() or not target.is_relative_to(resolved_root):
                raise ValueError(f"{path} links to {target}: not a file inside the archive")
            data, mode = target.read_bytes(), target.stat().st_mode
            path.unlink()
            path.write_bytes(data)
            path.chmod(mode)


def without_times(archive: Path) -> None:
    """Write a zip file again, members sorted and each with the earliest time, so that it is the same on every run."""
    with zipfile.ZipFile(archive) as old:
        members = [(name, old.getinfo(name).compress_type, old.read(name)) for name in sorted(old.namelist())]
    with zipfile.ZipFile(archive, "w") as new:
        for name, compression, data in members:
            entry = zipfile.ZipInfo(name)
            entry.compress_type, entry.external_attr = compression, 0o644 << 16
            new.writestr(entry, data)


def write(root: Path, archive: Path, *, time: int = TIME) -> str:
    """Pack `root` and return the archive's sha256 in hexadecimal.

    The names start with no directory of their own: Krew gives every version one, and looks for the licence there.

    Raises ValueError for a symbolic link or anything else that is no file or directory.
    """
    paths = sorted(root.rglob("*"), key=lambda one: one.relative_to(root).parts)
    with (
        archive.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=9) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in paths:
            add(tar, path, path.relative_to(root).as_posix(), time)
    return hashlib.sha256(archive.read_bytes()).hexdigest()


def add(tar: tarfile.TarFile, path: Path, name: str, time: int) -> None:
    """Add one entry with nothing of this machine in it."""
    if path.is_symlink() or not (path.is_file() or path.is_dir()):
        raise ValueError(f"{path} is neither a regular file nor a directory")
    entry = tarfile.TarInfo(name)
    entry.mtime = time
    if path.is_dir():
        entry.type, entry.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(entry)
        return
    entry.mode = 0o755 if path.stat().st_mode & 0o111 else 0o644
    entry.size = path.stat().st_size
    with path.open("rb") as data:
        tar.addfile(entry, data)
