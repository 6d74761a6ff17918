"""The launcher becomes kubectl for the lines that the Python program knows, as long as that would know them too."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kubectl_stepup.fastpath import allowed_command
from kubectl_stepup.file_stamp import stamp_of
from kubectl_stepup.policy import allowed_commands
from kubectl_stepup.policy.allowed_commands import AllowedCommands
from tests.launcher.conftest import HANDED_ON, Launcher

WORDS = ("get", "pods", "-n", "web")


@dataclass(frozen=True, slots=True)
class Machine:
    """A home whose kubectl prints its words, and a launcher."""

    launcher: Launcher
    home: Path
    environ: dict[str, str]

    @property
    def lines(self) -> Path:
        return self.home / ".cache/kubectl-stepup" / allowed_commands.NAME

    @property
    def policy(self) -> Path:
        return self.home / ".config/kubectl-stepup/policy.yaml"

    def remember(self, *words: str) -> None:
        """Keep a line as allowed, under the policy that is in force."""
        sources = allowed_command.policy_sources(self.environ)
        assert sources is not None
        AllowedCommands(str(self.lines.parent), stamp_of(sources)).add(words)

    def serves(self, *words: str, environ: dict[str, str] | None = None) -> bool:
        """Whether the launcher became kubectl with these words, and not the Python program."""
        done = self.launcher.run("exec", "--", *words, environ=self.environ if environ is None else environ)
        assert done.stderr == b""
        if done.returncode == HANDED_ON:
            assert done.stdout.startswith(b"python program: <exec> <-->")
            return False
        assert done.stdout.decode() == "".join(f"<{word}>" for word in (f"{self.home}/bin/kubectl", *words))
        assert done.returncode == 5
        return True


@pytest.fixture
def machine(launcher: Launcher, tmp_path: Path) -> Machine:
    home = tmp_path / "someone"
    kubectl = home / "bin/kubectl"
    kubectl.parent.mkdir(parents=True)
    show = "import sys; print(*(f'<{word}>' for word in sys.argv), sep='', end=''); sys.exit(5)"
    kubectl.write_text(f"#!{sys.executable} -IS\n{show}\n")
    kubectl.chmod(0o755)
    found = Machine(launcher, home, {"HOME": str(home), "PATH": f"{kubectl.parent}:/usr/bin:/bin"})
    found.policy.parent.mkdir(parents=True)
    found.policy.write_text("one policy\n")
    return found


def test_a_line_that_was_evaluated_before_becomes_kubectl(machine: Machine) -> None:
    assert not machine.serves(*WORDS)
    machine.remember(*WORDS)
    assert machine.serves(*WORDS)


@pytest.mark.parametrize(
    "others", [WORDS[:-1], (*WORDS, ""), ("getpods", "-n", "web"), ("get", "pods", "-nweb"), ("delete", "pods"), ()]
)
def test_another_line_is_evaluated_by_python(machine: Machine, others: tuple[str, ...]) -> None:
    machine.remember(*WORDS)
    assert not machine.serves(*others)


def test_flags_of_our_own_are_for_python(machine: Machine) -> None:
    machine.remember(*WORDS)
    assert machine.launcher.run("exec", "-q", *WORDS, environ=machine.environ).returncode == HANDED_ON


@given(words=st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1))
@settings(max_examples=60, deadline=None)
@example(words=["é", "\n", ""])
def test_words_of_any_text_are_known_by_their_digest(
    launcher: Launcher, tmp_path_factory: pytest.TempPathFactory, words: list[str]
) -> None:
    home = tmp_path_factory.mktemp("words")
    kubectl = home / "kubectl"
    kubectl.write_text("#!/bin/sh\nexit 5\n")
    kubectl.chmod(0o755)
    machine = Machine(launcher, home, {"HOME": str(home), "PATH": str(home)})
    machine.remember(*words)
    assert launcher.run("exec", "--", *words, environ=machine.environ).returncode == 5
    assert launcher.run("exec", "--", *words, "x", environ=machine.environ).returncode == HANDED_ON


def test_digests_of_every_length_are_those_of_hashlib(machine: Machine) -> None:
    """FIPS 180-4: the padding takes another block from 56 bytes on."""
    machine.remember("none of these")
    head = machine.lines.read_bytes().splitlines(keepends=True)[:-1]
    texts = [bytes(1 + (length + at) % 255 for at in range(length)) for length in range(130)]
    digests = [sha256(text).hexdigest().encode() + b"\n" for text in texts]
    for text, digest in zip(texts, digests, strict=True):
        machine.lines.write_bytes(b"".join([*head, digest]))
        assert machine.launcher.run("exec", "--", text, environ=machine.environ).returncode == 5


CHANGES: dict[str, Callable[[Machine], object]] = {
    "another policy": lambda machine: machine.policy.write_text("two policies\n"),
    "one of the same length and time": lambda machine: rewritten(machine.policy),
    "no policy": lambda machine: machine.policy.unlink(),
    "one that others may write": lambda machine: machine.policy.chmod(0o666),
    "a directory that others may write": lambda machine: machine.policy.parent.chmod(0o777),
    "one behind a link": lambda machine: moved(machine.policy),
    "policies that clusters publish": lambda machine: published(machine.home),
    "lines of others": lambda machine: machine.lines.chmod(0o644),
    "lines behind a link": lambda machine: moved(machine.lines),
    "no lines": lambda machine: machine.lines.unlink(),
    "no whole line": lambda machine: machine.lines.write_bytes(machine.lines.read_bytes()[:-1]),
    "lines of another version": lambda machine: replaced(machine.lines, b"\n", b"\n9", 1),
    "lines of another form": lambda machine: replaced(machine.lines, b"lines 1", b"lines 2", 1),
    "lines of another user": lambda machine: replaced(machine.lines, f"\t{os.geteuid()}\n".encode(), b"\t12345\n", 1),
    "a changed policy of the program's own": lambda machine: replaced(machine.lines, b"-policy.yaml\t", b"x\t", 2),
}


def rewritten(file: Path) -> None:
    before = file.stat()
    file.write_text(file.read_text().upper())
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def moved(file: Path) -> None:
    file.rename(file.with_name("elsewhere"))
    file.symlink_to("elsewhere")


def published(home: Path) -> None:
    state = home / ".local/state/kubectl-stepup"
    state.mkdir(parents=True)
    (state / "published.json").write_text("{}")


def replaced(file: Path, old: bytes, new: bytes, count: int) -> None:
    data = file.read_bytes()
    assert old in data
    file.write_bytes(data.replace(old, new, count))


@pytest.mark.parametrize("change", CHANGES)
def test_after_a_change_the_line_is_evaluated_anew(machine: Machine, change: str) -> None:
    machine.remember(*WORDS)
    assert machine.serves(*WORDS)
    CHANGES[change](machine)
    assert not machine.serves(*WORDS)
    assert not allowed_command.is_known_to_be_allowed(WORDS, machine.environ)


def test_a_file_larger_than_python_writes_is_left_to_it(machine: Machine) -> None:
    machine.remember(*WORDS)
    machine.lines.write_bytes(machine.lines.read_bytes() + b"x" * (1 << 16))
    assert not machine.serves(*WORDS)


def test_as_many_lines_as_python_keeps_fit(machine: Machine) -> None:
    machine.remember(*WORDS)
    for number in range(allowed_commands.MOST - 1):
        machine.remember("get", str(number))
    assert machine.serves(*WORDS)
    machine.remember("get", "one more")
    assert not machine.serves(*WORDS)


def test_a_system_policy_is_left_to_python(machine: Machine, system_policy: Path) -> None:
    machine.remember(*WORDS)
    system_policy.symlink_to("nothing")
    assert not machine.serves(*WORDS)


def test_where_a_system_policy_could_be_hidden_python_decides(machine: Machine, system_policy: Path) -> None:
    machine.remember(*WORDS)
    directory = system_policy.parent
    directory.rmdir()
    directory.symlink_to(directory.name)  # no directory that can be looked into, as one of others is not
    assert not machine.serves(*WORDS)
    directory.unlink()
    directory.write_text("a file")
    assert machine.serves(*WORDS)


def test_a_policy_that_could_be_hidden_is_not_taken_for_absent(machine: Machine) -> None:
    machine.policy.unlink()
    machine.remember(*WORDS)
    assert machine.serves(*WORDS)
    machine.policy.symlink_to(machine.policy.name)
    assert not machine.serves(*WORDS)


PLACES = {
    "KUBECTL_STEPUP_POLICY": "elsewhere/policy.yaml",
    "XDG_CONFIG_HOME": "configs",
    "XDG_CACHE_HOME": "caches",
    "XDG_STATE_HOME": "states",
}


@pytest.mark.parametrize("variable", PLACES)
def test_the_files_are_found_where_the_variables_say(machine: Machine, variable: str) -> None:
    machine.remember(*WORDS)
    environ = {**machine.environ, variable: str(machine.home / PLACES[variable])}
    assert not machine.serves(*WORDS, environ=environ)
    found = Machine(machine.launcher, machine.home, environ)
    sources = allowed_command.policy_sources(environ)
    assert sources is not None
    cache = Path(environ.get("XDG_CACHE_HOME", machine.home / ".cache")) / "kubectl-stepup"
    AllowedCommands(str(cache), stamp_of(sources)).add(WORDS)
    assert found.serves(*WORDS)


@pytest.mark.parametrize("variable", PLACES)
def test_relative_places_are_as_python_has_them(machine: Machine, variable: str) -> None:
    machine.remember(*WORDS)
    environ = {**machine.environ, variable: "relative"}
    served = machine.serves(*WORDS, environ=environ)
    # A relative policy is a file of the working directory, which the launcher leaves to Python; the rest is ignored.
    assert served is (variable != "KUBECTL_STEPUP_POLICY")


@pytest.mark.parametrize("variable", PLACES)
def test_an_empty_variable_is_none(machine: Machine, variable: str) -> None:
    machine.remember(*WORDS)
    assert machine.serves(*WORDS, environ={**machine.environ, variable: ""})


def test_without_a_home_nothing_is_known(machine: Machine) -> None:
    machine.remember(*WORDS)
    named = {"XDG_CONFIG_HOME": ".config", "XDG_CACHE_HOME": ".cache", "XDG_STATE_HOME": ".local/state"}
    places = {variable: str(machine.home / place) for variable, place in named.items()}
    assert machine.serves(*WORDS, environ={**machine.environ, **places})
    for home in ({}, {"HOME": ""}, {"HOME": "someone"}):
        for more in ({}, places):
            assert not machine.serves(*WORDS, environ={"PATH": machine.environ["PATH"], **more, **home})


class TestKubectl:
    """The same kubectl is found as by the Python program (unit/kubectl/test_process.py)."""

    def found(self, machine: Machine, **environ: str) -> str | None:
        variables = {**machine.environ, **environ}
        done = machine.launcher.run("exec", "--", *WORDS, environ=variables, cwd=machine.home)
        return None if done.returncode == HANDED_ON else done.stdout.decode().partition(">")[0].lstrip("<")

    def another(self, machine: Machine, name: str) -> Path:
        copied = machine.home / name / "kubectl"
        copied.parent.mkdir()
        copied.write_bytes((machine.home / "bin/kubectl").read_bytes())
        copied.chmod(0o755)
        return copied

    def test_the_caller_comes_first(self, machine: Machine) -> None:
        machine.remember(*WORDS)
        other = self.another(machine, "other")
        assert self.found(machine, KUBECTL_PATH=str(other)) == str(other)
        assert self.found(machine, KUBECTL_PATH="other/kubectl") == f"{machine.home}/bin/kubectl"
        assert self.found(machine, KUBECTL_PATH=str(machine.home / "absent")) == f"{machine.home}/bin/kubectl"

    def test_the_first_on_the_path_that_can_be_executed(self, machine: Machine) -> None:
        machine.remember(*WORDS)
        first, second = self.another(machine, "first"), self.another(machine, "second")
        path = f"::.:first:{first.parent}/:{second.parent}:"
        assert self.found(machine, PATH=path) == str(first)
        first.chmod(0o644)
        assert self.found(machine, PATH=path) == str(second)
        second.unlink()
        second.mkdir()
        assert self.found(machine, PATH=path) is None
        assert self.found(machine, PATH="") is None

    @pytest.mark.parametrize("program", ["kubectl-stepup", "kubectl_stepup-python"])
    def test_a_link_to_ourselves_is_none(self, machine: Machine, program: str) -> None:
        machine.remember(*WORDS)
        links = machine.home / "links"
        links.mkdir()
        (links / "kubectl").symlink_to(machine.launcher.path.with_name(program))
        assert self.found(machine, PATH=f"{links}:{machine.home}/bin") == f"{machine.home}/bin/kubectl"
        assert self.found(machine, PATH=str(links), KUBECTL_PATH=str(links / "kubectl")) is None

    def test_one_that_cannot_be_started_is_left_to_python(self, machine: Machine) -> None:
        machine.remember(*WORDS)
        broken = self.another(machine, "broken")
        broken.write_bytes(b"\x7fELF not a program")
        done = machine.launcher.run("exec", "--", *WORDS, environ={**machine.environ, "KUBECTL_PATH": str(broken)})
        assert done.stdout.decode().splitlines()[0] == "python program: <exec> <--> <get> <pods> <-n> <web>"


def test_the_environment_and_what_was_ignored_go_along(machine: Machine) -> None:
    machine.remember(*WORDS)
    show = "#!/bin/sh\nenv | grep KEPT | sort; grep SigIgn /proc/$$/status; exit 5\n"
    kubectl = machine.home / "bin/kubectl"
    kubectl.write_text(show)
    environ = {**machine.environ, "KEPT": "yes", "PYTHONPATH": "KEPT too"}
    done = machine.launcher.run("exec", "--", *WORDS, environ=environ)
    assert done.stdout.startswith(b"KEPT=yes\nPYTHONPATH=KEPT too\nSigIgn")
    assert done.stdout == Launcher(kubectl, kubectl).run(environ=environ).stdout
