"""Policies that clusters publish: each counts on its own cluster alone, and can only add there."""

from __future__ import annotations

from kubectl_stepup.policy.levels import ClusterLevels, joined, strictest
from kubectl_stepup.values import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kubectl_stepup.policy.model import Level, Policy, Rule
    from kubectl_stepup.policy.quoted_text import QuotedText


class Published(Record):
    """The policy that a cluster (by its enrolled name) published, as it was fetched.

    `policy` is None where it cannot be used: `problem` says why, and `too_new` that it is for a later program.
    """

    cluster: str
    policy: Policy | None
    problem: str | None = None
    hint: str | None = None
    too_new: bool = False


def laid_over(local: Policy, published: Iterable[Published]) -> Policy:
    """Return this machine's policy with what each cluster publishes beside it.

    A published rule counts on its own cluster, with the levels as they are there. What is said about commands and
    grants does not count here: neither could only add.
    """
    rules: list[Rule] = []
    files: list[str] = []
    by_cluster: dict[str | None, ClusterLevels] = {}
    for one in sorted(published, key=lambda found: found.cluster):
        files.append(f"{one.cluster} (published)")
        if one.policy is None:
            by_cluster[one.cluster] = ClusterLevels(problem=one.problem, hint=one.hint, too_new=one.too_new)
            continue
        theirs = [_published_level(level, one.cluster) for level in one.policy.levels]
        there = joined(local.levels, theirs, elsewhere="added")
        by_cluster[one.cluster] = ClusterLevels(levels=there.levels, added=there.added)
        rules += [_on_its_cluster(rule, one.cluster, there.names) for rule in one.policy.rules]
    if by_cluster:
        by_cluster[None] = _anywhere(local.levels, tuple(by_cluster.values()))
    return local.replace(rules=(*local.rules, *rules), files=(*local.files, *files), by_cluster=by_cluster, index=None)


def _anywhere(local: Sequence[Level], clusters: Sequence[ClusterLevels]) -> ClusterLevels:
    """Return the levels where nobody knows which cluster it is: the strictest of all."""
    troubled = next((one for one in clusters if one.problem is not None), ClusterLevels())
    found = {level.name: level for level in local}
    for level in (level for one in clusters for level in one.levels):
        found[level.name] = strictest(found.get(level.name, level), [level])
    return troubled.replace(levels=tuple(found.values()), added=tuple(found)[len(local) :])


def _on_its_cluster(rule: Rule, cluster: str, names: Mapping[str, str]) -> Rule:
    return rule.replace(
        needs=names[rule.needs],
        selector=rule.selector.replace(clusters=(_exactly(cluster),), labels=()),
        message=_by(rule.message, cluster),
        file=f"{cluster} (published)",
        published=cluster,
    )


def _published_level(level: Level, cluster: str) -> Level:
    """Return a level with who published it. A runbook is an address, and no cluster may send people anywhere."""
    return level.replace(
        help=_by(level.help, cluster),
        runbook=None,
        window_by=None if level.server_window_s is None else cluster,
    )


def _by(text: QuotedText | None, cluster: str) -> QuotedText | None:
    return None if text is None else text.replace(cluster=cluster)


def _exactly(name: str) -> str:
    """Return a glob that matches one name alone."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
