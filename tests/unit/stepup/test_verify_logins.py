"""The logins of `policy verify`: with what credentials they look, who is asked to step up, and what is recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from kubectl_stepup.audit.event import Activity
from kubectl_stepup.errors import (
    ClusterChanged,
    CommandRefused,
    InteractionRequired,
    KubectlFailed,
    StepUpDenied,
    UsageError,
)
from kubectl_stepup.stepup import verify as module
from kubectl_stepup.stepup.app import App
from kubectl_stepup.stepup.compile import Compiled, CompileOptions, compile_policy
from kubectl_stepup.stepup.options import StepUpOptions
from kubectl_stepup.stepup.verify import Verified, VerifyOptions, verify
from kubectl_stepup.trusted_file import Untrusted
from tests.flows import RESOLVED, FakeKubectl, World, session
from tests.support.values import CLUSTER, repinned

LEVEL_GROUPS = {"stepup:mfa": ["stepup:mfa"], "stepup:strong": ["stepup:mfa", "stepup:strong"], "alice-everyday": []}


@dataclass(kw_only=True)
class AnsweringKubectl:
    """The kubectl of a world; the server only knows who is calling."""

    world: World
    asked: list[tuple[str, tuple[str, ...], Mapping[str, str]]] = field(default_factory=list)
    fails: KubectlFailed | None = None

    def answer(
        self, argv: Sequence[str], environ: Mapping[str, str], *, stdin: bytes = b"", within_s: float
    ) -> tuple[int, bytes, bytes]:
        overlay = self.world.kubectl.files.get(environ.get("KUBECONFIG", "").partition(":")[0])
        user = "alice-everyday" if overlay is None else json.loads(overlay)["users"][0]["name"]
        self.asked.append((user, tuple(argv), dict(environ)))
        if self.fails is not None and user != "alice-everyday":
            raise self.fails
        if "--raw" in argv and "selfsubjectreviews" in argv[2]:
            info = {"username": "alice", "groups": LEVEL_GROUPS[user]}
            return 0, json.dumps({"status": {"userInfo": info}}).encode(), b""
        if argv[1] == "configmap":
            said = {"kubectl-stepup.github.io/break-glass": "sre", "kubectl-stepup.github.io/token-lifetime": "300"}
            return 0, json.dumps({"metadata": {"annotations": said}}).encode(), b""
        return 1, b"", b"no"


class Looking:
    """`policy verify` in a world; `compiled_with` are the options by which the policy in force was compiled."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.kubectl = AnsweringKubectl(world=world)
        self.compiled_with: list[CompileOptions] = []
        self.made: list[Compiled] = []

    def verify(self, **options: Any) -> Verified:
        """Verify the one cluster."""
        world = self.world
        app: Any = world
        app.own_policy = world.policy
        world.kubectl.answer = self.kubectl.answer
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "compile_policy", self._compile)
            return verify(VerifyOptions(cluster=CLUSTER, **options), app)

    @property
    def asked(self) -> list[tuple[str, tuple[str, ...], Mapping[str, str]]]:
        """Who ran which words, in which environment."""
        return self.kubectl.asked

    def users(self) -> list[str]:
        """Return who was seen, each once."""
        return list(dict.fromkeys(user for user, _, _ in self.asked))

    def _compile(self, options: CompileOptions, app: App) -> Compiled:
        self.compiled_with.append(options)
        self.made.append(compile_policy(options, app))
        return self.made[-1]


def approving() -> World:
    return World(approve=lambda request: session(level=request.level.name))


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
    assert [request.level.name for request in looking.world.asked] == ["mfa"]


def test_levels_that_are_named_are_stepped_up_to_weakest_first() -> None:
    looking = Looking(approving())
    found = looking.verify(levels=("strong", "mfa"))

    assert [login.name for login in found.logins] == ["everyday", "mfa", "strong"]
    assert [request.level.name for request in looking.world.asked] == ["mfa", "strong"]
    assert looking.world.asked[0].summary == "look at what the server enforces, as mfa"
    assert [activity for activity, _, _ in recorded(looking.world)].count(Activity.RUN.value) == 4


def test_no_levels_at_all_look_as_every_day_whatever_sessions_there_are() -> None:
    looking = Looking(approving())
    looking.world.put(session(level="mfa"))

    assert [login.name for login in looking.verify(levels=()).logins] == ["everyday"]


def test_the_objects_say_by_what_they_were_compiled_and_flags_go_first() -> None:
    looking = Looking(approving())
    looking.verify()
    looking.verify(break_glass="", token_life_s=60)

    assert looking.compiled_with == [
        CompileOptions(cluster="prod", break_glass="sre", token_life_s=300),
        CompileOptions(cluster="prod", break_glass=None, token_life_s=60),
    ]


def test_the_digest_is_that_of_the_policy_in_force() -> None:
    looking = Looking(approving())
    assert looking.verify().digest == looking.made[0].bundle.digest


def test_a_person_who_says_no_ends_it() -> None:
    def deny(request: Any) -> Any:
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
    ("levels", "step_up", "error"),
    [
        (("nosuch",), StepUpOptions(), UsageError),
        (("critical",), StepUpOptions(), CommandRefused),  # it asks for a reason
    ],
)
def test_what_cannot_be_stepped_up_to(levels: tuple[str, ...], step_up: StepUpOptions, error: type[Exception]) -> None:
    with pytest.raises(error):
        Looking(approving()).verify(levels=levels, step_up=step_up)


def test_another_cluster_is_never_asked() -> None:
    looking = Looking(World(contexts=(repinned(RESOLVED, server="https://evil.example.com"),)))
    with pytest.raises(ClusterChanged):
        looking.verify()
    assert looking.asked == []


def test_a_kubectl_that_others_can_write_is_not_run_elevated() -> None:
    fault = Untrusted("/opt", "can be changed by other users", "chmod go-w /opt")
    looking = Looking(World(kubectl=FakeKubectl(writable=fault)))
    with pytest.raises(CommandRefused):
        looking.verify(levels=("mfa",), step_up=StepUpOptions())
    assert (looking.asked, looking.world.asked) == ([], [])

    looking.world.put(session(level="mfa"))
    with pytest.raises(CommandRefused):
        looking.verify()
    assert (looking.asked, looking.world.lent) == ([], [])


def test_a_failure_in_between_is_on_record() -> None:
    looking = Looking(approving())
    looking.world.put(session(level="mfa"))
    looking.kubectl.fails = KubectlFailed("kubectl did not end")
    with pytest.raises(KubectlFailed):
        looking.verify()

    assert recorded(looking.world) == [("run", "reused", "mfa"), ("run", "kubectl-failed", "mfa")]
    assert (looking.world.lent, looking.world.kubectl.files) == ([], {})
