from __future__ import annotations

import json
from pathlib import Path

import pytest

from kubectl_stepup.config.model import Config
from kubectl_stepup.errors import ConfigError
from kubectl_stepup.stepup.app import App
from kubectl_stepup.stepup.options import Settings
from kubectl_stepup.stepup.own_programs import credential_command
from kubectl_stepup.stepup.setup import FileChange
from kubectl_stepup.stepup.setup_files import carry_out, enrol_ports
from tests.flows import CLUSTER


def test_the_config_is_the_one_that_is_named_else_the_users(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    assert enrol_ports(App(Settings(), home)).config_path == str(tmp_path / ".config/kubectl-stepup/config.yaml")
    named = str(tmp_path / "named.yaml")
    ports = enrol_ports(App(Settings(config=named), home))
    assert (ports.config_path, ports.credential_command) == (named, credential_command())


def test_without_a_home_there_is_no_place_for_it() -> None:
    with pytest.raises(ConfigError) as caught:
        enrol_ports(App(Settings(), {}))
    assert caught.value.message == "there is no place for the config: neither HOME nor XDG_CONFIG_HOME is set"


def test_changes_are_made_from_the_file_as_it_then_is(tmp_path: Path) -> None:
    app = App(Settings(), {"HOME": str(tmp_path / "home")})
    path = tmp_path / "file"
    change = FileChange(path=str(path), before=b"a\n", after=b"a\nnew\n", edit=lambda data: (data or b"") + b"new\n")
    path.write_bytes(b"a\nmeanwhile\n")
    carry_out(app, [change], CLUSTER, Config(), removed=False)
    carry_out(app, [], CLUSTER, Config(), removed=True)
    assert path.read_bytes() == b"a\nmeanwhile\nnew\n"
    records = [json.loads(record.line) for record in app.audit.read()]
    assert [(found["activity"], found["result"], found["context"]) for found in records] == [
        ("setup", "enrolled", "prod"),
        ("setup", "removed", "prod"),
    ]


def test_a_place_that_others_can_replace_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / ".config").mkdir()
    (tmp_path / ".config").chmod(0o777)
    with pytest.raises(ConfigError) as caught:
        enrol_ports(App(Settings(), {"HOME": str(tmp_path)}))
    assert caught.value.message.endswith(
        f"{tmp_path / '.config'} can be changed by other users, so no command would read it"
    )
    assert caught.value.hint == f"chmod go-w {tmp_path / '.config'}"


def change_of(path: Path, text: bytes | None) -> FileChange:
    def edit(data: bytes | None) -> bytes:
        if text is None:
            raise ConfigError("it cannot be edited")
        return (data or b"") + text

    return FileChange(path=str(path), before=None, after=b"", edit=edit)


@pytest.mark.parametrize("before", [None, b"# mine\n"])
def test_where_the_second_file_cannot_be_written_the_first_is_as_it_was(tmp_path: Path, before: bytes | None) -> None:
    app = App(Settings(), {"HOME": str(tmp_path / "home")})
    first = tmp_path / "first"
    if before is not None:
        first.write_bytes(before)
    changes = [change_of(first, b"new"), change_of(tmp_path / "second", None)]
    with pytest.raises(ConfigError, match="it cannot be edited"):
        carry_out(app, changes, CLUSTER, Config(), removed=False)
    assert (first.read_bytes() if first.exists() else None) == before
    assert sorted(tmp_path.glob("*irst*")) == ([] if before is None else [first])
    assert list(tmp_path.glob("second*")) == []
    assert app.audit.read() == ()


def test_a_config_that_cannot_be_read_again_is_taken_back(tmp_path: Path) -> None:
    app = App(Settings(), {"HOME": str(tmp_path)})
    config = tmp_path / ".config/kubectl-stepup/config.yaml"
    with pytest.raises(ConfigError, match="larger than"):
        carry_out(app, [change_of(config, b"#" * (1 << 21))], CLUSTER, Config(), removed=False)
    assert not config.exists()
    assert app.audit.read() == ()
