"""What policy says about a command: the rules that it meets, and what follows from them."""

from __future__ import annotations

from kubectl_stepup.policy.model import label_of
from kubectl_stepup.values import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    from kubectl_stepup.kubectl.request import ResourceAttributes
    from kubectl_stepup.policy.model import Rule
    from kubectl_stepup.policy.quoted_text import QuotedText


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
        """The names of the enforced rules, published ones with their cluster: for the audit log and for programs."""
        return (*self.own_rules, *(label_of(name, by) for by, name in self.published_rules))

    def to_json(self) -> dict[str, Any]:
        """Return the object of `policy check -o json`; programs rely on these fields."""
        from kubectl_stepup.policy.summary import summary_of  # an allowed command needs none

        return {
            "decision": self.effect,
            "level": self.level,
            "rules": list(dict.fromkeys(found.name for found in (*self.rules, *self.warned, *self.audited))),
            "requests": [entry.to_json() for entry in self.requests],
            "actions": list(self.actions),
            "summary": summary_of(self) if self.rules else None,
            "why": self.why,
            **({"messages": [message.to_json() for message in self.messages]} if self.messages else {}),
        }


def describe(found: MatchedRule) -> str:
    """Say what a rule is about, by its first request and how many others there are."""
    first, *others = found.requests
    more = f" and {len(others)} more" if others else ""
    return f"{first.describe()}{more}"
