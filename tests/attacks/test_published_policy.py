"""Who may edit what one cluster publishes weakens nothing, blocks nobody elsewhere, and speaks in its own name."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from kubectl_stepup.errors import CommandRefused, ConfigError, PolicyError, PolicyTooNew
from kubectl_stepup.kubectl.command import read
from kubectl_stepup.policy.decision import Decision
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.load import load
from kubectl_stepup.policy.model import Policy, Target
from kubectl_stepup.policy.published import Published
from kubectl_stepup.policy.published_file import parsed
from kubectl_stepup.stepup.options import StepUpOptions
from kubectl_stepup.stepup.sessions import live_sessions, logout
from kubectl_stepup.stepup.status import meets
from kubectl_stepup.ui.errors import error_text
from tests.flows.test_whole_commands import PROMPT, approved
from tests.support.fakes import FakeProvider, Replaced
from tests.support.values import CLUSTER, RESOLVED, repinned, session
from tests.support.world import World

HEAD = "apiVersion: kubectl-stepup.github.io/v1alpha1\nkind: Policy\n"
OWN = """\
levels:
  - {name: mfa, signedInWithin: 5m, askAgainAfter: 1m}
  - {name: critical, signedInWithin: 1m, askAgainAfter: 0s, reason: required}
rules:
  - {name: deletes, do: [delete], needs: mfa}
  - {name: power, do: [grant], needs: critical}
"""
MFA = "levels: [{name: mfa, signedInWithin: 5m, askAgainAfter: 1m}]\n"


def levels(time: str, *names: str) -> str:
    """Return levels with one time in all fields."""
    listed = (f"{{name: {name}, signedInWithin: {time}, askAgainAfter: {time}}}" for name in names)
    return f"levels: [{', '.join(listed)}]\n"


LOOSE = levels("24h", "mfa", "critical")
GRANT = ("create", "clusterrolebinding", "me", "--clusterrole=cluster-admin", "--user=me")
LAB = repinned(CLUSTER, name="lab", context="lab", server="https://api.lab.example.com", ca_sha256="1a" * 32)
RESOLVED_LAB = replace(RESOLVED, context="lab", cluster="lab-cluster", pin=LAB.pin, namespace="shop")


def policy(*published: tuple[str, str], own: str | None = OWN) -> Policy:
    """Return a person's policy (None: the built-in one), with what clusters publish."""
    user = None if own is None else ("policy.yaml", f"{HEAD}{own}".encode())
    theirs = [Published(cluster=name, policy=parsed(f"{HEAD}{text}", name)) for name, text in published]
    return load(None, user, published=theirs)


def decided(found: Policy, cluster: str | None, *words: str) -> Decision:
    return decide(found, read(words), Target(cluster=cluster, labels={}, namespace="shop"))


def world(*published: tuple[str, str], own: str = OWN, **more: object) -> World:
    made = World(policy=policy(*published, own=own), contexts=(RESOLVED, RESOLVED_LAB), **more)  # type: ignore[arg-type]
    made.config = made.enrolled(CLUSTER, LAB)
    return made


# -- levels ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", [OWN, None])
@pytest.mark.parametrize(
    "text", [f"{LOOSE}rules: []", "levels: [{name: mfa, signedInWithin: 24h, askAgainAfter: 12h}]\nrules: []"]
)
def test_loose_levels_of_one_cluster_change_nothing_anywhere(own: str | None, text: str) -> None:
    before, after = policy(own=own), policy(("dev", text), own=own)

    for cluster in ("dev", "demo", None):
        assert after.for_cluster(cluster).levels == before.levels
        for words in (GRANT, ("delete", "namespace", "prod"), ("create", "token", "builder")):
            assert decided(after, cluster, *words) == decided(before, cluster, *words)
    assert decided(after, "demo", *GRANT).level == "critical"
    assert decided(after, "demo", *GRANT).reason_required


def test_strict_levels_of_one_cluster_count_there_alone() -> None:
    strict = "levels: [{name: mfa, signedInWithin: 1m, askAgainAfter: 0s, reason: required, serverWindow: 2m}]"
    found = policy(("dev", strict))
    (dev, _), (demo, _) = found.for_cluster("dev").levels, found.for_cluster("demo").levels

    assert (dev.signed_in_within_s, dev.ask_again_after_s, dev.reason_required, dev.server_window_s) == (
        60,
        0,
        True,
        120,
    )
    assert (dev.window_by, demo) == ("dev", found.levels[0])
    assert demo == policy().levels[0]


def test_a_level_that_only_a_cluster_has_is_asked_for_by_its_name_and_meets_no_level_of_ones_own() -> None:
    theirs = levels("5m", "mfa", "gold")
    own = MFA + "rules: [{name: mine, do: [delete], needs: mfa}]"
    found = policy(("dev", f"{theirs}rules: [{{name: shells, do: [shell], needs: gold}}]"), own=own)

    assert decided(found, "dev", "exec", "web-0", "--", "sh").level == "gold"
    there = found.for_cluster("dev")
    assert [level.name for level in there.levels] == ["mfa", "gold"]
    assert (there.stronger("mfa"), there.meets("gold", "mfa")) == ((), False)


def test_a_command_that_needs_two_levels_without_an_order_is_refused_there_with_what_to_do() -> None:
    theirs = (
        "levels: [{name: easy, signedInWithin: 24h, askAgainAfter: 12h}]\n"
        "rules: [{name: theirs, do: [delete], needs: easy}]"
    )
    found = policy(("dev", theirs))
    refused = decided(found, "dev", "delete", "pod", "x")

    assert (refused.effect, refused.code) == ("refuse", "levels-without-order")
    assert refused.why == (
        "rule theirs (published by cluster dev) needs level easy, rule deletes needs mfa, and your policy does not say "
        "which of the two is stronger"
    )
    assert refused.hint == "put level easy into the levels of your policy, in its place among them"
    assert decided(found, "demo", "delete", "pod", "x").level == "mfa"
    # Named in one's own policy it has its place.
    own = OWN.replace("levels:\n", "levels:\n  - {name: easy, signedInWithin: 1h, askAgainAfter: 1h}\n")
    assert decided(policy(("dev", theirs), own=own), "dev", "delete", "pod", "x").level == "mfa"


def test_the_order_of_ones_own_levels_is_not_turned_round() -> None:
    turned = levels("1m", "critical", "mfa") + "rules: [{name: theirs, do: [shell], needs: mfa}]"
    found = policy(("dev", turned))

    assert decided(found, "dev", *GRANT).level == "critical"
    # There mfa stands above critical: here that can only be critical.
    assert decided(found, "dev", "exec", "web-0", "--", "sh").level == "critical"


def test_a_session_of_another_clusters_level_is_not_reused() -> None:
    theirs = levels("5m", "mfa", "critical", "strong")
    made = world(("lab", theirs), approve=lambda asked: session(level=asked.level.name))
    asked = made.asked
    made.execute("delete", "pod", "x")

    assert [(one.level.name, [level.name for level in one.stronger]) for one in asked] == [("mfa", ["critical"])]
    assert asked[0].level == made.policy.levels[0]


def test_a_session_at_a_clusters_own_level_counts_for_none_of_ones_own() -> None:
    made = world(
        ("prod-eu", levels("5m", "mfa", "critical", "strong") + "rules: [{name: s, do: [shell], needs: strong}]")
    )
    made.approve = lambda asked: session(level=asked.level.name)
    assert made.execute("exec", "web-0", "--", "sh") == 0
    assert [asked.level.name for asked in made.asked] == ["strong"]
    (live,) = live_sessions(made.config.clusters, made.sessions())

    assert live.level.name == "strong"
    assert [meets([live], made.policy, level) for level in (None, "strong", "mfa", "critical")] == [
        *(True, True),
        *(False, False),
    ]
    made.execute("delete", "pod", "x")
    assert [asked.level.name for asked in made.asked] == ["strong", "mfa"]


# -- what cannot be used --------------------------------------------------------------------------------------------


def test_a_window_that_lets_no_token_through_blocks_its_own_cluster_alone_and_says_who_published_it() -> None:
    window = "levels: [{name: mfa, signedInWithin: 5m, askAgainAfter: 1m, serverWindow: 1s}]"
    made = world(("lab", window), provider=FakeProvider(answers=[approved()]))

    assert made.execute("delete", "pod", "web-0") == 0
    with pytest.raises(ConfigError) as caught:
        made.execute("delete", "pod", "web-0", "--context", "lab")
    assert caught.value.message == (
        "level mfa in lab has a serverWindow of 1s, as cluster lab publishes it: no token that a person can get is so "
        "young; 30s is the least"
    )
    assert caught.value.hint == "kubectl stepup policy forget --cluster lab"
    assert len(made.provider.requests) == 1  # nobody was asked


def test_a_short_window_is_named_where_a_token_does_not_fit() -> None:
    window = "levels: [{name: mfa, signedInWithin: 5m, askAgainAfter: 1m, serverWindow: 5m}]"
    made = world(("prod-eu", window), provider=FakeProvider(answers=[approved()]))

    with pytest.raises(Exception, match="as cluster prod-eu publishes it"):
        made.execute("delete", "pod", "web-0")


@pytest.mark.parametrize(("too_new", "error"), [(False, PolicyError), (True, PolicyTooNew)])
def test_what_cannot_be_used_stops_its_own_cluster_alone(too_new: bool, error: type[PolicyError]) -> None:
    broken = Published(cluster="lab", policy=None, problem="lab (published):3: x", hint="do", too_new=too_new)
    made = world(approve=lambda asked: session(level=asked.level.name))
    made.policy = load(None, ("policy.yaml", f"{HEAD}{OWN}".encode()), published=[broken])

    assert made.execute("delete", "pod", "x") == 0
    with pytest.raises(error, match=r"^lab \(published\):3: x"):
        made.execute("delete", "pod", "x", "--context", "lab")
    assert [one.cluster.name for one in live_sessions(made.config.clusters, made.sessions())] == ["prod-eu"]
    assert len(logout(made.config.clusters, made.sessions(), everywhere=False).ended) == 1


def test_a_context_that_is_not_enrolled_is_none_of_the_clusters_that_publish() -> None:
    made = world(
        (
            "prod-eu",
            MFA + "rules: [{name: all, do: [change], needs: mfa}]",
        )
    )
    made.config = replace(made.enrolled(CLUSTER), unenrolled="refuse")

    with pytest.raises(Replaced):
        made.execute("label", "pod", "x", "a=b", "--context", "lab")


# -- text -----------------------------------------------------------------------------------------------------------

EVIL = (
    "1. Open https://login-demo.invalid/device?user_code=EVIL-CODE  2. Compare code EVIL-CODE  3. Approve with your "
    "second factor. (The address below is for another provider: leave it.)"
)
TEXTS = (
    "levels: [{name: mfa, signedInWithin: 15m, askAgainAfter: 10m, "
    "help: 'enter WDJB-MJHT at evil.example.com', runbook: 'https://evil.example.com'}]\n"
    f"rules: [{{name: open-the-door, do: [delete], needs: mfa, message: '{EVIL}'}}]"
)
LEADS = re.compile(r"https?://(?!login\.example\.com|api\.prod\.example\.com)|evil\.example|EVIL-CODE|invalid")


def test_what_a_cluster_says_stands_below_the_prompt_quoted_and_without_addresses() -> None:
    own = OWN.replace("5m, askAgainAfter: 1m", "15m, askAgainAfter: 10m")
    made = world(("prod-eu", TEXTS), own=own, provider=FakeProvider(answers=[approved()]))
    assert made.execute("delete", "pod", "web-0") == 0

    shown = made.terminal.said[0]
    assert shown.startswith(f"{PROMPT}\n")
    below = shown.removeprefix(f"{PROMPT}\n").splitlines()
    assert below[0] == 'rule published by cluster prod-eu: "open-the-door"'
    assert below[1].startswith(
        'message of rule open-the-door, published by cluster prod-eu: "1. Open [address left out]'
    )
    assert (len(below), LEADS.search("\n".join(made.terminal.said))) == (2, None)
    assert made.audit.events[-1].rules == ("deletes", "open-the-door (published by cluster prod-eu)")
    # And the next command, for which nobody is asked, says it after who approved.
    made.execute("delete", "pod", "web-1")
    assert [line.partition(",")[0] for line in made.terminal.said[2:]] == [
        "Using mfa in prod-eu",
        "message of rule open-the-door",
    ]


def test_help_that_a_cluster_publishes_is_quoted_and_its_runbook_left_out() -> None:
    made = world(("prod-eu", TEXTS), provider=FakeProvider(answers=[{"error": "access_denied"}]))
    with pytest.raises(Exception) as caught:  # noqa: PT011 - what is shown of it counts
        made.execute("delete", "pod", "web-0")
    text = error_text(caught.value)  # type: ignore[arg-type]

    assert "Help of level mfa" not in text
    assert 'help of level mfa, published by cluster prod-eu: "enter [code left out] at [address left out]"' in text
    assert (LEADS.search(text), "Runbook" in text) == (None, False)


def test_ones_own_text_has_its_addresses_and_names_its_file() -> None:
    own = OWN.replace("needs: mfa}", 'needs: mfa, message: "see https://wiki.example.com/x"}')
    made = world(own=own, provider=FakeProvider(answers=[approved()]))
    made.execute("delete", "pod", "web-0")

    assert made.terminal.said[0].endswith(
        '\nmessage of rule deletes, from policy.yaml: "see https://wiki.example.com/x"'
    )


def test_a_warning_names_the_cluster_of_its_rule() -> None:
    made = world(
        (
            "prod-eu",
            MFA
            + "rules: [{name: soon, do: [change], needs: mfa, mode: warn, message: 'go to https://evil.example.com'}]",
        )
    )
    with pytest.raises(Replaced):
        made.execute("label", "pod", "x", "a=b")

    assert made.terminal.said == [
        "warning: rule soon (published by cluster prod-eu) will ask for mfa: patch pods/x in namespace shop",
        'message of rule soon, published by cluster prod-eu: "go to [address left out]"',
    ]


def test_a_ticket_that_a_cluster_wants_is_refused_before_anybody_is_asked() -> None:
    made = world(
        (
            "prod-eu",
            MFA + "rules: [{name: t, do: [delete], needs: mfa, ticket: 'https://evil.example.com/*'}]",
        )
    )
    with pytest.raises(CommandRefused) as caught:
        made.execute("delete", "pod", "x", options=StepUpOptions(reason="because"))
    assert LEADS.search(caught.value.message + (caught.value.hint or "")) is None


def test_a_rule_that_a_cluster_publishes_as_one_has_it_is_told_once() -> None:
    rule = "rules: [{name: deletes, do: [delete], needs: mfa, message: careful}]"
    made = world(("prod-eu", MFA + rule), own=MFA + rule, provider=FakeProvider(answers=[approved()]))
    made.execute("delete", "pod", "web-0")

    below = made.terminal.said[0].partition("Not opening a browser: no display.")[2]
    assert below == '\nmessage of rule deletes, from policy.yaml: "careful"'
    assert made.audit.events[-1].rules == ("deletes",)
