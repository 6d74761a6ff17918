"""The manifest reader: whatever kubectl prints about a manifest, it is read or stays sensitive; and patches."""

from __future__ import annotations

import json
import os
import tempfile
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubectl_stepup.kubectl import manifest
from kubectl_stepup.kubectl.command import read, with_objects
from kubectl_stepup.kubectl.manifest_objects import objects_in
from kubectl_stepup.kubectl.patches import content_marks, patch_marks, possible_marks
from kubectl_stepup.kubectl.resource_table import BUILT_IN
from kubectl_stepup.kubectl.resources import resource_of_kind
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.explain import explain
from tests.fuzz.policies import POLICIES, STRICT, TARGETS
from tests.grammar.choices import chance, pick

if TYPE_CHECKING:
    from tests.fuzz.watch import Watch
    from tests.grammar.choices import Bytes

COMMANDS = (
    "apply",
    "create",
    "delete",
    "replace",
    "apply --force",
    "apply --prune --all",
    "diff",
    "label a=b",
    "scale --replicas=0",
)
ALWAYS_ASKED = 6
"""So many of them are sensitive by the strict policy whatever the manifest says."""

KINDS = tuple(
    (group, entry.split("/")[1], f"{group}/v1" if group else "v1")
    for group, text in BUILT_IN.items()
    for entry in text.split()
)
KEYS = (
    *(
        "replicas",
        "serviceAccountName",
        "hostPath",
        "privileged",
        "capabilities",
        "add",
        "type",
        "secret",
        "secretName",
    ),
    *(
        "path",
        "op",
        "value",
        "from",
        "items",
        "kind",
        "apiVersion",
        "metadata",
        "name",
        "namespace",
        "spec",
        "",
        "\ud800",
    ),
)
SCALARS: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        1,
        -0.0,
        1e308,
        float("inf"),
        float("nan"),
        10**400,
        "",
        "0",
        "x",
        "\x00",
        "\ud800",
        "\udcff",
    ),
    *("kubernetes.io/service-account-token", "/spec/replicas", "add", "copy", "List", "kube-system", "a" * 300),
)


def one(choices: Bytes, watch: Watch) -> str:
    """Read one output of kubectl, or one patch."""
    if chance(choices, 4):
        return _patch(choices)
    text = _output(choices)
    words = choices.below(len(COMMANDS))
    command = read([*COMMANDS[words].split(), "-f", "x.yaml"])
    assert command.known
    try:
        found = objects_in(text, namespace=command.namespace)
        said = f"{len(found)} objects"
    except (ValueError, RecursionError) as exc:
        found, said = (), type(exc).__name__
    if chance(choices, 16):
        _expanded(text, COMMANDS[words])
    if found:
        command = with_objects(command, found)
    target = pick(choices, TARGETS)
    for policy in POLICIES:
        decision = watch.decision(partial(decide, policy, command, target), long=len(found) > 1000)
        assert explain(policy, command, decision, target)
        json.dumps(decision.to_json())
        assert policy is not STRICT or words >= ALWAYS_ASKED or decision.effect == "stepup", "a change that passes"
    return f"{COMMANDS[words]}: {said}, {' '.join(decision.actions)}"


def _expanded(text: str, words: str) -> None:
    """Go the whole way, a program that prints the text in kubectl's place."""
    kubectl, place, output = _stand_in()
    data = text.encode("utf-8", "surrogatepass")
    output.write_bytes(data)
    command = read([*words.split(), "-f", str(place)])
    expanded = manifest.expand(command, kubectl=str(kubectl))[0]
    try:
        found = objects_in(data.decode(), namespace=command.namespace)
    except (ValueError, RecursionError):
        found = ()
    assert expanded == (with_objects(command, found) if found else command), "it was read in another way"


@cache
def _stand_in() -> tuple[Path, Path, Path]:
    directory = Path(tempfile.mkdtemp(prefix="stepup-fuzz-"))
    kubectl, place, output = (directory / name for name in ("kubectl", "x.yaml", "output"))
    kubectl.write_text(f"#!/bin/sh\nexec cat '{output}'\n", encoding="utf-8")
    os.chmod(kubectl, 0o700)
    place.touch()
    return kubectl, place, output


def _patch(choices: Bytes) -> str:
    """Read a patch; what its words hide, and one that is no JSON, must not look harmless by accident of a crash."""
    group, kind, _ = pick(choices, KINDS)
    resource = resource_of_kind(group, kind)
    content = _value(choices, 0)
    found = content_marks(content)
    text = _damaged(choices, json.dumps(content))
    marks = patch_marks(text, resource)
    assert marks <= {*possible_marks(resource), *found, "scales-to-zero", "runs-as", "mints"}
    return f"patch: {' '.join(sorted(marks))}"


def _output(choices: Bytes) -> str:
    texts = [json.dumps(_document(choices)) for _ in range(choices.below(4))]
    if chance(choices, 64):
        texts *= 2000
    text = pick(choices, ("\n", "", " \t\n", "\ufeff", "---\n", "\x00")).join(texts)
    return _damaged(choices, text)


def _document(choices: Bytes) -> Any:
    kind = choices.below(8)
    if kind == 0:
        return _value(choices, 0)
    if kind == 1:
        return {"apiVersion": "v1", "kind": pick(choices, ("List", "PodList", "x")), "items": _items(choices)}
    _, kind_name, version = pick(choices, KINDS)
    document: dict[str, Any] = {"apiVersion": version, "kind": kind_name, "metadata": {"name": "x"}}
    for _ in range(choices.below(5)):
        place = pick(choices, (document, document["metadata"])) if isinstance(document["metadata"], dict) else document
        place[pick(choices, (*KEYS, "apiVersion", "kind", "metadata"))] = _value(choices, 0)
        document.setdefault("metadata", {})
    return document


def _items(choices: Bytes) -> Any:
    return [_document(choices) for _ in range(choices.below(4))] if not choices.exhausted else []


def _value(choices: Bytes, depth: int) -> Any:
    if choices.exhausted or depth > 12:
        return pick(choices, SCALARS)
    kind = choices.below(6)
    if kind < 2:
        return {pick(choices, KEYS): _value(choices, depth + 1) for _ in range(choices.below(4))}
    if kind == 2:
        return [_value(choices, depth + 1) for _ in range(choices.below(4))]
    if kind == 3:
        return {"op": pick(choices, SCALARS), "path": pick(choices, ("/spec/replicas", 1, None)), "value": 0}
    return pick(choices, SCALARS)


def _damaged(choices: Bytes, text: str) -> str:
    for _ in range(choices.below(3)):
        cut = choices.below(len(text) + 1)
        kind = choices.below(5)
        if kind == 0:
            text = text[:cut]
        elif kind == 1:
            text = (
                text[:cut]
                + pick(choices, ("[", "{", '"', "\x00", "\ud800", "1e999", "\\u", "NaN", "9" * 5000))
                + text[cut:]
            )
        elif kind == 2:
            text = text[:cut] + pick(choices, ("[", '{"a":')) * 20_000 + text[cut:]
        elif kind == 3:
            text = text[:cut] + chr(choices.below(0x10FFFF)) + text[cut + 1 :]
    return text
