"""A policy, what it is asked about, and what it answers."""

from __future__ import annotations

from kubectl_stepup.errors import PolicyError
from kubectl_stepup.policy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Literal

    from kubectl_stepup.policy.request import ResourceAttributes
    from kubectl_stepup.policy.rule_index import RuleIndex

ALLOW = "allow"


class Level(Record):
    """A named strength. Times are seconds.

    `signed_in_within_s`: how old the sign-in may be when the step-up is approved; `ask_again_after_s`: how long the
    approval is reused, 0 for one command only; `server_window_s`: the longest time from sign-in to expiry that the
    server accepts; `longest_s`: how long an elevated child may run; `help` and `runbook` are shown when it is refused.
    """

    name: str
    signed_in_within_s: int
    ask_again_after_s: int
    reason_required: bool = False
    server_window_s: int | None = None
    longest_s: int | None = None
    help: str | None = None
    runbook: str | None = None


class Selector(Record):
    """Globs over where a request goes; an empty field selects everything. `labels` are the enrolled cluster's."""

    clusters: tuple[str, ...] = ()
    labels: tuple[tuple[str, tuple[str, ...]], ...] = ()
    namespaces: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


class Where(Record):
    """What a rule asks of the command itself; only the client can tell. None: does not matter.

    `objects`: at least so many are named, or nobody knows how many; `dry_run`: none, client, server.
    """

    all: bool | None = None
    objects: int | None = None
    force: bool | None = None
    dry_run: tuple[str, ...] = ()


class Rule(Record):
    """What is sensitive, and the level it needs: `actions`, or `verbs` on `resources` of `api_groups`.

    `excluded` has one selector an exception; it applies where all its fields match. `ticket` is a glob. `mode` is
    audit (record), warn (say so) or enforce.
    """

    name: str
    needs: str
    actions: frozenset[str] = frozenset()
    verbs: frozenset[str] = frozenset()
    api_groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    selector: Selector = Selector()
    excluded: tuple[Selector, ...] = ()
    where: Where = Where()
    mode: str = "enforce"
    reason_required: bool = False
    ticket: str | None = None
    message: str | None = None
    file: str = ""
    line: int = 0


class Grant(Record):
    """A role that the server gives for the time of an elevation."""

    level: str
    group: str
    role: str
    namespaces: tuple[str, ...] = ()


class Policy(Record):
    """Levels, weakest first, and rules, every one of which counts.

    `commands` says what to do with first words that are no kubectl commands: `allow`, or the level they need. `index`
    finds the rules that can be about a command; without it they are all gone through.
    """

    who: str
    levels: tuple[Level, ...]
    rules: Sequence[Rule] = ()
    commands: Mapping[str, str]
    grants: tuple[Grant, ...] = ()
    min_client_version: str | None = None
    files: tuple[str, ...] = ()
    index: RuleIndex | None = None

    def level(self, name: str) -> Level:
        """Give a level.

        Raises: PolicyError where there is none of that name.
        """
        for level in self.levels:
            if level.name == name:
                return level
        names = ", ".join(level.name for level in self.levels)
        raise PolicyError(f"there is no level {name!r} in the policy; its levels are {names}")

    def stronger(self, name: str) -> tuple[Level, ...]:
        """Give the levels above `name`, weakest first."""
        return self.levels[self.rank(name) + 1 :]

    def rank(self, name: str) -> int:
        """Give the level's place, 0 for the weakest.

        Raises: PolicyError where there is none of that name.
        """
        return self.levels.index(self.level(name))


class Target(Record):
    """Where a command goes. None is unknown: it matches every include and no exclude.

    `namespace` is the one that counts where the command names none.
    """

    cluster: str | None = None
    labels: Mapping[str, str] | None = None
    namespace: str | None = None


class MatchedRule(Record):
    """A rule, the requests that it is about, and by which of its actions (none: by verb and resource)."""

    rule: Rule
    requests: tuple[ResourceAttributes, ...]
    actions: tuple[str, ...]

    @property
    def name(self) -> str:
        """The rule's name."""
        return self.rule.name


class Decision(Record):
    """What policy says about a command.

    `rules` are the matched rules that are enforced; `warned` and `audited` those that only say so. `level` is also
    given for a refusal that a level would not lift. `why` is one sentence; for a refusal it is the error's message, and
    `code` (kebab-case) and `hint` belong to it.
    """

    effect: Literal["allow", "stepup", "refuse"]
    level: str | None = None
    rules: tuple[MatchedRule, ...] = ()
    warned: tuple[MatchedRule, ...] = ()
    audited: tuple[MatchedRule, ...] = ()
    requests: tuple[ResourceAttributes, ...] = ()
    actions: tuple[str, ...] = ()
    why: str
    code: str | None = None
    hint: str | None = None
    reason_required: bool = False

    @property
    def tickets(self) -> tuple[str, ...]:
        """The globs that a ticket must match, all of them."""
        return tuple(dict.fromkeys(found.rule.ticket for found in self.rules if found.rule.ticket))

    @property
    def messages(self) -> tuple[str, ...]:
        """What the rules' authors want to be said."""
        return tuple(dict.fromkeys(found.rule.message for found in self.rules if found.rule.message))

    @property
    def warnings(self) -> tuple[str, ...]:
        """One line for each rule in warn mode."""
        return tuple(
            f"rule {found.rule.name} will ask for {found.rule.needs}: {found.rule.message or describe(found)}"
            for found in self.warned
        )

    def to_json(self) -> dict[str, Any]:
        """Give the object of `policy check -o json`; programs rely on these fields."""
        from kubectl_stepup.policy.summary import summary_of  # an allowed command needs none

        return {
            "decision": self.effect,
            "level": self.level,
            "rules": list(dict.fromkeys(found.name for found in (*self.rules, *self.warned, *self.audited))),
            "requests": [entry.to_json() for entry in self.requests],
            "actions": list(self.actions),
            "summary": summary_of(self) if self.rules else None,
            "why": self.why,
        }


def describe(found: MatchedRule) -> str:
    """Say what a rule is about, by its first request and how many others there are."""
    first, *others = found.requests
    more = f" and {len(others)} more" if others else ""
    return f"{first.describe()}{more}"
