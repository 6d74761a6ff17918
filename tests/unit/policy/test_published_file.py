"""What clusters publish is kept like a policy: whole, ours, and never forgotten in silence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kubectl_stepup.clock import SystemClock
from kubectl_stepup.errors import PolicyError, PolicyTooNew
from kubectl_stepup.policy.published_file import LARGEST_TEXT, forget, keep, parsed, read

POLICY = """\
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Policy
levels: [{name: mfa, signedInWithin: 15m, askAgainAfter: 10m}]
rules: [{name: a, do: [delete], needs: mfa}]
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "state" / "published.json")


def test_nothing_was_kept_yet(path: str) -> None:
    assert read(path) == ()


def test_what_was_kept_is_read_by_the_clusters_names(path: str) -> None:
    assert keep(path, "prod", POLICY, clock=SystemClock()) is True
    assert keep(path, "dev", POLICY, clock=SystemClock()) is True

    assert [(one.cluster, one.policy and one.policy.rules[0].name) for one in read(path)] == [
        ("dev", "a"),
        ("prod", "a"),
    ]
    assert Path(path).stat().st_mode & 0o777 == 0o600


def test_the_same_again_changes_nothing(path: str) -> None:
    keep(path, "prod", POLICY, clock=SystemClock())
    before = Path(path).stat()

    assert keep(path, "prod", POLICY, clock=SystemClock()) is False
    assert Path(path).stat().st_ino == before.st_ino


def test_what_is_not_published_any_more_is_forgotten(path: str) -> None:
    keep(path, "prod", POLICY, clock=SystemClock())

    assert keep(path, "prod", None, clock=SystemClock()) is True
    assert read(path) == ()
    assert keep(path, "prod", None, clock=SystemClock()) is False


def test_where_nothing_is_published_nothing_is_written(path: str) -> None:
    assert keep(path, "prod", None, clock=SystemClock()) is False
    assert not Path(path).parent.exists()


@pytest.mark.parametrize("content", ["{", "[]", '{"prod": 1}', "[" * 10_000])
def test_a_damaged_file_is_said_and_not_skipped(path: str, content: str) -> None:
    Path(path).parent.mkdir()
    Path(path).write_text(content)

    with pytest.raises(PolicyError):
        read(path)


def test_a_text_that_is_no_policy_stands_for_its_own_cluster_alone(path: str) -> None:
    keep(path, "prod", POLICY, clock=SystemClock())
    keep(path, "de v", "kind: Policy", clock=SystemClock())
    keep(path, "new", f'{POLICY}minClientVersion: "99.0"\n', clock=SystemClock())

    dev, new, prod = read(path)
    assert (dev.policy, new.policy, prod.policy is None) == (None, None, False)
    assert (dev.problem or "").startswith("de v (published):1: ")
    assert dev.hint == "kubectl stepup policy forget --cluster 'de v'"
    assert ("needs kubectl-stepup 99.0" in (new.problem or ""), new.too_new, dev.too_new) == (True, True, False)


def test_one_cluster_cannot_take_the_room_of_the_others(path: str) -> None:
    keep(path, "prod", POLICY, clock=SystemClock())

    with pytest.raises(PolicyError, match=r"^dev \(published\): longer than 256 KiB"):
        keep(path, "dev", "\u00e9" * 50_000, clock=SystemClock())  # six bytes each, as they are kept
    for number in range(15):
        keep(path, f"c{number}", "x" * ((256 << 10) - 2), clock=SystemClock())
    assert len(read(path)) == 16


def test_what_many_clusters_publish_never_makes_the_file_unreadable(path: str) -> None:
    longest = POLICY + "#" * (LARGEST_TEXT - len(json.dumps(POLICY)))
    for number in range(15):
        keep(path, f"cluster-{number}", longest, clock=SystemClock())
    with pytest.raises(PolicyError, match=r"last \(published\): no room beside what other clusters published, 4 MiB"):
        keep(path, "last", longest, clock=SystemClock())
    assert len(read(path)) == 15
    assert forget(path, "cluster-3", clock=SystemClock()) == ("cluster-3",)
    assert keep(path, "last", longest, clock=SystemClock()) is True


def test_forgetting_names_what_was_there(path: str) -> None:
    assert forget(path, "dev", clock=SystemClock()) == ()
    assert not Path(path).parent.exists()
    for cluster in ("prod", "dev", "lab"):
        keep(path, cluster, POLICY, clock=SystemClock())

    assert forget(path, "dev", clock=SystemClock()) == ("dev",)
    assert forget(path, "dev", clock=SystemClock()) == ()
    assert [one.cluster for one in read(path)] == ["lab", "prod"]
    assert forget(path, None, clock=SystemClock()) == ("lab", "prod")
    assert read(path) == ()


def test_a_damaged_file_can_only_be_forgotten_as_a_whole(path: str) -> None:
    Path(path).parent.mkdir()
    Path(path).write_text("{")
    Path(path).chmod(0o600)

    with pytest.raises(PolicyError) as caught:
        forget(path, "dev", clock=SystemClock())
    assert caught.value.hint == "kubectl stepup policy forget --all"
    assert forget(path, None, clock=SystemClock()) == ()
    assert read(path) == ()


def test_a_file_that_others_can_write_is_refused(path: str) -> None:
    keep(path, "prod", POLICY, clock=SystemClock())
    Path(path).chmod(0o666)

    with pytest.raises(PolicyError, match="can be changed by other users"):
        read(path)


def test_a_link_is_followed_to_what_nobody_else_can_write(path: str, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text(json.dumps({"prod": POLICY}))
    elsewhere.chmod(0o600)
    Path(path).parent.mkdir()
    Path(path).symlink_to(elsewhere)
    assert [one.cluster for one in read(path)] == ["prod"]

    elsewhere.chmod(0o666)
    with pytest.raises(PolicyError, match=r"elsewhere\.json can be changed by other users"):
        read(path)


def test_a_policy_for_later_versions_says_which() -> None:
    with pytest.raises(PolicyTooNew, match=r"^prod \(published\):5: minClientVersion: this policy needs"):
        parsed(f'{POLICY}minClientVersion: "99.0"\n', "prod")
