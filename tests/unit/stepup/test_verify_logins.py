"""Under which logins `policy verify` looks: with what credentials, who is asked, and what is on record."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from kubectl_stepup.audit.event import Activity
from kubectl_stepup.config.model import Cluster
from kubectl_stepup.enforce.bundle import Bundle, Request
from kubectl_stepup.enforce.verify.answers import Answer
from kubectl_stepup.errors import (
    ClusterChanged,
    CommandRefused,
    InteractionRequired,
    KubectlFailed,
    StepUpDenied,
    UsageError,
)
from kubectl_stepup.stepup.execute import Wish
from kubectl_stepup.stepup.verify import MadeWith, Verification, Verified, VerifyPorts, verify
from kubectl_stepup.trusted_file import Untrusted
from tests.flows import RESOLVED, FakeKubectl, World, session
from tests.support.values import CLUSTER, repinned
from tests.unit.enforce.test_bundle import compiled, request

LEVEL_GROUPS = {"stepup:mfa": ["stepup:mfa"], "stepup:strong": ["stepup:mfa", "stepup:strong"], "alice-everyday": []}


class Looking:
    """`policy verify` in a world; the server only knows who is calling."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.asked: list[tuple[str, tuple[str, ...], Mapping[str, str]]] = []
        self.made_with: list[MadeWith] = []
        self.fails: KubectlFailed | None = None

    def verify(self, **wanted: Any) -> Verified:
        """Verify the one cluster."""
        world = self.world
        ports = VerifyPorts(
            config=world.config,
            policy=world.policy,
            kubeconfig=world.kubeconfig,
            scope=world.scope,
            moment=world.moment,
            run_ports=lambda resolved: world.run_ports(),
            answer=self._answer,
            compiled=self._compiled,
            parse=lambda text: None,
        )
        return verify(Verification(cluster=CLUSTER, **wanted), ports)

    def users(self) -> list[str]:
        """Return who was seen, each once."""
        return list(dict.fromkeys(user for user, _, _ in self.asked))

    def _compiled(self, cluster: Cluster, made_with: MadeWith) -> tuple[Request, Bundle]:
        self.made_with.append(made_with)
        return request(self.world.policy), compiled(self.world.policy)

    def _answer(self, words: Sequence[str], environ: Mapping[str, str], stdin: str) -> Answer:
        overlay = self.world.kubectl.files.get(environ.get("KUBECONFIG", "").partition(":")[0])
        user = "alice-everyday" if overlay is None else json.loads(overlay)["users"][0]["name"]
        self.asked.append((user, tuple(words), dict(environ)))
        if self.fails is not None and user != "alice-everyday":
            raise self.fails
        if "--raw" in words and "selfsubjectreviews" in words[2]:
            info = {"username": "alice", "groups": LEVEL_GROUPS[user]}
            return Answer(code=0, out=json.dumps({"status": {"userInfo": info}}))
        if words[1] == "configmap":
            said = {"kubectl-stepup.github.io/break-glass": "sre", "kubectl-stepup.github.io/token-lifetime": "300"}
            return Answer(code=0, out=json.dumps({"metadata": {"annotations": said}}))
        return Answer(code=1, err="no")


def approving() -> World:
    return World(approve=lambda wish: session(level=wish.level.name))


def recorded(world: World) -> list[tuple[str, str, str | None]]:
    return [(event.activity.value, event.result, event.level) for event in world.audit.events]


def test_without_a_session_one_looks_as_every_day_and_nobody_is_asked() -> None:
    looking = Looking(approving())
    found = looking.verify()

    assert [login.name for login in found.logins] == ["everyday"]
    assert looking.users() == ["alice-everyday"]
    assert (looking.world.asked, looking.world.audit.events) == ([], [])


def test_every_kubectl_names_the_context_and_reads_no_kuberc() -> None:
    looking = Looking(approving())
    looking.verify(kubeconfig="/other/config")

    assert len(looking.asked) > 5
    for _, words, environ in looking.asked:
        assert words[-3:] == ("--kubeconfig=/other/config", "--context=prod", "--request-timeout=20s")
        assert (environ["KUBERC"], environ["PATH"]) == ("off", "/usr/bin")


def test_a_session_that_is_there_is_used_under_the_overlay_and_put_on_record() -> None:
    looking = Looking(approving())
    looking.world.put(session(level="strong"))
    found = looking.verify()

    assert [(login.name, login.rank) for login in found.logins] == [("everyday", -1), ("strong", 1)]
    assert looking.users() == ["alice-everyday", "stepup:strong"]
    assert looking.world.asked == []
    assert recorded(looking.world) == [("run", "reused", "strong"), ("run", "reused", "strong")]
    assert looking.world.audit.events[0].command == ("stepup", "policy", "verify", "--cluster", "prod-eu")
    assert (looking.world.lent, looking.world.kubectl.files) == ([], {})


def test_a_stronger_session_does_not_stand_in_for_a_weaker_level() -> None:
    looking = Looking(approving())
    looking.world.put(session(level="strong"))
    found = looking.verify(levels=("mfa",))

    assert [login.name for login in found.logins] == ["everyday", "mfa"]
    assert [wish.level.name for wish in looking.world.asked] == ["mfa"]


def test_levels_that_are_named_are_stepped_up_to_weakest_first() -> None:
    looking = Looking(approving())
    found = looking.verify(levels=("strong", "mfa"))

    assert [login.name for login in found.logins] == ["everyday", "mfa", "strong"]
    assert [wish.level.name for wish in looking.world.asked] == ["mfa", "strong"]
    assert looking.world.asked[0].summary == "look at what the server enforces, as mfa"
    assert [activity for activity, _, _ in recorded(looking.world)].count(Activity.RUN.value) == 4


def test_no_levels_at_all_look_as_every_day_whatever_sessions_there_are() -> None:
    looking = Looking(approving())
    looking.world.put(session(level="mfa"))

    assert [login.name for login in looking.verify(levels=()).logins] == ["everyday"]


def test_the_objects_say_by_what_they_were_compiled_and_flags_go_first() -> None:
    looking = Looking(approving())
    looking.verify()
    looking.verify(made_with=MadeWith(break_glass="", token_life_s=60))

    assert looking.made_with == [
        MadeWith(break_glass="sre", token_life_s=300),
        MadeWith(break_glass="", token_life_s=60),
    ]


def test_a_person_who_says_no_ends_it() -> None:
    def deny(wish: Any) -> Any:
        raise StepUpDenied("no")

    looking = Looking(World(approve=deny))
    with pytest.raises(StepUpDenied):
        looking.verify(levels=("mfa",))
    assert looking.asked == []


def test_nobody_to_ask_names_the_command_to_type() -> None:
    looking = Looking(approving())
    looking.world.terminal.obstacle_ = "CI=true"
    with pytest.raises(InteractionRequired) as caught:
        looking.verify(levels=("mfa",))
    assert caught.value.hint == "in a terminal: kubectl stepup policy verify --cluster prod-eu"


@pytest.mark.parametrize(
    ("levels", "wish", "error"),
    [
        (("nosuch",), Wish(), UsageError),
        (("critical",), Wish(), CommandRefused),  # it asks for a reason
    ],
)
def test_what_cannot_be_stepped_up_to(levels: tuple[str, ...], wish: Wish, error: type[Exception]) -> None:
    with pytest.raises(error):
        Looking(approving()).verify(levels=levels, wish=wish)


def test_another_cluster_is_never_asked() -> None:
    looking = Looking(World(contexts=(repinned(RESOLVED, server="https://evil.example.com"),)))
    with pytest.raises(ClusterChanged):
        looking.verify()
    assert looking.asked == []


def test_a_kubectl_that_others_can_write_is_not_run_elevated() -> None:
    fault = Untrusted("/opt", "can be changed by other users", "chmod go-w /opt")
    looking = Looking(World(kubectl=FakeKubectl(writable=fault)))
    with pytest.raises(CommandRefused):
        looking.verify(levels=("mfa",), wish=Wish())
    assert (looking.asked, looking.world.asked) == ([], [])

    looking.world.put(session(level="mfa"))
    with pytest.raises(CommandRefused):
        looking.verify()
    assert (looking.asked, looking.world.lent) == ([], [])


def test_a_failure_in_between_is_on_record() -> None:
    looking = Looking(approving())
    looking.world.put(session(level="mfa"))
    looking.fails = KubectlFailed("kubectl did not end")
    with pytest.raises(KubectlFailed):
        looking.verify()

    assert recorded(looking.world) == [("run", "reused", "mfa"), ("run", "kubectl-failed", "mfa")]
    assert (looking.world.lent, looking.world.kubectl.files) == ([], {})
