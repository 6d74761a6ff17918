"""Who can replace a file: every directory and link on the way to it, owners, groups with nobody else in them."""

from __future__ import annotations

import grp
import os
import pwd
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kubectl_stepup import trusted_file
from kubectl_stepup.errors import ConfigError
from kubectl_stepup.trusted_file import read, untrusted

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="files of other users are made by root")
STRANGER = 12345


def made(path: Path, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("a: 1\n")
    path.chmod(mode)
    return path


def named(path: Path | str, **how: Any) -> str | None:
    found = untrusted(str(path), **how)
    return None if found is None else found.path


def read_text(path: Path | str) -> bytes | None:
    return read(str(path), most=1000)


Group = Callable[[str, list[str]], None]


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> Group:
    """Let every group have this name and these members, on a machine that asks a directory service."""

    def has(name: str, members: list[str]) -> None:
        monkeypatch.setattr(grp, "getgrgid", lambda _: SimpleNamespace(gr_name=name, gr_mem=members))
        monkeypatch.setattr(trusted_file, "_is_first_group_of_others", lambda *_: False)
        monkeypatch.setattr(trusted_file, "_are_all_users_local", lambda: False)

    return has


class TestTheWay:
    """Whoever can replace a directory or a link on the way can replace the file."""

    @pytest.mark.parametrize("open_one", ["a", "a/b", "a/b/c", "a/b/c/file"])
    def test_everything_on_the_way_counts(self, tmp_path: Path, open_one: str) -> None:
        file = made(tmp_path / "a/b/c/file")
        assert named(file) is None
        (tmp_path / open_one).chmod(0o777)
        assert named(file) == str(tmp_path / open_one)
        with pytest.raises(ConfigError, match=f"{open_one} can be changed by other users"):
            read_text(file)

    @pytest.mark.parametrize("open_one", ["links", "a", "a/b"])
    def test_the_directory_of_every_link_counts(self, tmp_path: Path, open_one: str) -> None:
        made(tmp_path / "a/b/file")
        (tmp_path / "links").mkdir()
        (tmp_path / "links/to").symlink_to("../a/b")
        link = tmp_path / "links/file"
        link.symlink_to("to/file")
        assert named(link) is None
        assert read_text(link) == b"a: 1\n"
        (tmp_path / open_one).chmod(0o777)
        assert named(link) == str(tmp_path / open_one)

    def test_a_way_up_is_followed_where_the_link_leads(self, tmp_path: Path) -> None:
        made(tmp_path / "real/file")
        (tmp_path / "real/sub").mkdir()
        (tmp_path / "link").symlink_to("real/sub")
        assert read_text(f"{tmp_path}/link/../file") == b"a: 1\n"
        (tmp_path / "real").chmod(0o777)
        assert named(f"{tmp_path}/link/../file") == str(tmp_path / "real")

    def test_what_is_not_there_yet_ends_the_way(self, tmp_path: Path) -> None:
        assert named(tmp_path / "no/such/file") is None
        tmp_path.chmod(0o777)
        assert named(tmp_path / "no/such/file") == str(tmp_path)
        assert read_text(tmp_path / "no/such/file") is None

    def test_links_in_a_circle_end(self, tmp_path: Path) -> None:
        (tmp_path / "one").symlink_to("two")
        (tmp_path / "two").symlink_to("one")
        with pytest.raises(ConfigError, match="too many levels of symbolic links"):
            read_text(tmp_path / "one")

    def test_a_relative_path_begins_where_we_are(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        made(tmp_path / "here/file")
        monkeypatch.chdir(tmp_path / "here")
        assert read_text("file") == b"a: 1\n"
        (tmp_path / "here").chmod(0o777)
        assert named("file") == str(tmp_path / "here")

    def test_a_pipe_that_nobody_writes_does_not_hold_us(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe", 0o600)
        with pytest.raises(ConfigError, match="not a regular file"):
            read_text(tmp_path / "pipe")

    def test_a_file_may_not_be_larger_than_it_may(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="larger than 3 bytes"):
            read(str(made(tmp_path / "file")), most=3)


class TestSticky:
    """Where only its owner can remove a file, others can still put a hard link to one of ours."""

    def test_a_directory_of_ours_in_it_stays(self, tmp_path: Path) -> None:
        file = made(tmp_path / "shared/mine/file")
        (tmp_path / "shared").chmod(0o1777)
        assert named(file) is None

    def test_a_file_or_link_in_it_is_accepted_where_that_is_asked_for(self, tmp_path: Path) -> None:
        file = made(tmp_path / "shared/file")
        link = tmp_path / "shared/link"
        link.symlink_to(made(tmp_path / "elsewhere/file"))
        (tmp_path / "shared").chmod(0o1777)
        for path in (file, link, f"{tmp_path}/shared/../shared/file"):
            assert named(path) == str(tmp_path / "shared")
            assert named(path, sticky=True) is None


class TestOwner:
    @as_root
    @pytest.mark.parametrize("other", ["a", "a/b", "a/b/file", "a/link"])
    def test_another_owner_on_the_way_is_named(self, tmp_path: Path, other: str) -> None:
        made(tmp_path / "a/b/file")
        link = tmp_path / "a/link"
        link.symlink_to("b/file")
        os.chown(tmp_path / other, STRANGER, STRANGER, follow_symlinks=False)
        found = untrusted(str(link))
        assert found is not None
        assert str(found) == f"{tmp_path / other} belongs to user id {STRANGER}, who could change it"

    @as_root
    def test_a_link_of_another_in_a_sticky_directory_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "shared").mkdir()
        (tmp_path / "shared/link").symlink_to(made(tmp_path / "file"))
        (tmp_path / "shared").chmod(0o1777)
        os.chown(tmp_path / "shared/link", STRANGER, STRANGER, follow_symlinks=False)
        assert named(tmp_path / "shared/link", sticky=True) == str(tmp_path / "shared/link")

    def test_the_owner_of_the_root_directory_may_own_directories_above(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As in a user namespace, where the system's directories belong to a user id that stands for all others."""
        file = made(tmp_path / "a/file")
        real = os.stat, os.lstat

        def as_seen(found: os.stat_result, path: object) -> os.stat_result:
            ours = str(path).startswith(str(tmp_path / "a"))
            return os.stat_result((*found[:4], os.geteuid() if ours else 77777, *found[5:]))

        monkeypatch.setattr(os, "stat", lambda path, **how: as_seen(real[0](path, **how), path))
        monkeypatch.setattr(os, "lstat", lambda path: as_seen(real[1](path), path))
        assert named(file) is None
        monkeypatch.setattr(
            os, "lstat", lambda path: as_seen(real[1](path), "" if str(path).endswith("/file") else path)
        )
        assert named(file) == str(file)


class TestGroup:
    """A group may write where nobody but root and us is in it (umask 002 with a group for each user)."""

    GID = 4000

    @pytest.fixture
    def file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A file as an editor saves it with umask 002, and us as `alice`, whose first group it belongs to."""
        us = os.geteuid() or 1000
        monkeypatch.setattr(os, "geteuid", lambda: us)
        monkeypatch.setattr(
            pwd,
            "getpwuid",
            lambda uid: SimpleNamespace(pw_name="alice" if uid else "root", pw_gid=self.GID if uid else 0),
        )
        monkeypatch.setattr(os, "lstat", _with_group(os.lstat, self.GID))
        monkeypatch.setattr(os, "fstat", _with_group(os.fstat, self.GID))
        return made(tmp_path / "d/file", 0o664)

    def test_our_private_group(self, file: Path, group: Group) -> None:
        group("alice", [])
        assert named(file) is None
        file.parent.chmod(0o775)
        assert read_text(file) == b"a: 1\n"

    def test_root_is_not_named_by_a_group_that_is_everybodys_first_one(
        self, file: Path, group: Group, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        group("staff", ["root"])
        assert named(file) is not None

    @pytest.mark.parametrize(("name", "members"), [("alice", []), ("admin", ["alice"]), ("staff", [])])
    def test_our_groups_are_not_roots(
        self, file: Path, group: Group, name: str, members: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The machine's policy is nothing that the user may write."""
        monkeypatch.setattr(os, "lstat", _with_owner(os.lstat, 0))
        group(name, members)
        monkeypatch.setattr(trusted_file, "_are_all_users_local", lambda: name == "alice")
        monkeypatch.setattr(trusted_file, "_is_first_group_of_others", lambda gid, us: us is None and name == "alice")
        assert named(file, owners=frozenset({0})) == str(file)

    def test_a_group_with_us_and_root_alone(self, file: Path, group: Group) -> None:
        group("admin", ["root", "alice"])
        assert named(file) is None

    @pytest.mark.parametrize("members", [["somebody"], ["root", "somebody"]])
    def test_a_group_with_somebody_else(self, file: Path, group: Group, members: list[str]) -> None:
        group("alice", members)
        assert named(file) == str(file)

    @pytest.mark.parametrize("members", [[], ["root"]])
    def test_a_group_that_names_nobody_may_be_everybodys_first_one(
        self, file: Path, group: Group, members: list[str]
    ) -> None:
        """`users` on SUSE, `staff` on macOS."""
        group("users", members)
        assert named(file) == str(file)

    @pytest.mark.parametrize("members", [[], ["root"]])
    def test_an_empty_group_of_a_machine_without_a_directory(
        self, file: Path, group: Group, members: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """`staff`, which /usr/local belongs to on Debian."""
        group("staff", members)
        monkeypatch.setattr(trusted_file, "_are_all_users_local", lambda: True)
        assert named(file) is None
        monkeypatch.setattr(trusted_file, "_is_first_group_of_others", lambda *_: True)
        assert named(file) == str(file)

    @pytest.mark.parametrize(
        ("lines", "local"),
        [
            ([], True),
            (["passwd: files systemd"], True),
            (["# passwd: ldap", "passwd:\tfiles # ldap", "group: files ldap"], True),
            (["passwd: files [success=return] altfiles"], True),
            (["passwd: sss files systemd"], False),
            (["passwd: files ldap"], False),
            (["passwd : compat"], False),
        ],
    )
    def test_where_users_come_from(self, monkeypatch: pytest.MonkeyPatch, lines: list[str], local: bool) -> None:
        monkeypatch.setattr(sys, "platform", "linux")
        monkeypatch.setattr(trusted_file, "_lines", lambda path: lines if path == "/etc/nsswitch.conf" else [])
        assert trusted_file._are_all_users_local() is local
        monkeypatch.setattr(sys, "platform", "darwin")
        assert not trusted_file._are_all_users_local()

    def test_a_group_that_is_also_another_accounts_first_one(
        self, file: Path, group: Group, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        group("admin", ["alice"])
        assert named(file) is None
        monkeypatch.setattr(trusted_file, "_is_first_group_of_others", lambda *_: True)
        assert named(file) == str(file)

    def test_the_first_groups_of_accounts_come_from_the_local_file(self) -> None:
        for line in Path("/etc/passwd").read_text().splitlines():
            name, _, _, gid, *_ = line.split(":")
            assert trusted_file._is_first_group_of_others(int(gid), "nobody-of-this-name") is (name != "root") or (
                gid == "0"
            )
        assert not trusted_file._is_first_group_of_others(987654, None)

    def test_a_group_that_the_system_does_not_know(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def unknown(gid: int) -> object:
            raise KeyError(gid)

        monkeypatch.setattr(grp, "getgrgid", unknown)
        assert named(file) == str(file)

    def test_no_list_of_all_users_is_asked_for(self, file: Path, group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
        def never(*_: object) -> object:
            raise AssertionError("a directory service may take minutes")

        monkeypatch.setattr(pwd, "getpwall", never)
        monkeypatch.setattr(grp, "getgrall", never)
        group("users", [])
        named(file)

    def test_nobody_is_looked_up_where_no_group_can_write(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def never(*_: object) -> object:
            raise AssertionError("looked up")

        for name in ("getgrgid",):
            monkeypatch.setattr(grp, name, never)
        for name in ("getpwuid", "getpwnam"):
            monkeypatch.setattr(pwd, name, never)
        assert named(made(tmp_path / "file", 0o644)) is None

    def test_further_users_with_rights_of_their_own(
        self, file: Path, group: Group, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The group's bits of a file with an access list are the most that any user in the list has."""
        group("alice", [])
        monkeypatch.setattr(os, "listxattr", lambda *_, **__: ["system.posix_acl_access"], raising=False)
        assert named(file) == str(file)

    @as_root
    def test_a_real_access_list(self, file: Path, group: Group) -> None:
        group("alice", [])
        assert named(file) is None
        # Version 2; the owner, one more user (12345), the group, the mask, others.
        entries = [(1, 6, -1), (2, 6, STRANGER), (4, 4, -1), (16, 6, -1), (32, 4, -1)]
        value = b"\x02\0\0\0" + b"".join(
            tag.to_bytes(2, "little") + bits.to_bytes(2, "little") + (who & 0xFFFFFFFF).to_bytes(4, "little")
            for tag, bits, who in entries
        )
        try:
            os.setxattr(file, "system.posix_acl_access", value)
        except OSError as exc:
            pytest.skip(f"no access lists here: {exc}")
        assert stat.S_IMODE(file.stat().st_mode) == 0o664
        assert named(file) == str(file)


def _with_group(call: Callable[..., os.stat_result], gid: int) -> Callable[..., os.stat_result]:
    def answered(path: object, **how: Any) -> os.stat_result:
        found = call(path, **how)
        return os.stat_result((*found[:5], gid, *found[6:]))

    return answered


def _with_owner(call: Callable[..., os.stat_result], uid: int) -> Callable[..., os.stat_result]:
    def answered(path: object, **how: Any) -> os.stat_result:
        found = call(path, **how)
        return os.stat_result((*found[:4], uid, *found[5:]))

    return answered


class TestHints:
    """A hint is what mends it, for whoever sees it."""

    def test_our_own_file(self, tmp_path: Path) -> None:
        path = made(tmp_path / "a b/file", 0o666)
        found = untrusted(str(path))
        assert found is not None
        assert found.hint == f"chmod go-w '{path}'"
        assert subprocess.run(["/bin/sh", "-c", found.hint], check=False).returncode == 0
        assert untrusted(str(path)) is None

    def hint(self, monkeypatch: pytest.MonkeyPatch, *, us: int, owner: int, sudo_uid: str | None = None) -> str:
        """Return the hint for a file of `owner` in a directory of root's."""
        monkeypatch.setattr(os, "geteuid", lambda: us)
        monkeypatch.delenv("SUDO_UID", raising=False)
        if sudo_uid is not None:
            monkeypatch.setenv("SUDO_UID", sudo_uid)

        def status(uid: int, mode: int) -> os.stat_result:
            return os.stat_result((mode, 1, 1, 1, uid, 0, 0, 0, 0, 0))

        steps = [("/", status(0, stat.S_IFDIR | 0o755)), ("/file", status(owner, stat.S_IFREG | 0o644))]
        found = trusted_file._untrusted_of(steps, None)
        assert found is not None
        return found.hint

    def test_a_file_that_was_made_by_another(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.hint(monkeypatch, us=1000, owner=1001) == 'sudo chown "$(id -un)" /file'

    def test_a_link_and_a_directory_further_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 1000)

        def status(mode: int, uid: int = 0) -> os.stat_result:
            return os.stat_result((mode, 1, 1, 1, uid, 0, 0, 0, 0, 0))

        ways = {
            "sudo chown -h root /link": [("/link", status(stat.S_IFLNK | 0o777, 1001)), ("/x", status(stat.S_IFDIR))],
            "sudo chown root /a": [("/a", status(stat.S_IFDIR | 0o755, 1001)), ("/a/b", status(stat.S_IFDIR))],
        }
        for hint, way in ways.items():
            steps = [("/", status(stat.S_IFDIR | 0o755)), *way, ("/a/b/file", status(stat.S_IFREG | 0o644))]
            found = trusted_file._untrusted_of(steps, None)
            assert found is not None
            assert found.hint == hint

    def test_root_by_sudo_with_the_callers_home_does_not_take_the_callers_files(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hint = self.hint(monkeypatch, us=0, owner=1000, sudo_uid="1000")
        assert hint == "run it without sudo, or with files of root's own: sudo -H kubectl stepup ..."

    @pytest.mark.parametrize("sudo_uid", [None, "1001"])
    def test_root_does_not_take_the_files_of_others(
        self, monkeypatch: pytest.MonkeyPatch, sudo_uid: str | None
    ) -> None:
        hint = self.hint(monkeypatch, us=0, owner=1000, sudo_uid=sudo_uid)
        assert hint == "run it as that user: sudo -H -u '#1000' kubectl stepup ..."
