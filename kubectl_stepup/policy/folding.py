"""List a rule once that clusters publish as it stands on this machine too."""

from __future__ import annotations

from kubectl_stepup.policy.model import Selector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kubectl_stepup.policy.model import Rule


def folded(rules: Iterable[Rule]) -> dict[Rule, tuple[str, ...]]:
    """Return the rules to list, each with the clusters that publish the same one beside it."""
    listed: dict[Rule, tuple[str, ...]] = {}
    own: dict[tuple[object, ...], Rule] = {}
    rules = tuple(rules)
    for rule in rules:
        if rule.published is None:
            listed[rule] = ()
            own.setdefault(_content(rule), rule)
    for rule in rules:
        if rule.published is None:
            continue
        same = own.get(_content(rule))
        if same is None:
            listed[rule] = ()
        elif rule.published not in listed[same]:
            listed[same] = (*listed[same], rule.published)
    return listed


def also_published(clusters: Sequence[str]) -> str:
    """Return the words for the clusters that publish a rule too; empty where there are none."""
    if not clusters:
        return ""
    return f"also published by cluster{'s' if len(clusters) > 1 else ''} {', '.join(clusters)}"


def _content(rule: Rule) -> tuple[object, ...]:
    """Return what a rule says, but for where it stands and on which clusters: a published one counts on its own."""
    message = None if rule.message is None else rule.message.text
    selector = (rule.selector.namespaces, rule.selector.names)
    excluded = tuple((one.namespaces, one.names) for one in rule.excluded)
    same = rule.replace(selector=Selector(), excluded=(), message=None, file="", line=0, published=None)
    return (same, selector, excluded, message)
