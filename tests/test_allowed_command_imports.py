"""The fast path of allowed commands: what it serves, that it decides as `exec` does, and what it imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubectl_stepup import cache_file
from kubectl_stepup.digest import sha256_hex
from kubectl_stepup.fastpath import allowed_command
from kubectl_stepup.file_stamp import stamp_of
from kubectl_stepup.kubectl.command import read
from kubectl_stepup.policy import allowed_commands, compiled_file
from kubectl_stepup.policy.compiled import pack, unpack
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.load import load
from kubectl_stepup.policy.model import Target

POLICY = """\
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Policy
who: people
levels:
  - {name: mfa, signedInWithin: 15m, askAgainAfter: 10m}
rules:
  - {name: deletes, do: [delete], clusters: ["prod-*"], except: {namespaces: ["sandbox-*"]}, needs: mfa}
  - {name: watched, do: [stop], needs: mfa, mode: warn}
"""
ALLOWED = {
    "os", "stat", "_stat", "posixpath", "genericpath", "_collections_abc", "__future__", "marshal", "_signal",
    # One of the two, by Python's version.
    "_sha2", "_sha256",
    "kubectl_stepup", "kubectl_stepup.__main__", "kubectl_stepup.fastpath", "kubectl_stepup.fastpath.allowed_command",
    "kubectl_stepup.environment",
    "kubectl_stepup.digest", "kubectl_stepup.config", "kubectl_stepup.config.places", "kubectl_stepup.isolation",
    "kubectl_stepup.kubectl", "kubectl_stepup.kubectl.process",
}  # fmt: skip


def user_policy(tmp_path: Path, text: str = POLICY) -> dict[str, str]:
    home = tmp_path / "someone"
    file = home / ".config/kubectl-stepup/policy.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return {"HOME": str(home), "PATH": os.environ["PATH"]}


def compiled(environ: dict[str, str]) -> None:
    file = Path(environ["HOME"]) / ".config/kubectl-stepup/policy.yaml"
    sources = allowed_command.policy_sources(environ)
    assert sources is not None
    compiled_file.write(
        f"{environ['HOME']}/.cache/kubectl-stepup",
        sources,
        load(None, (str(file), file.read_bytes())),
        known_by=stamp_of(sources),
    )


def program(environ: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "kubectl_stepup", *words],
        env=environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_policy_survives_being_compiled() -> None:
    for policy in (load(None, ("policy.yaml", POLICY.encode())), load(None, None)):
        unpacked = unpack(pack(policy))
        assert unpacked.replace(rules=tuple(unpacked.rules)) == policy
        assert (len(unpacked.rules), unpacked.rules[0], unpacked.rules[:1]) == (
            len(policy.rules), policy.rules[0], policy.rules[:1],
        )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "served"),
    [
        (["get", "pods"], True),
        (["version", "--client"], True),
        (["delete", "pod", "x"], False),
        (["delete", "pod", "x", "-n", "sandbox-1"], True),
        (["scale", "deploy", "x", "--replicas=0"], False),
        (["get", "-f", "x.yaml"], False),
        (["stern", "x"], False),
    ],
)
def test_only_what_every_target_allows_is_allowed_everywhere(words: list[str], served: bool) -> None:
    assert allowed_command.is_allowed_everywhere(words, load(None, ("policy.yaml", POLICY.encode()))) is served


def test_what_is_allowed_everywhere_is_allowed_by_the_whole_evaluation_in_every_cluster() -> None:
    policy = load(None, ("policy.yaml", POLICY.encode()))
    corpus = Path(__file__).parent / "data/corpus/commands.jsonl"
    targets = [
        Target(cluster=cluster, labels=labels, namespace=namespace)
        for cluster in (None, "prod-eu", "dev")
        for labels in (None, {"env": "prod"})
        for namespace in (None, "default", "sandbox-1")
    ]
    served = 0
    for line in corpus.read_text().splitlines():
        words = json.loads(line)["argv"]
        if allowed_command.is_allowed_everywhere(words, policy):
            served += 1
            assert {decide(policy, read(words), target).effect for target in targets} == {"allow"}, words
    assert served > 20


def test_a_changed_policy_is_seen_at_once(tmp_path: Path) -> None:
    environ = user_policy(tmp_path)
    compiled(environ)
    assert allowed_command.compiled_policy(environ) is not None

    user_policy(tmp_path, POLICY.replace("do: [delete]", "do: [change]"))

    assert allowed_command.compiled_policy(environ) is None


def test_a_policy_that_others_may_write_is_left_to_the_program_that_refuses_it(tmp_path: Path) -> None:
    environ = user_policy(tmp_path)
    compiled(environ)
    (Path(environ["HOME"]) / ".config/kubectl-stepup/policy.yaml").chmod(0o666)

    assert allowed_command.compiled_policy(environ) is None
    ran = program(environ, "exec", "--", "get", "pods")
    assert ran.returncode == 125
    assert "can be changed by other users" in ran.stderr


def test_a_compiled_policy_of_other_hands_is_not_read(tmp_path: Path) -> None:
    environ = user_policy(tmp_path)
    compiled(environ)
    file = Path(environ["HOME"]) / ".cache/kubectl-stepup" / compiled_file.NAME

    file.chmod(0o644)
    assert allowed_command.compiled_policy(environ) is None
    file.chmod(0o600)
    assert allowed_command.compiled_policy(environ) is not None
    file.write_bytes(b"\xff" * 100)
    assert allowed_command.compiled_policy(environ) is None


def test_a_system_policy_is_never_replaced_by_a_file_of_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = user_policy(tmp_path)
    compiled(environ)
    system = tmp_path / "system.yaml"
    system.write_text(POLICY)
    monkeypatch.setattr("kubectl_stepup.config.places.system_policy", lambda *_, **__: str(system))

    assert allowed_command.compiled_policy(environ) is None


def test_a_system_policy_may_be_where_we_cannot_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environ = user_policy(tmp_path)
    compiled(environ)
    directory = tmp_path / "etc"
    monkeypatch.setattr("kubectl_stepup.config.places.system_policy", lambda *_, **__: str(directory / "policy.yaml"))
    assert allowed_command.is_known_to_be_allowed(["get", "pods"], environ)
    directory.symlink_to(directory)  # as closed to everybody as a directory of others is to us
    assert not allowed_command.is_known_to_be_allowed(["get", "pods"], environ)
    directory.unlink()
    directory.write_text("a file")
    assert allowed_command.is_known_to_be_allowed(["get", "pods"], environ)


def test_the_first_command_compiles_for_the_next_ones(tmp_path: Path) -> None:
    environ = user_policy(tmp_path)

    first = program(environ, "exec", "--", "version", "--client")
    assert allowed_command.compiled_policy(environ) is not None
    second = program(environ, "exec", "--", "version", "--client")

    assert (first.stdout, first.returncode) == (second.stdout, second.returncode)
    assert first.returncode == 0


REPEATED = {
    f"kubectl_stepup.{name}"
    for name in ("cache_file", "file_stamp", "policy", "policy.allowed_commands", "private_file")
}


def imported(environ: dict[str, str], tmp_path: Path) -> set[str]:
    """Return what an allowed command imports before it becomes kubectl."""
    kubectl = tmp_path / "kubectl"
    kubectl.write_text("#!/bin/sh\necho kubectl\n")
    kubectl.chmod(0o755)
    code = (
        "import sys; before = set(sys.modules)\n"
        "from kubectl_stepup.kubectl import process as kubectl\n"
        "kubectl.replace = lambda *_: print(*sorted(set(sys.modules) - before))\n"
        "from kubectl_stepup import __main__\nfrom kubectl_stepup.fastpath import allowed_command\n"
        "import os; allowed_command.serve(['exec', '--', 'get', 'pods'], os.environ)\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code],
        env={**environ, "KUBECTL_PATH": str(kubectl)}, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip

    assert done.stdout, "nothing was served"
    return set(done.stdout.split())


def test_the_fast_path_of_allowed_commands_imports_the_listed_modules_alone(tmp_path: Path) -> None:
    environ = user_policy(tmp_path)
    compiled(environ)

    first, repeated = imported(environ, tmp_path), imported(environ, tmp_path)

    packages, leaves = ("policy", "kubectl"), ("globs", "names", "values")
    of_evaluation = tuple(f"kubectl_stepup.{name}" for name in (*packages, *leaves))
    besides = {name for name in first if not name.startswith(of_evaluation)}
    assert besides <= {*ALLOWED, *REPEATED, "kubectl_stepup.errors"}
    assert repeated <= ALLOWED | REPEATED


class TestRepeatedLines:
    """A line that was allowed is known by its digest, for as long as the policy stays the same."""

    def lines(self, environ: dict[str, str]) -> Path:
        return Path(environ["HOME"]) / ".cache/kubectl-stepup" / allowed_commands.NAME

    def digests(self, environ: dict[str, str]) -> list[str]:
        """Return what stands below the form, the program, and the three files that policy comes from."""
        return self.lines(environ).read_text().splitlines()[5:]

    def test_only_an_allowed_line_is_remembered(self, tmp_path: Path) -> None:
        environ = user_policy(tmp_path)
        compiled(environ)

        assert allowed_command.is_known_to_be_allowed(["get", "pods"], environ)
        assert not allowed_command.is_known_to_be_allowed(["delete", "pod", "x"], environ)

        assert self.digests(environ) == [sha256_hex(b"get\0pods")]

    def test_a_remembered_line_is_not_evaluated_again(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        environ = user_policy(tmp_path)
        compiled(environ)
        assert allowed_command.is_known_to_be_allowed(["get", "pods"], environ)
        monkeypatch.setattr(allowed_command, "is_allowed_everywhere", lambda *_: False)

        assert allowed_command.is_known_to_be_allowed(["get", "pods"], environ)
        assert not allowed_command.is_known_to_be_allowed(["getpods"], environ)
        assert not allowed_command.is_known_to_be_allowed(["get", "pods", ""], environ)

    def test_another_policy_evaluates_anew(self, tmp_path: Path) -> None:
        environ = user_policy(tmp_path)
        compiled(environ)
        assert allowed_command.is_known_to_be_allowed(["get", "pods"], environ)

        user_policy(tmp_path, POLICY + "  - {name: reads, verbs: [list], resources: [pods], needs: mfa}\n")
        assert not allowed_command.is_known_to_be_allowed(["get", "pods"], environ)
        compiled(environ)
        assert not allowed_command.is_known_to_be_allowed(["get", "pods"], environ)

    def test_a_policy_that_changes_while_a_line_is_evaluated_does_not_get_the_line(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        environ = user_policy(tmp_path)
        compiled(environ)

        def evaluated(*_: object) -> bool:
            user_policy(tmp_path, POLICY + "  - {name: reads, verbs: [list], resources: [pods], needs: mfa}\n")
            return True

        monkeypatch.setattr(allowed_command, "is_allowed_everywhere", evaluated)
        assert allowed_command.is_known_to_be_allowed(["get", "pods"], environ)
        compiled(environ)
        monkeypatch.undo()

        assert not allowed_command.is_known_to_be_allowed(["get", "pods"], environ)

    def test_lines_of_other_hands_are_not_read(self, tmp_path: Path) -> None:
        environ = user_policy(tmp_path)
        compiled(environ)
        assert allowed_command.is_known_to_be_allowed(["get", "pods"], environ)
        (self.lines(environ).parent / compiled_file.NAME).unlink()

        assert allowed_command.is_known_to_be_allowed(["get", "pods"], environ)
        self.lines(environ).chmod(0o644)
        assert not allowed_command.is_known_to_be_allowed(["get", "pods"], environ)
        self.lines(environ).chmod(0o600)
        whole = self.lines(environ).read_bytes()
        for damage in (b"", b"\xff" * 100, whole[1:], whole.replace(b"lines 1", b"lines 2"), whole[:-1]):
            self.lines(environ).write_bytes(damage)
            assert not allowed_command.is_known_to_be_allowed(["get", "pods"], environ)

    def test_the_oldest_lines_are_forgotten(self, tmp_path: Path) -> None:
        environ = user_policy(tmp_path)
        compiled(environ)
        for number in range(allowed_commands.MOST + 1):
            assert allowed_command.is_known_to_be_allowed(["get", "pods", "-n", f"n{number}"], environ)

        expected = [sha256_hex(f"get\0pods\0-n\0n{number}".encode()) for number in range(1, allowed_commands.MOST + 1)]
        assert self.digests(environ) == expected


def test_a_policy_that_changes_while_it_is_loaded_is_not_kept_for_the_new_one(tmp_path: Path) -> None:
    environ = user_policy(tmp_path)
    sources = allowed_command.policy_sources(environ)
    assert sources is not None
    before = stamp_of(sources)
    policy = load(None, ("policy.yaml", POLICY.encode()))
    user_policy(tmp_path, POLICY.replace("do: [delete]", "do: [change]"))

    compiled_file.write(f"{environ['HOME']}/.cache/kubectl-stepup", sources, policy, known_by=before)

    assert allowed_command.compiled_policy(environ) is None


def test_what_killed_processes_were_writing_goes_with_the_next_compiled_policy(tmp_path: Path) -> None:
    environ = user_policy(tmp_path)
    cache = Path(environ["HOME"]) / ".cache/kubectl-stepup"
    cache.mkdir(parents=True)
    old, new = (cache / f".{compiled_file.NAME}.{pid}.0123abcd" for pid in (77, 78))
    for rest in (old, new):
        rest.write_bytes(b"half a policy")
    os.utime(old, (1_000_000_000, 1_000_000_000))

    compiled(environ)

    assert {path.name for path in cache.iterdir()} == {compiled_file.NAME, new.name}


def test_a_home_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    home = tmp_path / "nobody"
    cache_file.write(str(home / ".cache/kubectl-stepup"), "values", [1])
    assert not home.exists()

    home.mkdir()
    cache_file.write(str(home / ".cache/kubectl-stepup"), "values", [1])
    assert cache_file.read(str(home / ".cache/kubectl-stepup"), "values") == [1]
