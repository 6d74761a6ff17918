"""Say in a few words what a sensitive command does, to all of its objects: the text that a person approves."""

from __future__ import annotations

from kubectl_stepup.kubectl.request import READS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_stepup.kubectl.request import ResourceAttributes
    from kubectl_stepup.policy.decision import Decision, MatchedRule


_CONNECTS = {
    "exec": "run a command in",
    "attach": "attach to",
    "portforward": "forward ports to",
    "ephemeralcontainers": "add a debugging container to",
    "eviction": "evict",
}

_MANY = frozenset({"delete", "deletecollection", "patch", "update"})
"""Done to as many objects as the server has, where no name is given."""

LONGEST = 200
"""Characters; what does not fit is counted."""


class _Group:
    """Objects of one kind and namespace to which the same is done; `names` of those that are named."""

    def __init__(self, entry: ResourceAttributes, rank: int) -> None:
        self.rank = rank
        self.verb = _verb(entry)
        self.entry = entry
        self.names: set[str] = set()
        self.is_collection = False

    @property
    def objects(self) -> int:
        """How many objects are known of; a whole collection counts as one."""
        return len(self.names) + self.is_collection

    @property
    def weight(self) -> float:
        """How much is done: the number of objects, without end for a whole collection."""
        return float("inf") if self.is_collection else len(self.names)

    @property
    def where(self) -> str:
        """The namespace, as a place."""
        entry = self.entry
        return f" in {entry.namespace}" if entry.namespace and entry.resource.namespaced is not False else ""

    def kind(self, *, counted: bool) -> str:
        """Return the kind, with the number of objects where that is known."""
        resource = self.entry.resource
        name = "any resource" if resource.name == "*" else resource.name
        if self.is_collection and resource.name != "*" and self.verb in _MANY:
            name = f"any number of {name}"
        if counted and not self.is_collection:
            singular = len(self.names) == 1 and resource.kind
            name = f"{len(self.names)} {resource.kind.lower() if singular else name}"
        return f"{name}{_subresource(self.entry)}"


def summary_of(decision: Decision) -> str:
    """Return what the prompt begins with: `delete pods in prod`, `delete 40 deployments in prod, 1 configmap in dev`.

    All objects that the command changes are counted, and those that it reads where a rule is about that. First come
    those that need the level, of these the ones whose namespace a rule names, and then the many; at the end, how many
    did not fit.
    """
    if not decision.rules:
        return decision.why
    groups = _groups(_by_sensitivity(decision))
    shown = min(len(groups), LONGEST // 4)  # a command can name thousands of kinds and namespaces
    while len(text := _text(groups[:shown], groups[shown:])) > LONGEST and shown > 1:
        shown -= 1
    return text


def _by_sensitivity(decision: Decision) -> Iterator[tuple[int, ResourceAttributes]]:
    """Return the requests with their rank, 0 for the most sensitive."""

    def rank(found: MatchedRule) -> int:
        return 2 * (found.rule.needs != decision.level) + (not found.rule.selector.namespaces)

    for found in sorted(decision.rules, key=rank):
        yield from ((rank(found), entry) for entry in found.requests)
    yield from ((4, entry) for entry in decision.requests if entry.verb not in READS)


def _groups(entries: Iterable[tuple[int, ResourceAttributes]]) -> list[_Group]:
    """Return the groups, by rank and then by how much is in a namespace and in them; an object counts once."""
    groups: dict[tuple[object, ...], _Group] = {}
    seen: set[tuple[object, ...]] = set()
    in_place: dict[tuple[int, str], float] = {}
    for rank, entry in entries:
        place = (entry.resource.group, entry.resource.name, entry.namespace)
        if (*place, entry.name) in seen:
            continue
        seen.add((*place, entry.name))
        group = groups.setdefault((_verb(entry), _subresource(entry), *place), _Group(entry, rank))
        if entry.name is None:
            group.is_collection = True
        else:
            group.names.add(entry.name)
    for group in groups.values():
        there = (group.rank, group.where)
        in_place[there] = in_place.get(there, 0) + group.weight
    return sorted(groups.values(), key=lambda group: (group.rank, -in_place[group.rank, group.where], -group.weight))


def _text(groups: list[_Group], others: list[_Group]) -> str:
    if len(groups) == 1 and not others and groups[0].objects == 1:
        return f"{groups[0].verb} {groups[0].kind(counted=False)}{groups[0].where}"
    by_verb: dict[str, dict[str, list[_Group]]] = {}
    for group in groups:
        by_verb.setdefault(group.verb, {}).setdefault(group.where, []).append(group)
    parts = [
        f"{verb} {', '.join(_kinds(there) + where for where, there in places.items())}"
        for verb, places in by_verb.items()
    ]
    more = sum(group.objects for group in others)
    return "; ".join(parts) + (f", and {more} more" if more else "")


def _kinds(groups: list[_Group]) -> str:
    *first, last = (group.kind(counted=True) for group in groups)
    return f"{', '.join(first)} and {last}" if first else last


def _verb(entry: ResourceAttributes) -> str:
    return _CONNECTS.get(entry.subresource, entry.verb)


def _subresource(entry: ResourceAttributes) -> str:
    return f"/{entry.subresource}" if entry.subresource and entry.subresource not in _CONNECTS else ""
