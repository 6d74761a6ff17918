"""A team's own tests of its policy: commands, where they go, and the decision that each must get."""

from __future__ import annotations

import shlex

from kubectl_stepup.names import API_VERSION
from kubectl_stepup.policy.model import ALLOW, Target
from kubectl_stepup.values import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_stepup.policy.decision import Decision
    from kubectl_stepup.policy.model import Policy
    from kubectl_stepup.yaml_edit.node import Node

KIND = "PolicyTest"
REFUSE = "refuse"
TARGET = ("cluster", "labels", "namespace")


class Case(Record):
    """A command (kubectl's words) and what must be decided: `allow`, `refuse` or a level.

    `rules` are the names of all rules that must match, None where it does not matter which do.
    """

    words: tuple[str, ...]
    expect: str
    target: Target
    rules: frozenset[str] | None = None
    file: str
    line: int

    @property
    def command(self) -> str:
        """The command as one would type it."""
        return shlex.join(("kubectl", *self.words))


class Verdict(Record):
    """A case and what came out; `problems` are sentences, none where it passed."""

    case: Case
    got: str
    why: str
    problems: tuple[str, ...]


def cases_from(node: Node, policy: Policy) -> tuple[Case, ...]:
    """Read a document of kind PolicyTest; what it says under `target` holds where a case does not say otherwise.

    Raises:
        PolicyError: with `FILE:LINE:` and the path of what is wrong.
    """
    fields = node.mapping(required=("apiVersion", "kind", "cases"), optional=("target",))
    fields["apiVersion"].string(choices=(API_VERSION,))
    fields["kind"].string(choices=(KIND,))
    general = fields["target"].mapping(optional=TARGET) if "target" in fields else {}
    items = fields["cases"].sequence()
    if not items:
        raise fields["cases"].error("must not be empty: there is nothing to test")
    return tuple(_case(item, general, policy) for item in items)


def verdict(case: Case, decision: Decision) -> Verdict:
    """Compare a decision with what the case expects."""
    got = decision.level if decision.effect == "stepup" and decision.level else decision.effect
    problems = [] if got == case.expect else [f"expected {case.expect}, got {got}: {decision.why}"]
    matched = {found.name for found in (*decision.rules, *decision.warned, *decision.audited)}
    if case.rules is not None and matched != case.rules:
        problems.append(f"expected the rules {_names(case.rules)}, matched {_names(matched)}")
    return Verdict(case=case, got=got, why=decision.why, problems=tuple(problems))


def _case(node: Node, general: Mapping[str, Node], policy: Policy) -> Case:
    fields = node.mapping(required=("command", "expect"), optional=("rules", *TARGET))
    levels = [level.name for level in policy.all_levels]
    names = [rule.name for rule in policy.rules]
    rules = None
    if "rules" in fields:
        rules = frozenset(item.string(choices=names) for item in fields["rules"].sequence())
    return Case(
        words=_words(fields["command"]),
        expect=fields["expect"].string(choices=(ALLOW, REFUSE, *levels)),
        target=_target({**general, **{name: one for name, one in fields.items() if name in TARGET}}),
        rules=rules,
        file=node.file,
        line=node.line,
    )


def _words(node: Node) -> tuple[str, ...]:
    """Read a command as text, split as a shell does, or as a list of words; the word kubectl before it may stay."""
    if isinstance(node.value, list):
        words = node.strings()
    else:
        try:
            words = tuple(shlex.split(node.string()))
        except ValueError as exc:
            raise node.error(f"cannot be split into words: {str(exc).lower()}") from exc
    words = words[1:] if words[:1] == ("kubectl",) else words
    if not words:
        raise node.error("must not be empty")
    return words


def _target(fields: Mapping[str, Node]) -> Target:
    labels = None
    if "labels" in fields:
        labels = {key: value.string() for key, value in fields["labels"].any_mapping().items()}
    return Target(
        cluster=fields["cluster"].string() if "cluster" in fields else None,
        labels=labels,
        namespace=fields["namespace"].string() if "namespace" in fields else None,
    )


def _names(names: frozenset[str] | set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
