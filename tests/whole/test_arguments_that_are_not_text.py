"""Arguments of bytes that are no UTF-8: the command goes on, and all that is said is text."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from tests.support.lab import Lab, opened_lab

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-0"}}


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with opened_lab(tmp_path, cold=True) as opened:
        yield opened


def test_a_manifest_with_a_latin_1_name_is_deleted_and_recorded(lab: Lab, tmp_path: Path) -> None:
    file = os.path.join(os.fsencode(tmp_path), b"caf\xe9.json")
    with open(file, "w") as stream:
        json.dump(POD, stream)

    ran = lab.stepup("exec", "-v", "-v", "--", "delete", "-f", os.fsdecode(file))

    assert ran.code == 0, ran.screen
    assert not lab.exists("web-0")
    sent = lab.provider.forms("device")[0]["stepup_command"]
    assert sent.endswith(r"caf\u{dce9}.json'")
    assert [record["result"] for record in lab.records()] == ["approved"] * 3


@pytest.mark.parametrize("flags", [(), ("-o", "json")])
def test_a_reason_and_a_refusal_with_such_bytes_are_text(lab: Lab, flags: tuple[str, ...]) -> None:
    latin = os.fsdecode(b"caf\xe9")
    ran = lab.quietly("exec", *flags, "-r", latin, "--", "delete", "pod", latin)
    assert ran.returncode == 125, ran.stderr
    assert b"Traceback" not in ran.stderr
    assert ran.stderr.decode("utf-8")
    explained = lab.quietly("policy", "check", *flags, "--", "delete", "pod", latin)
    assert b"Traceback" not in explained.stderr
    assert explained.stdout.decode("utf-8")
    listed = lab.quietly("audit", "list", *flags)
    assert (listed.returncode, b"Traceback" in listed.stderr) == (0, False)
    assert listed.stdout.decode("utf-8")
