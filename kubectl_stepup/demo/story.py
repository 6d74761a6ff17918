"""The whole story without a human: real commands on a terminal, a headless person, every result checked."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kubectl_stepup.demo.catalogue import find_kind
from kubectl_stepup.demo.home import NAMESPACE
from kubectl_stepup.demo.person import Visit
from kubectl_stepup.demo.statuses import StatusError
from kubectl_stepup.demo.terminal import DemoTerminal, PromptSeen, Ran, prompt_on
from kubectl_stepup.demo.world import World, join_own_session_keyring, opened
from kubectl_stepup.errors import DemoFailed

Say = Callable[[str], None]
Run = Callable[[Sequence[str], Callable[[str], None] | None], Ran]
Answer = Callable[[str, str], Visit]

REFUSED = 125
_EXEC = ("kubectl", "stepup", "exec", "--")


def tell(caller: Mapping[str, str], say: Say) -> int:
    """Play the story in a world of its own; 0 when every step went as promised.

    `caller` is the user's environment, `say` prints one text. Call it from the main thread of a process of its own:
    it leaves the session keyring of its caller for good.

    Raises:
        DemoFailed: a step did not go as promised.
        KubectlNotFound: there is no kubectl.
    """
    join_own_session_keyring()
    # A dumb terminal keeps the transcript plain: no colours, no cursor movements.
    with opened({**caller, "TERM": "dumb"}) as world, DemoTerminal(world.environ) as terminal:
        return play(world, say, terminal.run)


def play(world: World, say: Say, run: Run) -> int:
    """Play every step; `run` runs one command on a terminal and hands the growing screen to its second argument.

    Raises:
        DemoFailed: a step did not go as promised.
    """
    story = _Story(world, say, run)
    say(
        "An identity provider and a cluster run on this machine until the story ends, with a home, a kubeconfig and a\n"
        "certificate authority of their own. Your kubeconfig is not read. The person is alice, in group dev."
    )
    story.everyday()
    story.first_step_up()
    story.second_needs_no_prompt()
    story.looking_back()
    story.after_logout()
    story.proven()
    return 0


@dataclass(slots=True)
class _Count:
    prompts: int = 0
    steps: int = 0


class _Story:
    def __init__(self, world: World, say: Say, run: Run) -> None:
        self._world = world
        self._say = say
        self._run = run
        self._count = _Count()

    def everyday(self) -> None:
        ran = self._step("Everyday work is unchanged: no prompt, no second factor", "kubectl", "get", "pods")
        _promise(ran.code == 0 and "web-0" in ran.screen, "kubectl get pods lists web-0", ran)
        ran = self._step(
            "The everyday login cannot delete: the cluster itself denies it", "kubectl", "delete", "pod", "web-0"
        )
        refused = ran.code == 1 and 'error="insufficient_user_authentication", acr_values="mfa"' in ran.screen
        _promise(refused, "the cluster denies it and says what is required", ran)
        _promise(self._exists("web-0"), "web-0 is still there", ran)

    def first_step_up(self) -> None:
        ran = self._step(
            "The same command with a second factor: prompted, approved, done",
            *_EXEC,
            *("delete", "pod", "web-0"),
            answer=self._world.person.approve,
        )
        _promise(ran.code == 0 and 'pod "web-0" deleted' in ran.screen, "web-0 is deleted", ran)
        _promise(not self._exists("web-0"), "web-0 is gone from the cluster", ran)
        self._expect_prompts(1, ran)

    def second_needs_no_prompt(self) -> None:
        ran = self._step("A second one within ten minutes: no prompt", *_EXEC, "delete", "pod", "web-1")
        _promise(ran.code == 0 and 'pod "web-1" deleted' in ran.screen, "web-1 is deleted", ran)
        _promise(not self._exists("web-1"), "web-1 is gone from the cluster", ran)
        self._expect_prompts(1, ran)

    def looking_back(self) -> None:
        ran = self._step("What is elevated now, and for how long", "kubectl", "stepup", "status")
        _promise(ran.code == 0 and "mfa" in ran.screen, "status shows the session of level mfa", ran)
        ran = self._step("What was run under an elevation", "kubectl", "stepup", "audit", "list")
        shown = all(f"delete pod {name}" in ran.screen for name in ("web-0", "web-1"))
        _promise(ran.code == 0 and shown, "the audit log names both deletions", ran)

    def after_logout(self) -> None:
        ran = self._step("Alice ends the elevation", "kubectl", "stepup", "logout")
        _promise(ran.code == 0, "logout succeeds", ran)
        delete = (*_EXEC, "delete", "pod", "db-0")
        ran = self._step("The next one prompts again; this time alice denies", *delete, answer=self._world.person.deny)
        _promise(ran.code == REFUSED, f"exit code {REFUSED}: kubectl was not started", ran)
        _promise(self._exists("db-0"), "db-0 is still there", ran)
        self._expect_prompts(2, ran)
        ran = self._step("Nothing happened to db-0", "kubectl", "get", "pod", "db-0")
        _promise(ran.code == 0 and "db-0" in ran.screen, "db-0 is listed", ran)
        self._world.person.use_new_browser()
        title = "Prompted again, alice approves from another browser"
        ran = self._step(title, *delete, answer=self._world.person.approve)
        _promise(ran.code == 0 and not self._exists("db-0"), "db-0 is deleted", ran)
        self._expect_prompts(3, ran)

    def proven(self) -> None:
        deletions = [e for e in self._world.cluster.audit if (e.request.verb, e.request.resource) == ("delete", "pods")]
        done = [event for event in deletions if event.code == 200]
        refused = [event for event in deletions if event.code == 403]
        faults = (*self._world.provider.faults, *self._world.cluster.faults)
        if faults:
            raise DemoFailed(f"a server of the demo failed: {faults[0]!r}")
        if len(done) != 3 or not all("stepup:mfa" in event.user.groups for event in done):
            raise DemoFailed("the cluster's own audit log does not show three deletions at level mfa")
        if len(refused) != 1 or any(group.startswith("stepup:") for event in refused for group in event.user.groups):
            raise DemoFailed("the cluster's own audit log does not show one denial without a level")
        self._say(
            f"\nProven, by {self._count.steps} commands and the cluster's own audit log:\n"
            "  - everyday work needs nothing new, and the everyday login alone deletes nothing: the cluster denied it\n"
            "  - three deletions went through, each with a token that carries the level mfa\n"
            "  - one approval covered two commands; after logout the next one prompted again\n"
            "  - a denied approval ran nothing\n"
            "Everything made for this is gone when the command ends."
        )

    def _step(self, title: str, *words: str, answer: Answer | None = None) -> Ran:
        self._count.steps += 1
        self._say(f"\n{self._count.steps}. {title}\n$ {shlex.join(words)}")
        watcher = _Watcher(self._say, answer)
        ran = self._run(words, watcher.look)
        watcher.finish(ran.screen)
        if answer is not None:
            _promise(watcher.visit is not None, "a prompt with an address and a code", ran)
            self._count.prompts += 1
        return ran

    def _exists(self, pod: str) -> bool:
        kind = find_kind("", "pods")
        if kind is None:
            return False
        try:
            self._world.cluster.store.get(kind, NAMESPACE, pod)
        except StatusError:
            return False
        return True

    def _expect_prompts(self, number: int, ran: Ran) -> None:
        number_opened = self._world.provider.requests.opened
        _promise(
            number_opened == number == self._count.prompts, f"{number} device requests so far, not {number_opened}", ran
        )


class _Watcher:
    """Show the screen as it grows, and take a prompt on it to the person once."""

    def __init__(self, say: Say, answer: Answer | None) -> None:
        self._say = say
        self._answer = answer
        self._shown = 0
        self.visit: Visit | None = None

    def look(self, screen: str) -> None:
        seen = prompt_on(screen) if self._answer is not None and self.visit is None else None
        if seen is not None and self._answer is not None:
            self._show(screen)
            self.visit = self._answer(seen.verification_uri, seen.user_code)
            self._say(_told(seen, self.visit))

    def finish(self, screen: str) -> None:
        self._show(screen)

    def _show(self, screen: str) -> None:
        text = screen[self._shown :].strip("\n")
        self._shown = len(screen)
        if text:
            self._say(text)


def _told(seen: PromptSeen, visit: Visit) -> str:
    typed = {"password": "password", "otp": "one-time code"}
    factors = " and ".join(typed[name] for name in visit.typed)
    signed_in = f"signs in with {factors}" if factors else "is still signed in"
    return f"   (alice opens the address, compares the code {seen.user_code}, {signed_in}: {visit.outcome.lower()})"


def _promise(kept: bool, what: str, ran: Ran) -> None:
    if not kept:
        raise DemoFailed(f"not as promised: {what} (exit code {ran.code})", details={"screen": ran.screen})
