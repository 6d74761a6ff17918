from __future__ import annotations

import json

import pytest

from kubectl_stepup import __version__
from kubectl_stepup.cli.root import COMMANDS, HIDDEN

from .conftest import Cli

SUBCOMMANDS = [("policy", "check"), ("policy", "explain"), ("audit", "list"), ("rbac", "audit")]
ALL = [(name,) for name in COMMANDS] + SUBCOMMANDS


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_explains_itself(cli: Cli, words: tuple[str, ...], flag: str) -> None:
    found = cli(*words, flag)
    assert (found.code, found.err) == (0, "")
    lines = found.out.splitlines()
    assert lines[0].startswith(f"Usage: kubectl stepup {' '.join(words)} [OPTIONS]")
    assert lines[2].startswith("  ")
    assert all(len(line) <= 80 for line in lines[:3])
    assert max(map(len, lines)) <= 100 or words == ("setup",)


@pytest.mark.parametrize(
    "words",
    [words for words in ALL if words[0] != "credential" and words not in [("policy",), ("audit",), ("rbac",)]],
    ids=" ".join,
)
def test_every_command_gives_an_example_that_begins_with_its_name(cli: Cli, words: tuple[str, ...]) -> None:
    assert f"\n    kubectl stepup {' '.join(words)}" in cli(*words, "--help").out


def test_the_first_page_lists_all_that_people_type(cli: Cli) -> None:
    found = cli("--help")
    assert (found.code, found.err) == (0, "")
    lines = found.out.splitlines()
    assert lines[:3] == [
        "Usage: kubectl stepup [OPTIONS] COMMAND [ARGS]...",
        "",
        "  Sudo for kubectl, enforced by the API server itself.",
    ]
    for name, (_, summary) in COMMANDS.items():
        assert any(line.split() == [name, *summary.split()] for line in lines) is (name not in HIDDEN)
    assert max(map(len, lines)) <= 100
    assert "documentation: https://" in found.out.lower()


def test_nothing_asked_is_answered_by_help(cli: Cli) -> None:
    found = cli()
    assert (found.code, found.err, found.out) == (0, "", cli("--help").out)


@pytest.mark.parametrize("group", ["policy", "audit", "rbac"])
def test_a_group_without_a_command_is_a_mistake_that_shows_help(cli: Cli, group: str) -> None:
    found = cli(group)
    assert (found.code, found.out) == (2, cli(group, "--help").out)


def test_version(cli: Cli) -> None:
    found = cli("version")
    assert (found.code, found.err) == (0, "")
    assert found.out.startswith(f"kubectl stepup {__version__} (python 3.")
    assert found.out.endswith(")\n")


def test_version_as_json(cli: Cli) -> None:
    found = cli("version", "-o", "json")
    members = json.loads(found.out)
    assert (members["apiVersion"], members["kind"]) == ("kubectl-stepup.github.io/v1alpha1", "Version")
    assert (members["version"], members["frozen"]) == (__version__, False)
    assert set(members) == {"apiVersion", "kind", "version", "python", "platform", "frozen"}
