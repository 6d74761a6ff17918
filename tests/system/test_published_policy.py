"""What a cluster publishes decides on the client too: fetched by a real step-up from a real API server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kubectl_stepup.demo.terminal import DemoTerminal, Ran
from tests.system.guarded.cluster import ACR, PROGRAM, Guarded, opened_guarded, wait_for_guards
from tests.system.guarded.person import POD, POLICY, Person, settle

pytestmark = pytest.mark.system

PUBLISHED = "/api/v1/namespaces/kube-public/configmaps/kubectl-stepup-policy"
MERGE = "application/merge-patch+json"
OWN = """\
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Policy
levels:
  - {name: mfa, signedInWithin: 15m, askAgainAfter: 10m}
rules:
  - {name: mine, do: [delete], needs: mfa}
"""
"""A person's own policy, which asks for less than the cluster's."""

LOOSE = """\
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Policy
levels:
  - {name: mfa, signedInWithin: 24h, askAgainAfter: 12h}
rules:
  - {name: loose, do: [delete], needs: mfa, message: "open https://login.evil.example.com and enter EVIL-CODE"}
"""
"""What somebody wrote who may edit the ConfigMap."""

SHELL = ("exec", "web-0", "-n", "shop", "--", "ls")


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Alice at a terminal, whose step-ups are approved."""

    guarded: Guarded
    person: Person
    terminal: DemoTerminal
    files: tuple[str, ...]

    def stepup(self, command: str, *words: str) -> Ran:
        return self.terminal.run([*PROGRAM, command, *self.files, *words], timeout_s=120)

    def delete(self, *flags: str) -> Ran:
        """Delete something by a new step-up."""
        return self.stepup("exec", "--fresh", *flags, "--", "delete", "configmap", "settings", "--ignore-not-found")

    def decision(self, *words: str) -> dict[str, object]:
        done = subprocess.run(
            [*PROGRAM, "policy", "check", *self.files, "-o", "json", "--", *words],
            env=self.person.environ,
            cwd=self.person.home,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        found: dict[str, object] = json.loads(done.stdout)
        return found

    @property
    def kept(self) -> Path:
        """The file of what clusters publish."""
        return self.person.home / "state/kubectl-stepup/published.json"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, no_orphans: None) -> Iterator[Desk]:
    with opened_guarded(tmp_path_factory.mktemp("published"), POLICY) as guarded:
        person = settle(guarded)
        person.sign_in()
        own = person.home / "own-policy.yaml"
        own.write_text(OWN)
        own.chmod(0o600)
        guarded.provider.answer.acr = ACR["mfa"]
        guarded.provider.answer.claims = {"groups": ["dev"]}
        guarded.provider.answer.interval = 1
        wait_for_guards(guarded, "DELETE", POD)
        files = ("--config", str(person.home / "config.yaml"), "--policy", str(own))
        with DemoTerminal(person.environ) as terminal:
            yield Desk(guarded=guarded, person=person, terminal=terminal, files=files)


def test_a_step_up_brings_the_clusters_policy(desk: Desk) -> None:
    before = desk.decision(*SHELL)
    assert (before["decision"], desk.kept.exists()) == ("allow", False)

    done = desk.delete()

    assert (done.code, 'configmap "settings" deleted' in done.screen) == (0, True), done.screen
    after = desk.decision(*SHELL)
    assert (after["decision"], after["level"], after["rules"]) == ("stepup", "mfa", ["shells"])
    # Its own rules go on counting, beside the published ones.
    assert desk.decision("delete", "pod", "web-0")["rules"] == ["mine", "deletes"]
    assert "prod-eu (published)" in desk.terminal.run([*PROGRAM, "policy", "show", *desk.files]).screen


def test_what_is_not_published_any_more_does_not_count(desk: Desk) -> None:
    assert desk.delete().code == 0
    published = desk.guarded.api.admin.get(PUBLISHED)
    desk.guarded.api.admin.request("DELETE", PUBLISHED).raise_for_status()
    try:
        assert desk.delete().code == 0
        assert desk.decision(*SHELL)["decision"] == "allow"
    finally:
        published["metadata"] = {name: published["metadata"][name] for name in ("name", "labels", "annotations")}
        desk.guarded.api.admin.create(PUBLISHED.rpartition("/")[0], published)


def test_what_somebody_wrote_into_it_lowers_nothing_and_stands_below_the_prompt(desk: Desk) -> None:
    admin, good = desk.guarded.api.admin, desk.guarded.api.admin.get(PUBLISHED)["data"]
    admin.request("PATCH", PUBLISHED, {"data": {"policy.yaml": LOOSE}}, MERGE).raise_for_status()
    try:
        assert desk.delete().code == 0
        assert desk.decision("delete", "pod", "web-0")["level"] == "mfa"
        shown = desk.terminal.run([*PROGRAM, "policy", "show", *desk.files, "-o", "json"]).screen
        (mfa,) = json.loads(shown.replace("\n", ""))["levels"]
        assert (mfa["signedInWithin"], mfa["askAgainAfter"]) == ("15m", "10m")
        screen = " ".join(desk.delete().screen.split())
        ours, _, below = screen.partition("Approve only what you started yourself.")
        said = (
            'message of rule loose, published by cluster prod-eu: "open [address left out] and enter [code left out]"'
        )
        assert (said in below, "evil" in screen, "loose" in ours) == (True, False, False), screen
    finally:
        admin.request("PATCH", PUBLISHED, {"data": good}, MERGE).raise_for_status()


def test_what_is_no_policy_is_ignored_and_what_was_kept_counts(desk: Desk) -> None:
    assert desk.delete().code == 0
    admin, good = desk.guarded.api.admin, desk.guarded.api.admin.get(PUBLISHED)["data"]
    admin.request("PATCH", PUBLISHED, {"data": {"policy.yaml": "rules: ["}}, MERGE).raise_for_status()
    try:
        done = desk.delete()
        assert done.code == 0, done.screen
        assert "warning: the published policy is ignored: prod-eu (published):" in done.screen
        assert desk.decision(*SHELL)["decision"] == "stepup"
    finally:
        admin.request("PATCH", PUBLISHED, {"data": good}, MERGE).raise_for_status()


def test_a_cluster_that_wants_a_later_client_is_obeyed(desk: Desk) -> None:
    admin, good = desk.guarded.api.admin, desk.guarded.api.admin.get(PUBLISHED)["data"]
    wanting = {"policy.yaml": good["policy.yaml"] + 'minClientVersion: "99.0"\n'}
    admin.request("PATCH", PUBLISHED, {"data": wanting}, MERGE).raise_for_status()
    try:
        refused = desk.stepup("exec", "--fresh", "--", "delete", "pod", "web-1", "-n", "shop")
        assert (refused.code, "this policy needs kubectl-stepup 99.0 or later" in refused.screen) == (125, True)
        assert "hint: pip install --upgrade kubectl-stepup" in refused.screen
        assert admin.request("GET", "/api/v1/namespaces/shop/pods/web-1").ok
    finally:
        admin.request("PATCH", PUBLISHED, {"data": good}, MERGE).raise_for_status()
