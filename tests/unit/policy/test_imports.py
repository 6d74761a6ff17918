"""Reading and judging a command is on the road of every command of the day: it may import next to nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import sys
sys.path.insert(0, {root!r})
before = set(sys.modules)
from kubectl_stepup.kubectl.command import read
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.model import Level, Policy, Rule, Target
level = Level(name="mfa", signed_in_within_s=900, ask_again_after_s=600)
rule = Rule(name="a", needs="mfa", actions=frozenset({{"delete"}}))
policy = Policy(who="people", levels=(level,), rules=(rule,), commands={{}})
assert decide(policy, read(["get", "pods", "-n", "x", "-o", "yaml"]), Target()).effect == "allow"
assert decide(policy, read(["delete", "po/x", "-nx"]), Target()).effect == "stepup"
print(" ".join(sorted(name for name in set(sys.modules) - before if not name.startswith("kubectl_stepup"))))
"""


def test_deciding_imports_nothing_of_the_standard_library() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", SCRIPT.format(root=str(ROOT))], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) <= {"__future__"}


@pytest.mark.parametrize("words", [("delete", "pod", "x"), ("get", "pods"), ("delete", "widget", "x")])
def test_policy_check_imports_nothing_that_speaks_to_anybody(words: tuple[str, ...], tmp_path: Path) -> None:
    kubeconfig = tmp_path / "config"
    kubeconfig.write_text(
        "{apiVersion: v1, kind: Config, current-context: a, clusters: [{name: a, cluster: {server: 'https://a'}}], "
        "contexts: [{name: a, context: {cluster: a, user: a}}], users: [{name: a, user: {token: t}}]}"
    )
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "kubectl_stepup", "policy", "check", "--", *words],
        cwd=ROOT,
        env={"HOME": str(tmp_path), "KUBECONFIG": str(kubeconfig)},
        capture_output=True,
        text=True,
        check=False,
    )
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert done.returncode in {0, 4}
    assert "yaml" in imported
    assert imported.isdisjoint({"requests", "urllib3", "authlib", "joserfc", "cryptography", "keyring", "rich", "http"})
