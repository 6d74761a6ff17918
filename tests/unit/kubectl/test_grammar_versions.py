"""The command reader's table against every kubectl: tests/data/grammar has their command trees (`make grammar`)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubectl_stepup.kubectl import grammar_table, manifest
from kubectl_stepup.kubectl.grammar import BOOLEAN, OPTIONAL, Flag, Flags, is_container, subcommand
from scripts import make_grammar

KUBECTLS = {dump["kubectl"].rpartition(".")[0]: dump for dump in make_grammar.dumps()}
POLICY = Path(manifest.__file__).parent

FORM_DIFFERS = {
    ("annotate", "recursive"): "on by itself from 1.37 on: manifests are read as deep as that for every kubectl",
    ("wait", "for"): "one value or several: either way the command only reads",
}
"""Flags that take a value, or none, in every kubectl, and differ in how many or in what they are by default."""

NO_LONGER_CONTAINERS = {
    "alpha": "kubectl 1.35 alone had subcommands here; a word that is none of them prints the help",
    "alpha kuberc": "as alpha",
}
"""Commands that have no subcommands in the newest kubectl."""

ON_BY_DEFAULT = {
    ("delete", "wait"): "the reader knows",
    ("rollout status", "watch"): "the reader always expects the watch",
}
"""Booleans that the reader asks for, and that are on by themselves."""

every_kubectl = pytest.mark.parametrize("minor", KUBECTLS)


def flags_of(minor: str) -> Iterator[tuple[str, str, Flag]]:
    """Return every flag of a kubectl: its command (empty: everywhere), its text, and what the text says."""
    dump = KUBECTLS[minor]
    for path, texts in [("", dump["global"]), *((path, found["flags"]) for path, found in dump["commands"].items())]:
        if path not in make_grammar.ELSEWHERE:
            yield from ((path, text, Flag(text)) for text in texts.split())


def test_every_minor_version_is_there() -> None:
    assert list(KUBECTLS) == [f"1.{minor}" for minor in range(27, 38)]
    assert all(len(dump["commands"]) > 90 for dump in KUBECTLS.values())


def test_the_table_is_made_from_them(capsys: pytest.CaptureFixture[str]) -> None:
    make_grammar.main()

    assert capsys.readouterr().out == Path(grammar_table.__file__).read_text()


@every_kubectl
def test_every_command_and_alias_is_known(minor: str) -> None:
    for path, found in KUBECTLS[minor]["commands"].items():
        parent, _, word = path.rpartition(" ")
        if path not in make_grammar.ELSEWHERE:
            names = [word, *found.get("aliases", ())]
            assert [subcommand(parent, name) for name in names] == [path] * len(names)
            assert is_container(path) or not found.get("container") or path in NO_LONGER_CONTAINERS, path


@every_kubectl
def test_every_flag_is_read_as_this_kubectl_reads_it(minor: str) -> None:
    differing = []
    for path, text, theirs in flags_of(minor):
        ours = Flags(path).named(theirs.name)
        assert ours is not None, f"{path} --{theirs.name}"
        arity = (ours.kind, ours.without_value) == (theirs.kind, theirs.without_value)
        # A letter that this kubectl does not have yet is rejected by it.
        letter = theirs.short in {"", ours.short}
        if not arity or not letter:
            differing.append(f"{path} {text}")
    assert differing == []


@every_kubectl
def test_every_letter_is_the_flag_that_it_is_to_this_kubectl(minor: str) -> None:
    for path, _, theirs in flags_of(minor):
        if theirs.short:
            ours = Flags(path).short(theirs.short)
            assert ours is not None
            assert ours.name == theirs.name, f"{path} -{theirs.short}"


@every_kubectl
def test_no_flag_has_two_forms_in_one_kubectl(minor: str) -> None:
    named = [(path, theirs.name) for path, _, theirs in flags_of(minor)]
    assert len(set(named)) == len(named)


def test_what_may_differ_does_differ() -> None:
    forms: dict[tuple[str, str], set[str]] = {}
    for minor in KUBECTLS:
        for path, text, flag in flags_of(minor):
            forms.setdefault((path, flag.name), set()).add(form(text))
    assert {at for at, found in forms.items() if len(found) > 1} == set(FORM_DIFFERS)


@every_kubectl
def test_what_the_reader_asks_for_is_off_by_default(minor: str) -> None:
    asked = {name for path in POLICY.glob("*.py") for name in re.findall(r'\.on\("([a-z-]+)"', path.read_text())}
    on = {(path, flag.name) for path, _, flag in flags_of(minor) if flag.default and flag.name in asked}
    assert len(asked) > 15
    assert {at for at in on if at[1] != "recursive"} == set(ON_BY_DEFAULT)


@every_kubectl
def test_manifests_are_read_at_least_as_deep_as_this_kubectl_reads_them(minor: str) -> None:
    deep = {tuple(path.split()) for path, _, flag in flags_of(minor) if flag.name == "recursive" and flag.default}
    assert deep
    assert deep.isdisjoint(manifest._SHALLOW)


@every_kubectl
def test_no_flag_before_a_subcommand_swallows_it_in_this_kubectl_alone(minor: str) -> None:
    """A boolean that `create` got later takes the next word for its value in a `create` that lacks it."""
    have = {(path, flag.name) for path, _, flag in flags_of(minor)}
    for path, text in table():
        flag = Flag(text)
        if flag.kind in {BOOLEAN, OPTIONAL} and (path == "" or is_container(path)) and (path, flag.name) not in have:
            below = {at for at, name in have if name == flag.name and (path == "" or at.startswith(f"{path} "))}
            assert not below, f"{path} --{flag.name}"


def test_the_table_has_nothing_that_no_kubectl_has() -> None:
    theirs = {(path, flag.name) for minor in KUBECTLS for path, _, flag in flags_of(minor)}
    assert {(path, Flag(text).name) for path, text in table()} == theirs


def table() -> list[tuple[str, str]]:
    """Return every flag of the table: its command (empty: everywhere) and its text."""
    commands: list[tuple[str, str]] = [("", grammar_table.GLOBAL_FLAGS), *grammar_table.COMMANDS.items()]
    return [(path, text) for path, texts in commands for text in texts.split()]


def form(text: str) -> str:
    """Return what follows a flag's name and letter: how it takes values."""
    return re.sub(r"^[a-z0-9-]+(,[A-Za-z])?(?=$|[!=?])", "", text)
