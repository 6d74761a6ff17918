"""The checks of documents.node, by their exact messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kubectl_stepup.errors import ConfigError, PolicyError
from kubectl_stepup.yaml_edit import yaml_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_stepup.yaml_edit.node import Node

DOCUMENT = b"""\
name: prod
rules:
  - {name: a, do: [delete]}
  - name: b
    needs: mfa
    count: 12
    fast: yes
    after: 1h30m
empty: ""
nothing:
"""


def document() -> Node:
    return yaml_file.parse(DOCUMENT, "policy.yaml", error=PolicyError)


def rule(index: int) -> dict[str, Node]:
    return document().any_mapping()["rules"].sequence()[index].any_mapping()


def test_values_come_in_the_wanted_types() -> None:
    second = rule(1)
    assert rule(0)["do"].strings() == ("delete",)
    assert second["count"].integer() == 12
    assert second["fast"].boolean() is True
    assert second["after"].duration() == 5400
    assert second["needs"].string(choices=("mfa", "critical")) == "mfa"
    assert document().mapping(required=["name", "rules"], optional=["empty", "nothing"])["nothing"].value is None


def test_a_node_knows_its_place() -> None:
    node = rule(1)["needs"]
    assert (node.file, node.line, node.path) == ("policy.yaml", 5, "rules[1].needs")


@pytest.mark.parametrize(
    ("read", "message", "hint"),
    [
        (lambda: document().mapping(required=["rules"]), "policy.yaml:1: unknown key 'name'", None),
        (
            lambda: document().any_mapping()["rules"].sequence()[1].mapping(optional=["name", "need", "count", "fast"]),
            "policy.yaml:5: rules[1]: unknown key 'needs'",
            "did you mean 'need'?",
        ),
        (
            lambda: document().mapping(required=["levels"], optional=["name", "rules", "empty", "nothing"]),
            "policy.yaml:1: 'levels' is missing",
            None,
        ),
        (lambda: rule(1)["needs"].mapping(), "policy.yaml:5: rules[1].needs: must be a mapping, not a text", None),
        (lambda: rule(1)["needs"].sequence(), "policy.yaml:5: rules[1].needs: must be a list, not a text", None),
        (lambda: rule(1)["needs"].strings(), "policy.yaml:5: rules[1].needs: must be a list, not a text", None),
        (
            lambda: rule(1)["count"].string(),
            "policy.yaml:6: rules[1].count: must be a text, not a number",
            "put the value in quotes",
        ),
        (
            lambda: rule(1)["fast"].string(),
            "policy.yaml:7: rules[1].fast: must be a text, not true or false",
            "put the value in quotes",
        ),
        (lambda: document().any_mapping()["empty"].string(), "policy.yaml:9: empty: must not be empty", None),
        (
            lambda: document().any_mapping()["nothing"].string(),
            "policy.yaml:10: nothing: must be a text, not nothing",
            None,
        ),
        (
            lambda: rule(1)["needs"].string(choices=("mfaa", "critical")),
            "policy.yaml:5: rules[1].needs: 'mfa' is not one of mfaa, critical",
            "did you mean 'mfaa'?",
        ),
        (lambda: rule(1)["needs"].boolean(), "policy.yaml:5: rules[1].needs: must be true or false, not a text", None),
        (lambda: rule(1)["needs"].integer(), "policy.yaml:5: rules[1].needs: must be a whole number, not a text", None),
        (
            lambda: rule(1)["fast"].integer(),
            "policy.yaml:7: rules[1].fast: must be a whole number, not true or false",
            None,
        ),
        (lambda: rule(1)["count"].integer(minimum=13), "policy.yaml:6: rules[1].count: 12 is less than 13", None),
        (
            lambda: rule(1)["count"].duration(),
            "policy.yaml:6: rules[1].count: must be a duration, not a number",
            'write a duration with its unit, such as "15m", "90s" or "1h30m"',
        ),
    ],
)
def test_wrong_values_are_named_with_file_line_and_path(
    read: Callable[[], object], message: str, hint: str | None
) -> None:
    with pytest.raises(PolicyError) as caught:
        read()
    assert (caught.value.message, caught.value.hint) == (message, hint)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("15m", 900), ("90s", 90), ("1h", 3600), ("1h30m", 5400), ("1h30m5s", 5405), ("2h5s", 7205)],
)
def test_durations(text: str, seconds: int) -> None:
    node = yaml_file.parse(f'"{text}"'.encode(), "f")
    assert node.duration() == seconds


@pytest.mark.parametrize(
    "text", ["", "m", "15", "15 m", "5m1h", "1m1m", "-1m", "1.5h", "1d", "1h ", "١m", "1000000000s"]
)
def test_what_is_no_duration(text: str) -> None:
    node = yaml_file.parse(f'"{text}"'.encode(), "f")
    with pytest.raises(ConfigError) as caught:
        node.duration()
    assert caught.value.message == f"f:1: {text!r} is not a duration"
