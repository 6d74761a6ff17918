"""Only files that nobody else could have written are read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kubectl_stepup.config.files import config_files, config_path, policy_files, read, require_trusted_ca
from kubectl_stepup.errors import ConfigError

NO_SYSTEM = "/does/not/exist/config.yaml"


def write(path: Path, text: str = "a: 1\n", *, mode: int = 0o600, directory_mode: int = 0o700) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    path.parent.chmod(directory_mode)
    return str(path)


@pytest.mark.parametrize(("mode", "directory_mode"), [(0o600, 0o700), (0o644, 0o755), (0o444, 0o555), (0o400, 0o1755)])
def test_a_file_that_only_we_can_write_is_read(tmp_path: Path, mode: int, directory_mode: int) -> None:
    path = write(tmp_path / "d" / "config.yaml", mode=mode, directory_mode=directory_mode)
    found = read(path)
    assert found is not None
    assert (found.path, found.data) == (path, b"a: 1\n")


@pytest.mark.parametrize("mode", [0o602, 0o666, 0o777])
def test_a_file_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    """POL-35."""
    path = write(tmp_path / "d" / "config.yaml", mode=mode)
    with pytest.raises(ConfigError) as caught:
        read(path)
    assert caught.value.message == f"{path}: {path} can be changed by other users"
    assert caught.value.hint == f"chmod go-w {path}"


@pytest.mark.parametrize("mode", [0o707, 0o777])
def test_a_file_in_a_directory_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    """POL-35."""
    path = write(tmp_path / "d" / "config.yaml", directory_mode=mode)
    with pytest.raises(ConfigError) as caught:
        read(path)
    assert caught.value.message == f"{path}: {tmp_path / 'd'} can be changed by other users"
    assert caught.value.hint == f"chmod go-w {tmp_path / 'd'}"


def test_a_file_in_a_directory_for_everybody_is_refused(tmp_path: Path) -> None:
    """POL-35."""
    path = write(tmp_path / "d" / "config.yaml", directory_mode=0o1777)
    with pytest.raises(ConfigError, match=f"{tmp_path / 'd'} can be changed by other users") as caught:
        read(path)
    assert caught.value.hint == f"mv {path} DIRECTORY   (one that nobody else can write)"


def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """POL-35."""
    path = write(tmp_path / "d" / "config.yaml")
    stranger = os.geteuid() + 1
    with pytest.raises(ConfigError) as caught:
        read(path, owners=frozenset({stranger}))
    # The first directory of ours on the way, as nothing of it is the stranger's.
    named, _, rest = caught.value.message.removeprefix(f"{path}: ").partition(" belongs to ")
    assert path.startswith(named)
    assert rest == f"user id {os.geteuid()}, who could change it"
    assert caught.value.hint == f"sudo chown root {named}"


def test_links_are_followed_before_checking(tmp_path: Path) -> None:
    """POL-35."""
    real = write(tmp_path / "dotfiles" / "stepup.yaml")
    link = tmp_path / "config" / "config.yaml"
    link.parent.mkdir(mode=0o700)
    link.symlink_to(real)
    found = read(str(link))
    assert found is not None
    assert (found.path, found.data) == (str(link), b"a: 1\n")
    (tmp_path / "dotfiles").chmod(0o777)
    with pytest.raises(ConfigError, match="dotfiles can be changed by other users"):
        read(str(link))


def test_a_missing_file_is_nothing_unless_it_was_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "config.yaml")
    assert read(missing) is None
    assert read(f"{missing}/under/a/file") is None
    with pytest.raises(ConfigError) as caught:
        read(missing, must_exist=True)
    assert caught.value.message == f"{missing}: no such file"


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir(mode=0o700)
    os.mkfifo(tmp_path / "d" / "pipe")
    for path in (tmp_path / "d", tmp_path / "d" / "pipe"):
        with pytest.raises(ConfigError, match=f"^{path}: not a regular file$"):
            read(str(path))


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "d" / "config.yaml", "#" * (1 << 20) + "#")
    with pytest.raises(ConfigError, match=r"larger than 1048576 bytes$"):
        read(path)


class TestCA:
    """A provider's `caFile` decides who the provider is: it is checked as the config is."""

    def test_a_file_or_directory_that_nobody_else_can_change(self, tmp_path: Path) -> None:
        require_trusted_ca(write(tmp_path / "d/ca.pem", mode=0o644, directory_mode=0o755))
        (tmp_path / "certs").mkdir()
        (tmp_path / "certs/0123abcd.0").symlink_to("../d/ca.pem")
        require_trusted_ca(str(tmp_path / "certs"))
        require_trusted_ca(str(tmp_path / "missing.pem"))  # what reads it says that

    def test_others_could_change_it(self, tmp_path: Path) -> None:
        path = write(tmp_path / "d/ca.pem", mode=0o666)
        with pytest.raises(ConfigError) as caught:
            require_trusted_ca(path)
        assert caught.value.message == f"caFile {path}: {path} can be changed by other users"
        assert caught.value.hint == f"chmod go-w {path}"

    def test_others_could_change_what_a_directory_leads_to(self, tmp_path: Path) -> None:
        path = write(tmp_path / "d/ca.pem", mode=0o666)
        (tmp_path / "certs").mkdir()
        (tmp_path / "certs/0123abcd.0").symlink_to("../d/ca.pem")
        with pytest.raises(ConfigError, match=f"{path} can be changed by other users"):
            require_trusted_ca(str(tmp_path / "certs"))

    def test_a_pipe_is_refused_at_once(self, tmp_path: Path) -> None:
        (tmp_path / "d").mkdir(mode=0o700)
        os.mkfifo(tmp_path / "d/ca.pem", 0o600)
        with pytest.raises(ConfigError, match=r"ca\.pem: not a regular file"):
            require_trusted_ca(str(tmp_path / "d/ca.pem"))

    def test_links_in_a_circle_are_said(self, tmp_path: Path) -> None:
        (tmp_path / "ca.pem").symlink_to("ca.pem")
        with pytest.raises(ConfigError, match="too many levels of symbolic links"):
            require_trusted_ca(str(tmp_path / "ca.pem"))


class TestWhichFile:
    def test_flag_then_variable_then_home(self, tmp_path: Path) -> None:
        environ = {"HOME": str(tmp_path), "KUBECTL_STEPUP_CONFIG": "/from/variable"}
        assert config_path(environ, "/from/flag") == "/from/flag"
        assert config_path(environ, None) == "/from/variable"
        assert config_path({"HOME": "/home/a"}, None) == "/home/a/.config/kubectl-stepup/config.yaml"
        assert config_path({}, None) is None

    def test_nothing_anywhere_is_no_error(self, tmp_path: Path) -> None:
        for environ in ({"HOME": str(tmp_path)}, {}):
            pair = config_files(environ, None, system=NO_SYSTEM)
            assert (pair.system, pair.user) == (None, None)

    def test_both_are_read(self, tmp_path: Path) -> None:
        system = write(tmp_path / "etc" / "config.yaml", "system")
        write(tmp_path / ".config" / "kubectl-stepup" / "config.yaml", "user")
        pair = config_files({"HOME": str(tmp_path)}, None, system=system)
        assert pair.system is not None
        assert pair.user is not None
        assert (pair.system.data, pair.user.data) == (b"system", b"user")

    def test_a_file_that_was_named_must_exist(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"^/no/config\.yaml: no such file$"):
            config_files({"KUBECTL_STEPUP_CONFIG": "/no/config.yaml"}, None, system=NO_SYSTEM)
        with pytest.raises(ConfigError, match=r"^/no/policy\.yaml: no such file$"):
            policy_files({}, "/no/policy.yaml", system=NO_SYSTEM)

    def test_the_policy_has_a_variable_of_its_own(self, tmp_path: Path) -> None:
        path = write(tmp_path / "mine" / "p.yaml", "policy")
        pair = policy_files({"KUBECTL_STEPUP_POLICY": path, "KUBECTL_STEPUP_CONFIG": "/no"}, None, system=NO_SYSTEM)
        assert pair.user is not None
        assert pair.user.data == b"policy"

    def test_the_working_directory_is_not_looked_at(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("config.yaml", "policy.yaml", ".config/kubectl-stepup/config.yaml", "kubectl-stepup/config.yaml"):
            write(tmp_path / name)
        monkeypatch.chdir(tmp_path)
        for environ in ({}, {"HOME": ""}, {"HOME": "."}, {"XDG_CONFIG_HOME": "."}):
            assert config_files(environ, None, system=NO_SYSTEM).user is None
            assert policy_files(environ, None, system=NO_SYSTEM).user is None

    def test_a_relative_path_that_was_named_is_fine(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(tmp_path / "here" / "config.yaml")
        monkeypatch.chdir(tmp_path / "here")
        assert config_files({}, "config.yaml", system=NO_SYSTEM).user is not None

    def test_a_broken_system_file_is_not_passed_over(self, tmp_path: Path) -> None:
        system = write(tmp_path / "etc" / "config.yaml", mode=0o666)
        with pytest.raises(ConfigError, match="can be changed by other users"):
            config_files({}, None, system=system)
