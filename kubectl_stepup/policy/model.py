"""A policy, what it is asked about, and what it answers."""

from __future__ import annotations

from kubectl_stepup.errors import PolicyError, PolicyTooNew
from kubectl_stepup.values import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kubectl_stepup.policy.decision import Decision
    from kubectl_stepup.policy.levels import ClusterLevels
    from kubectl_stepup.policy.quoted_text import QuotedText
    from kubectl_stepup.policy.rule_index import RuleIndex

ALLOW = "allow"


class Level(Record):
    """A named strength. Times are seconds.

    `signed_in_within_s`: how old the sign-in may be when the step-up is approved; `ask_again_after_s`: how long the
    approval is reused, 0 for one command only; `server_window_s`: the longest time from sign-in to expiry that the
    server accepts; `max_duration_s`: how long an elevated child may run; `help` and `runbook` are shown when it is
    refused.
    `window_by` is the cluster that published the window.
    """

    name: str
    signed_in_within_s: int
    ask_again_after_s: int
    reason_required: bool = False
    server_window_s: int | None = None
    max_duration_s: int | None = None
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
        """Return a level.

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
        """Whether a session at one level is enough for another."""
        return held == needed or any(level.name == held for level in self.stronger(needed))

    def rank(self, name: str) -> int:
        """Return the level's place, 0 for the weakest.

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


def label_of(name: str, cluster: str) -> str:
    """Return the name of a published rule with the cluster that published it."""
    return f"{name} (published by cluster {cluster})"
