"""Whether one rule is about everything that another is about: a safe answer, which may be no where it is yes."""

from __future__ import annotations

from kubectl_stepup.policy.model import Selector, Where

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kubectl_stepup.policy.model import Rule


def covers(wide: Rule, narrow: Rule) -> bool:
    """Whether every request that `narrow` matches is one that `wide` matches."""
    return (
        _covers_what(wide, narrow)
        and _covers_selector(wide.selector, narrow.selector)
        and set(wide.excluded) <= set(narrow.excluded)
        and wide.where in (Where(), narrow.where)
    )


def _covers_what(wide: Rule, narrow: Rule) -> bool:
    if wide.actions or narrow.actions:
        return bool(narrow.actions) and narrow.actions <= wide.actions
    return (
        ("*" in wide.verbs or narrow.verbs <= wide.verbs)
        and _all_in(narrow.api_groups, wide.api_groups)
        and _covers_resources(wide.resources, narrow.resources)
    )


def _covers_resources(wide: tuple[str, ...], narrow: tuple[str, ...]) -> bool:
    """Whether it holds for resources, of which `*` means all and none of their subresources."""
    if "*" in wide:
        return bool(narrow) and all("/" not in name or name in wide for name in narrow)
    return _all_in(narrow, wide)


def _covers_selector(wide: Selector, narrow: Selector) -> bool:
    labels = dict(narrow.labels)
    return (
        _all_in(narrow.clusters, wide.clusters)
        and _all_in(narrow.namespaces, wide.namespaces)
        and _all_in(narrow.names, wide.names)
        and all(key in labels and set(labels[key]) <= set(patterns) for key, patterns in wide.labels)
    )


def _all_in(narrow: tuple[str, ...], wide: tuple[str, ...]) -> bool:
    """Whether a list of globs selects no more than another; an empty one, and `*`, select everything."""
    if not wide or "*" in wide:
        return True
    return bool(narrow) and set(narrow) <= set(wide)
