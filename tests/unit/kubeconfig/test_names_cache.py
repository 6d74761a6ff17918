"""Large kubeconfigs are parsed once, and what is kept of them holds no credentials."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kubectl_stepup import cache_file
from kubectl_stepup.kubeconfig import config_v1
from kubectl_stepup.kubeconfig import load as kubeconfig_load
from kubectl_stepup.kubeconfig.names_cache import MOST, NAME, WORTH_BYTES, NamesParse, without_credentials

SECRET = "eyJhbGciOiJSUzI1NiJ9.secret"


def document(count: int = 200, **user: Any) -> dict[str, Any]:
    names = [f"c{number}" for number in range(count)]
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c1",
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}.example.com"}} for name in names],
        "users": [{"name": name, "user": {"token": SECRET, **user}} for name in names],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name in names],
    }


class Counting:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, data: bytes, file: str) -> dict[str, Any]:
        self.calls += 1
        return config_v1.parse(data, file)


def load(tmp_path: Path, content: dict[str, Any], parse: NamesParse) -> kubeconfig_load.Kubeconfig:
    file = tmp_path / "config"
    file.write_text(json.dumps(content))
    return kubeconfig_load.load({}, str(file), parse=parse)


def test_the_second_read_parses_nothing_and_resolves_the_same(tmp_path: Path) -> None:
    counting = Counting()
    parse = NamesParse(str(tmp_path / "cache"), counting)
    content = document(200, **{"as": "somebody", "as-groups": ["g"]})

    first, second = (load(tmp_path, content, parse).resolve("c7") for _ in range(2))

    assert counting.calls == 1
    assert (second.server, second.user, second.file, second.user_file) == (
        first.server, first.user, first.file, first.user_file,
    )  # fmt: skip
    assert second.impersonates == first.impersonates == ("as", "as-groups")


def test_no_credential_is_kept(tmp_path: Path) -> None:
    load(tmp_path, document(), NamesParse(str(tmp_path / "cache"), config_v1.parse))

    kept = tmp_path / "cache" / NAME
    assert kept.stat().st_mode & 0o777 == 0o600
    assert b"c7.example.com" in kept.read_bytes()
    assert SECRET.encode() not in kept.read_bytes()


def test_a_changed_file_is_parsed_anew(tmp_path: Path) -> None:
    counting = Counting()
    parse = NamesParse(str(tmp_path / "cache"), counting)
    load(tmp_path, document(), parse)
    changed = document()
    changed["clusters"][7]["cluster"]["server"] = "https://moved.example.com"

    assert load(tmp_path, changed, parse).resolve("c7").server == "https://moved.example.com"
    assert counting.calls == 2


def test_a_small_file_is_not_kept(tmp_path: Path) -> None:
    content = document(3)
    assert len(json.dumps(content)) < WORTH_BYTES
    load(tmp_path, content, NamesParse(str(tmp_path / "cache"), config_v1.parse))
    assert not (tmp_path / "cache").exists()


def test_only_the_last_few_are_kept(tmp_path: Path) -> None:
    counting = Counting()
    parse = NamesParse(str(tmp_path / "cache"), counting)
    for count in range(200, 201 + MOST):
        load(tmp_path, document(count), parse)
    load(tmp_path, document(200 + MOST), parse)
    assert counting.calls == MOST + 1
    load(tmp_path, document(200), parse)
    assert counting.calls == MOST + 2


@pytest.mark.parametrize("damage", [b"", b"\xff" * 100])
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    counting = Counting()
    parse = NamesParse(str(tmp_path / "cache"), counting)
    load(tmp_path, document(), parse)
    (tmp_path / "cache" / NAME).write_bytes(damage)

    assert load(tmp_path, document(), parse).resolve("c7").server == "https://c7.example.com"
    assert counting.calls == 2


def test_what_has_a_password_elsewhere_is_not_kept() -> None:
    assert (
        without_credentials({"clusters": [{"name": "c", "cluster": {"proxy-url": "http://u:password@proxy"}}]}) is None
    )


def test_what_is_left_out_stays_out() -> None:
    assert without_credentials({"users": [{}], "clusters": [{}]}) == {
        "users": [{"name": "", "user": {}}],
        "clusters": [{}],
    }


def test_what_an_earlier_version_kept_is_not_read(tmp_path: Path) -> None:
    """It read the same bytes more strictly."""
    counting = Counting()
    load(tmp_path, document(), NamesParse(str(tmp_path / "cache"), counting))
    kept = cache_file.read(str(tmp_path / "cache"), NAME)
    cache_file.write(str(tmp_path / "cache"), NAME, {name.partition(":")[2]: value for name, value in kept.items()})
    load(tmp_path, document(), NamesParse(str(tmp_path / "cache"), counting))
    assert counting.calls == 2
