"""A session ends with what it rests on: its enrolment, its evidence, its level and their times; and by `logout`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubectl_stepup.demo.terminal import DemoTerminal
from tests.support.lab import Lab, opened_lab
from tests.support.lab.lab import ACR
from tests.whole.test_static_entry import with_static_context

Change = Callable[[str], str]

POLICY_CHANGES: dict[str, Change] = {
    "asks for each command": lambda text: text.replace("askAgainAfter: 10m", "askAgainAfter: 0s"),
    "asks again sooner": lambda text: text.replace("askAgainAfter: 10m", "askAgainAfter: 1ms"),
    "has another level": lambda text: text.replace("mfa", "basic"),
    "does not load": lambda text: text + "rules: []\n",
}
CONFIG_CHANGES: dict[str, Change] = {
    "other evidence": lambda text: text.replace(f'mfa: {{acr: ["{ACR}"]}}', 'mfa: {acr: ["urn:stepup:phr"]}'),
    "another account": lambda text: text.replace("account: alice", "account: bob"),
    "another client": lambda text: text.replace("elevatedClientID: kubectl-elevated", "elevatedClientID: other"),
    "another CA": lambda text: (
        text.replace("caSHA256: ", "caSHA256: 00")[: text.index("caSHA256: ") + 74]
        + text[text.index("caSHA256: ") + 74 :]
    ),
    "no cluster": lambda text: text.partition("clusters:")[0],
}
FILES = {"policy": POLICY_CHANGES, "config": CONFIG_CHANGES}


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with opened_lab(tmp_path) as opened:
        yield opened


def elevated(lab: Lab) -> None:
    """Step up for the static context."""
    with_static_context(lab)
    assert lab.stepup("login", "--scope", "user").code == 0
    assert by_the_static_entry(lab)


def by_the_static_entry(lab: Lab) -> bool:
    """Whether kubectl is given the token that a client of the static context uses."""
    done = lab.kubectl("--context", "prod-elevated", "auth", "whoami", "-o", "jsonpath={.status.userInfo.groups}")
    assert (done.returncode == 0) == (b"stepup:mfa" in done.stdout), done.stderr
    return done.returncode == 0


def of(lab: Lab, name: str) -> Path:
    return Path(lab.environ["HOME"], f".config/kubectl-stepup/{name}.yaml")


@pytest.mark.parametrize(("name", "change"), [(name, change) for name, changes in FILES.items() for change in changes])
def test_a_session_serves_by_the_files_as_they_are_now(lab: Lab, name: str, change: str) -> None:
    elevated(lab)
    before = of(lab, name).read_text()
    after = FILES[name][change](before)
    assert after != before
    of(lab, name).write_text(after)

    assert not by_the_static_entry(lab)
    assert lab.stepup("status", "--check").code != 0

    of(lab, name).write_text(before)
    # By the old files it serves again, and is found at once from then on.
    assert by_the_static_entry(lab)
    assert by_the_static_entry(lab)
    assert lab.provider.count("device") == 1


def test_a_change_that_is_about_something_else_ends_nothing(lab: Lab) -> None:
    elevated(lab)
    of(lab, "config").write_text(of(lab, "config").read_text().replace("env: prod", "env: prod, team: a"))
    of(lab, "policy").write_text(of(lab, "policy").read_text().replace("askAgainAfter: 10m", "askAgainAfter: 9m"))
    assert by_the_static_entry(lab)
    assert lab.stepup("exec", "--", "delete", "pod", "web-0").code == 0
    assert lab.provider.count("device") == 1


def test_a_removed_enrolment_ends_the_sessions_of_every_terminal(lab: Lab) -> None:
    elevated(lab)
    with DemoTerminal(lab.environ) as other:
        words = ["kubectl-stepup", "exec", "--level", "mfa", "--fresh", "--", "get", "pods"]
        assert other.run(words).code == 0

        gone = lab.quietly("setup", "--context", "prod", "--remove", "--yes")

        assert gone.returncode == 0, gone.stderr
        assert gone.stderr.count(b"Ended the elevation to mfa in prod: its enrolment has changed\n") == 2
        assert not by_the_static_entry(lab)
    results = [(found["activity"], found["result"]) for found in lab.records()]
    assert results[-3:] == [("setup", "removed"), ("logout", "logged-out"), ("logout", "logged-out")]


def test_a_step_up_that_is_under_way_for_a_removed_enrolment_is_not_kept(lab: Lab) -> None:
    with_static_context(lab)
    config = of(lab, "config").read_bytes()
    lab.answer.approve_after_polls = None

    def watch(screen: str) -> None:
        if "Waiting for approval" in screen and lab.answer.approve_after_polls is None:
            assert lab.quietly("setup", "--context", "prod", "--remove", "--yes").returncode == 0
            lab.answer.approve_after_polls = 0
            lab.provider.approve()

    ran = lab.terminal.run(["kubectl-stepup", "login", "--scope", "user"], watch)

    assert "logout ended the sessions in prod while this one was being approved" in ran.screen
    of(lab, "config").write_bytes(config)
    assert not by_the_static_entry(lab)


def test_logout_finds_what_is_enrolled_no_more(lab: Lab) -> None:
    elevated(lab)
    config = of(lab, "config")
    before = config.read_text()
    config.write_text(CONFIG_CHANGES["no cluster"](before))

    ran = lab.stepup("logout")

    assert "Ended mfa in prod" in ran.screen, ran.screen
    config.write_text(before)
    assert not by_the_static_entry(lab)


def test_logout_in_one_terminal_leaves_the_step_up_of_another(lab: Lab) -> None:
    """CONC-10."""
    lab.answer.approve_after_polls = None
    with DemoTerminal(lab.environ) as other:

        def watch(screen: str) -> None:
            if "Waiting for approval" in screen and lab.answer.approve_after_polls is None:
                assert other.run(["kubectl-stepup", "logout"]).code == 0
                lab.answer.approve_after_polls = 0
                lab.provider.approve()

        ran = lab.terminal.run(["kubectl-stepup", "exec", "--", "delete", "pod", "web-0"], watch)
        assert (ran.code, "logout ended" in ran.screen) == (0, False), ran.screen
        assert "Using mfa in prod" in lab.stepup("exec", "--", "delete", "pod", "web-1").screen
        assert other.run(["kubectl-stepup", "logout"]).code == 0
        assert lab.stepup("status", "--check").code == 0
        assert other.run(["kubectl-stepup", "logout", "--all"]).code == 0
    assert lab.stepup("status", "--check").code == 4
    assert lab.provider.count("device") == 1


def test_what_runs_elevated_keeps_what_it_was_approved_for(lab: Lab) -> None:
    """What was handed to the processes of one command ends with that command, and not before."""
    plugin = lab.directory / "bin/kubectl-twice"
    plugin.parent.mkdir()
    own = Path(lab.environ["HOME"], ".kube/config")
    plugin.write_text(
        "#!/bin/sh\nset -e\nkubectl get pods\n"
        f"KUBECONFIG={own} kubectl-stepup setup --context prod --remove --yes </dev/null\n"
        "kubectl get pods\n"
    )
    plugin.chmod(0o755)
    policy = of(lab, "policy")
    policy.write_text(f"{policy.read_text()}commands: {{twice: mfa}}\n")

    ran = lab.terminal.run(["sh", "-c", f"PATH={plugin.parent}:$PATH; exec kubectl-stepup exec -- twice"])

    assert (ran.code, ran.screen.count("web-0")) == (0, 2), ran.screen
    assert "Removed prod" in ran.screen
    assert "Ended the elevation to mfa in prod" in ran.screen
    assert lab.stepup("status", "--check").code == 4
