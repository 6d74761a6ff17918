"""`$HOME` is not set, or names no place: services, `env -i`. The user's own files count all the same."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.lab import Lab, opened_lab

if TYPE_CHECKING:
    from collections.abc import Iterator

SOMEBODY = str(Path(__file__).with_name("as_somebody.py"))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with opened_lab(tmp_path_factory.mktemp("shared")) as opened:
        yield opened


def run(lab: Lab, *words: str, home: str | None, in_database: str | None = None) -> tuple[int, str, str]:
    """Run the program as a user whose home the user database knows; give code, output and errors."""
    kept = ("PATH", "KUBECTL_STEPUP_KEYRING", "XDG_RUNTIME_DIR")
    environ = {name: lab.environ[name] for name in kept if name in lab.environ}
    variables = [f"{name}={value}" for name, value in environ.items()] + ([] if home is None else [f"HOME={home}"])
    database = lab.environ["HOME"] if in_database is None else in_database
    done = lab.quietly("-i", *variables, sys.executable, SOMEBODY, database, *words, program=["env"])
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize("home", [None, "", "somewhere"])
def test_the_enrolled_cluster_stays_guarded(shared: Lab, home: str | None) -> None:
    code, _, errors = run(shared, "exec", "--no-input", "--", "delete", "pod", "web-0", home=home)
    assert (code, errors.splitlines()[0]) == (125, "error: step-up needed, but nobody can be asked (--no-input)")
    listed = run(shared, "audit", "list", "--last", "1", "-o", "json", home=home)[1]
    assert '"interaction-required"' in listed
    assert '"web-0"' in listed


@pytest.mark.parametrize("home", [None, ""])
def test_kubectl_reads_the_same_kubeconfig(shared: Lab, home: str | None) -> None:
    """It would look for .kube/config in the working directory, which anybody may have filled."""
    code, out, errors = run(shared, "exec", "--", "config", "current-context", home=home)
    assert (code, out, errors) == (0, "prod\n", "")


def test_a_user_that_the_machine_does_not_know_has_no_home(shared: Lab) -> None:
    code, _, errors = run(shared, "audit", "list", home=None, in_database="")
    assert code == 1
    assert "neither HOME nor XDG_STATE_HOME is set" in errors
