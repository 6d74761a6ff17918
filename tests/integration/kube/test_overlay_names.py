"""Names of every kind survive the overlay: kubectl itself reads it, and says what it has read."""

from __future__ import annotations

import json
import random
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubectl_stepup.errors import KubeconfigError
from kubectl_stepup.kubeconfig.overlay import overlay_document
from tests.integration.kube.kubectls import KUBECTLS
from tests.support.values import RESOLVED

EDGES = (
    *"\x00\x01\x07\x08\t\n\x0b\x0c\r\x1b\x1f\x7f\x80\x84\x85\x86\x9f\xa0\xad",
    *"\u2028\u2029\u200e\ud7ff\ue000\ufdd0\ufeff\ufffd\ufffe\uffff\U00010000\U0001f9a2\U0001ffff\U0010ffff",
    *" -?:,[]{}#&*!|>'\\\"%@`~/=<yn0.",
    *("---", "...", "null", "true", "<<", "\\u0041", "\r\n", "  ", "é", "名", "\U0001f468\u200d\U0001f469"),
)
"""What YAML, JSON or one of their readers treats in a way of its own."""


def name(chance: random.Random) -> str:
    """Return a name of edge cases and of any characters but surrogates."""
    return "".join(
        chance.choice(EDGES)
        if chance.random() < 0.7
        else chr(chance.choice((chance.randrange(0xD800), chance.randrange(0xE000, 0x110000))))
        for _ in range(chance.randrange(1, 9))
    )


def read_by(kubectl: str, document: bytes, directory: Path) -> dict[str, Any]:
    (directory / "overlay").write_bytes(document)
    done = subprocess.run(
        [kubectl, "config", "view", "--raw", "--output=json", f"--kubeconfig={directory / 'overlay'}"],
        env={"HOME": str(directory)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, (document, done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def seen(found: dict[str, Any]) -> object:
    """Return the names that a kubeconfig has, and what an extension holds."""
    (context,), (user,) = found["contexts"], found["users"]
    extensions = [one["extension"] for one in context["context"]["extensions"]]
    inner = {key: context["context"][key] for key in ("cluster", "user", "namespace")}
    return found["current-context"], context["name"], inner, extensions, user["name"], user["user"]["exec"]["args"]


@pytest.mark.parametrize("kubectl", KUBECTLS)
@pytest.mark.parametrize("seed", range(12))
def test_kubectl_gives_back_the_names_that_were_written(kubectl: str, seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    extension = {"icon": name(chance), name(chance): [name(chance), 1, None, True]}
    raw = {"extensions": [{"name": "ours", "extension": extension}]}
    resolved = replace(RESOLVED, context=name(chance), cluster=name(chance), namespace=name(chance), context_raw=raw)
    document = overlay_document(
        resolved, user_name=f"stepup:{name(chance)}", exec_command="/x", exec_args=[name(chance) for _ in range(9)]
    )
    assert seen(read_by(kubectl, document, tmp_path)) == seen(json.loads(document))


@pytest.mark.parametrize("kubectl", KUBECTLS)
def test_every_edge_on_its_own(kubectl: str, tmp_path: Path) -> None:
    raw = {"extensions": [{"name": "ours", "extension": {"edges": list(EDGES)}}]}
    document = overlay_document(
        replace(RESOLVED, context_raw=raw),
        user_name="stepup:mfa",
        exec_command="/x",
        exec_args=[f"a{one}b" for one in EDGES],
    )
    assert seen(read_by(kubectl, document, tmp_path)) == seen(json.loads(document))


@pytest.mark.parametrize("field", ["context", "cluster", "namespace"])
def test_a_lone_surrogate_which_no_kubectl_reads_is_refused(field: str) -> None:
    named: dict[str, Any] = {field: "prod-\ud83e"}
    resolved = replace(RESOLVED, **named)
    with pytest.raises(KubeconfigError, match="is no Unicode character, so kubectl cannot read the overlay"):
        overlay_document(resolved, user_name="stepup:mfa", exec_command="/x", exec_args=[])
