"""A policy, what it is asked about, and what it answers."""

from __future__ import annotations

from kubectl_stepup.errors import PolicyError, PolicyTooNew
from kubectl_stepup.policy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Literal

    from kubectl_stepup.policy.levels import ClusterLevels
    from kubectl_stepup.policy.quoted_text import QuotedText
    from kubectl_stepup.policy.request import ResourceAttributes
    from kubectl_stepup.policy.rule_index import RuleIndex

ALLOW = "allow"


class Level(Record):
    """A named strength. Times are seconds.

    `signed_in_within_s`: how old the sign-in may be when the step-up is approved; `ask_again_after_s`: how long the
    approval is reused, 0 for one command only; `server_window_s`: the longest time from sign-in to expiry that the
    server accepts; `longest_s`: how long an elevated child may run; `help` and `runbook` are shown when it is refused.
    `window_by` is the cluster that published the window.
    """

    name: str
    signed_in_within_s: int
    ask_again_after_s: int
    reason_required: bool = False
    server_window_s: int | None = None
    longest_s: int | None = None
    help: QuotedText | None = None
    runbook: str | None = None
    window_by: str | None = None


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
    audit (record), warn (say so) or enforce. `published` is the cluster that published the rule and where it counts.
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
    message: QuotedText | None = None
    file: str = ""
    line: int = 0
    published: str | None = None

    @property
    def label(self) -> str:
        """The name, with the cluster that published it."""
        return self.name if self.published is None else label_of(self.name, self.published)


class Grant(Record):
    """A role that the server gives for the time of an elevation."""

    level: str
    group: str
    role: str
    namespaces: tuple[str, ...] = ()


class Policy(Record):
    """Levels, weakest first, and rules, every one of which counts.

    `commands` says what to do with first words that are no kubectl commands: `allow`, or the level they need. `index`
    finds the rules that can be about a command; without it they are all gone through. `also_needed` has the weaker
    levels that another file gives such a word: their times and reasons count too. `levels` are those of this
    machine's files; `by_cluster` has those of each cluster that publishes some, and under None those that count where
    nobody knows which cluster it is. `added` are levels that meet no other, see `ClusterLevels`.
    """

    who: str
    levels: tuple[Level, ...]
    rules: Sequence[Rule] = ()
    commands: Mapping[str, str]
    grants: tuple[Grant, ...] = ()
    min_client_version: str | None = None
    files: tuple[str, ...] = ()
    index: RuleIndex | None = None
    by_cluster: Mapping[str | None, ClusterLevels] = {}
    added: tuple[str, ...] = ()
    also_needed: Mapping[str, tuple[str, ...]] = {}

    def on(self, target: Target) -> Policy:
        """Return the policy with the levels that count for a target; raise as `for_cluster` does."""
        return self if target.unenrolled else self.for_cluster(target.cluster)

    def for_cluster(self, name: str | None) -> Policy:
        """Return the policy with the levels that count on a cluster; None: on one that nobody knows.

        Raises: PolicyError where what the cluster published cannot be used.
        """
        found = self.by_cluster.get(name)
        if found is None:
            return self
        if found.problem is not None:
            raise (PolicyTooNew if found.too_new else PolicyError)(found.problem, hint=found.hint)
        return self.replace(levels=found.levels, added=found.added, by_cluster={})

    def usable_levels(self, cluster: str) -> tuple[Level, ...]:
        """Return the levels on a cluster; this machine's where what the cluster published cannot be used."""
        found = self.by_cluster.get(cluster)
        return self.levels if found is None or found.problem is not None else found.levels

    @property
    def all_levels(self) -> tuple[Level, ...]:
        """The levels of this machine's files, and above them those that only clusters have."""
        found = self.by_cluster.get(None)
        return self.levels if found is None else (*self.levels, *found.levels[len(self.levels) :])

    def level(self, name: str) -> Level:
        """Give a level.

        Raises: PolicyError where there is none of that name.
        """
        for level in self.levels:
            if level.name == name:
                return level
        names = ", ".join(level.name for level in self.levels)
        raise PolicyError(f"there is no level {name!r} in the policy; its levels are {names}")

    def level_for(self, decision: Decision, name: str) -> Level:
        """Return a level for a command, with the shortest times of all levels that its rules need."""
        from kubectl_stepup.policy.levels import no_longer

        needed = (*(match.rule.needs for match in decision.rules), *decision.also_needed)
        return no_longer(self.level(name), map(self.level, needed))

    def stronger(self, name: str) -> tuple[Level, ...]:
        """Return the levels above `name` that meet it, weakest first."""
        above = self.levels[self.rank(name) + 1 :]
        return above if name in self.added else tuple(level for level in above if level.name not in self.added)

    def meets(self, held: str, needed: str) -> bool:
        """Return whether a session at one level is enough for another."""
        return held == needed or any(level.name == held for level in self.stronger(needed))

    def rank(self, name: str) -> int:
        """Give the level's place, 0 for the weakest.

        Raises: PolicyError where there is none of that name.
        """
        return self.levels.index(self.level(name))


class Target(Record):
    """Where a command goes. None is unknown: it matches every include and no exclude.

    `namespace` is the one that counts where the command names none. `unenrolled`: it is known to be no enrolled
    cluster, so what those publish does not count.
    """

    cluster: str | None = None
    labels: Mapping[str, str] | None = None
    namespace: str | None = None
    unenrolled: bool = False


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
    also_needed: tuple[str, ...] = ()

    @property
    def tickets(self) -> tuple[QuotedText, ...]:
        """The globs that a ticket must match, all of them, each with who wrote it."""
        from kubectl_stepup.policy.quoted_text import QuotedText

        found: dict[str, QuotedText] = {}
        for rule in (match.rule for match in self.rules):
            if rule.ticket:
                ticket = QuotedText(
                    what=f"ticket of rule {rule.name}", text=rule.ticket, file=rule.file, cluster=rule.published
                )
                found.setdefault(rule.ticket, ticket)
        return tuple(found.values())

    @property
    def messages(self) -> tuple[QuotedText, ...]:
        """What the rules' authors say, this machine's first; what a cluster publishes as it is here is said once."""
        found = {match.rule.message for match in (*self.rules, *self.warned) if match.rule.message}
        own = {(one.what, one.text) for one in found if one.cluster is None}
        told = [one for one in found if one.cluster is None or (one.what, one.text) not in own]
        return tuple(sorted(told, key=lambda one: (one.cluster is not None, one.cluster or "", one.what, one.text)))

    @property
    def warnings(self) -> tuple[str, ...]:
        """One line for each rule in warn mode."""
        return tuple(
            f"rule {found.rule.label} will ask for {found.rule.needs}: {describe(found)}" for found in self.warned
        )

    @property
    def own_rules(self) -> tuple[str, ...]:
        """The names of the enforced rules of this machine's files."""
        return tuple(dict.fromkeys(found.name for found in self.rules if found.rule.published is None))

    @property
    def published_rules(self) -> tuple[tuple[str, str], ...]:
        """The clusters and names of the enforced rules that are published and are not among one's own by name."""
        own = self.own_rules
        pairs = ((found.rule.published, found.name) for found in self.rules)
        return tuple(dict.fromkeys((by, name) for by, name in pairs if by is not None and name not in own))

    @property
    def rule_labels(self) -> tuple[str, ...]:
        """The names of the enforced rules, published ones with their cluster: for the record and for programs."""
        return (*self.own_rules, *(label_of(name, by) for by, name in self.published_rules))

    def to_json(self) -> dict[str, Any]:
        """Give the object of `policy check -o json`; programs rely on these fields."""
        return {
            "decision": self.effect,
            "level": self.level,
            "rules": list(dict.fromkeys(found.name for found in (*self.rules, *self.warned, *self.audited))),
            "requests": [entry.to_json() for entry in self.requests],
            "actions": list(self.actions),
            "why": self.why,
            **({"messages": [message.to_json() for message in self.messages]} if self.messages else {}),
        }


def describe(found: MatchedRule) -> str:
    """Say what a rule is about, by its first request and how many others there are."""
    first, *others = found.requests
    more = f" and {len(others)} more" if others else ""
    return f"{first.describe()}{more}"


def label_of(name: str, cluster: str) -> str:
    """Return the name of a published rule with the cluster that published it."""
    return f"{name} (published by cluster {cluster})"
