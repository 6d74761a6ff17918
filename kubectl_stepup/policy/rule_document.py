"""One rule of a policy document."""

from __future__ import annotations

from kubectl_stepup.policy.model import Rule, Selector, Where
from kubectl_stepup.policy.quoted_text import QuotedText

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kubectl_stepup.yaml_edit.node import Node

VERBS = (
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "bind",
    "escalate",
    "impersonate",
    "approve",
    "sign",
    "*",
)
MODES = ("enforce", "warn", "audit")
DRY_RUNS = ("none", "client", "server")

SELECTORS = ("clusters", "labels", "namespaces", "names")
_BY_NAME = ("verbs", "apiGroups", "resources")
OPTIONAL = ("do", *_BY_NAME, *SELECTORS, "except", "where", "mode", "reason", "ticket", "message")


def rule_from(node: Node, *, actions: Sequence[str], levels: Mapping[str, str]) -> Rule:
    """Read one rule; `levels` has the level that counts for each name that it may use.

    Raises:
        PolicyError: with `FILE:LINE:` and the path of what is wrong.
    """
    fields = node.mapping(required=("name", "needs"), optional=OPTIONAL)
    name = check_name(fields["name"])
    by_name = [key for key in _BY_NAME if key in fields]
    if "do" in fields and by_name:
        raise fields[by_name[0]].error("a rule has either do, or verbs, apiGroups and resources")
    if "do" not in fields and "verbs" not in fields:
        raise node.error("'do' or 'verbs' is missing")
    return Rule(
        name=name,
        needs=levels[fields["needs"].string(choices=levels)],
        actions=frozenset(_choices(fields.get("do"), actions)),
        verbs=frozenset(_choices(fields.get("verbs"), VERBS)),
        api_groups=_globs(fields.get("apiGroups"), may_be_empty=True),
        resources=_globs(fields.get("resources")),
        selector=_selector(fields),
        excluded=_exceptions(fields.get("except")),
        where=_where(fields.get("where")),
        mode=fields["mode"].string(choices=MODES) if "mode" in fields else "enforce",
        reason_required="reason" in fields and fields["reason"].string(choices=("required", "optional")) == "required",
        ticket=_ticket(fields.get("ticket")),
        message=_message(fields.get("message"), name),
        file=node.file,
        line=node.line,
    )


def _message(node: Node | None, rule: str) -> QuotedText | None:
    return None if node is None else QuotedText(what=f"message of rule {rule}", text=node.string(), file=node.file)


def check_name(node: Node) -> str:
    """Read a level's or a rule's name: it becomes part of groups and object names on the server.

    Spec: RFC 1123 labels.
    """
    name = node.string()
    allowed = "abcdefghijklmnopqrstuvwxyz0123456789-"
    if len(name) > 63 or name[0] == "-" or name[-1] == "-" or any(letter not in allowed for letter in name):
        raise node.error(f"{name!r} is not a name: lower-case letters, digits and dashes, at most 63")
    return name


def once(named: Iterable[tuple[Node, str]]) -> None:
    """Refuse a name that is there twice."""
    lines: dict[str, int] = {}
    for node, name in named:
        if name in lines:
            raise node.error(f"{name!r} is already the name of the one in line {lines[name]}")
        lines[name] = node.line


def _choices(node: Node | None, choices: Sequence[str]) -> tuple[str, ...]:
    return () if node is None else tuple(item.string(choices=choices) for item in _filled(node))


def _filled(node: Node) -> list[Node]:
    items = node.sequence()
    if not items:
        raise node.error("must not be empty; leave the key out for everything")
    return items


def _globs(node: Node | None, *, may_be_empty: bool = False) -> tuple[str, ...]:
    """Read a list of globs; the core API group's name is the empty text."""
    if node is None:
        return ()
    return tuple("" if may_be_empty and item.value == "" else item.string() for item in _filled(node))


def _selector(fields: Mapping[str, Node]) -> Selector:
    return Selector(
        clusters=_globs(fields.get("clusters")),
        labels=_labels(fields.get("labels")),
        namespaces=_globs(fields.get("namespaces")),
        names=_globs(fields.get("names")),
    )


def _labels(node: Node | None) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Read `{env: prod}` or `{env: [prod, staging]}`."""
    if node is None:
        return ()
    fields = node.any_mapping()
    if not fields:
        raise node.error("must not be empty; leave the key out for everything")
    return tuple(
        (key, _globs(value) if isinstance(value.value, list) else (value.string(),)) for key, value in fields.items()
    )


def _exceptions(node: Node | None) -> tuple[Selector, ...]:
    """Read one exception, or a list of them; an empty one would except everything."""
    if node is None:
        return ()
    selectors = []
    for item in _filled(node) if isinstance(node.value, list) else [node]:
        fields = item.mapping(optional=SELECTORS)
        if not fields:
            raise item.error("must not be empty: it would except everything")
        selectors.append(_selector(fields))
    return tuple(selectors)


def _where(node: Node | None) -> Where:
    if node is None:
        return Where()
    fields = node.mapping(optional=("all", "objects", "force", "dryRun"))
    dry_run: tuple[str, ...] = ()
    if "dryRun" in fields:
        value = fields["dryRun"]
        items = _filled(value) if isinstance(value.value, list) else [value]
        dry_run = tuple(item.string(choices=DRY_RUNS) for item in items)
    return Where(
        all=fields["all"].boolean() if "all" in fields else None,
        objects=fields["objects"].integer(minimum=1) if "objects" in fields else None,
        force=fields["force"].boolean() if "force" in fields else None,
        dry_run=dry_run,
    )


def _ticket(node: Node | None) -> str | None:
    """Read `required`, or a glob that the ticket must match; `optional` asks for nothing."""
    if node is None or node.string() == "optional":
        return None
    return "*" if node.string() == "required" else node.string()
