"""A policy document to `Policy`, with the file and line of whatever is wrong; and several of them to one."""

from __future__ import annotations

from kubectl_stepup import __version__
from kubectl_stepup.errors import PolicyTooNew
from kubectl_stepup.policy.actions import NAMES as ACTIONS
from kubectl_stepup.policy.model import ALLOW, Grant, Level, Policy
from kubectl_stepup.policy.rule_document import check_name, once, rule_from
from kubectl_stepup.policy.rule_index import index_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from kubectl_stepup.documents.node import Node
    from kubectl_stepup.policy.model import Rule

    Item = TypeVar("Item", Level, Rule)

API_VERSION = "kubectl-stepup.github.io/v1alpha1"
KIND = "Policy"
WHO = ("people",)

OPTIONAL = ("who", "levels", "rules", "commands", "grants", "minClientVersion")
LEVEL_OPTIONAL = ("reason", "serverWindow", "longest", "help", "runbook")


def policy_from(node: Node, *, levels: tuple[Level, ...] = (), stand_ins: bool = False) -> Policy:
    """Read one document.

    `levels` are those of the files before it; with them the document's own levels do not count, and its rules must name
    theirs. With `stand_ins` a rule may name a level that they do not have: the first of the document's own levels
    becomes the weakest of them, and every other one the strongest.

    Raises:
        PolicyError: with `FILE:LINE:` and the path of what is wrong.
    """
    fields = node.mapping(required=("apiVersion", "kind"), optional=OPTIONAL)
    fields["apiVersion"].string(choices=(API_VERSION,))
    fields["kind"].string(choices=(KIND,))
    if "minClientVersion" in fields:
        _require_version(fields["minClientVersion"])
    own = _named(fields.get("levels"), _level)
    names = _level_names(own, levels, stand_ins)
    if not names:
        raise node.error("there are no levels, neither here nor in a file before this one")
    rules = _named(fields.get("rules"), lambda item: rule_from(item, actions=ACTIONS, levels=names))
    return Policy(
        who=fields["who"].string(choices=WHO) if "who" in fields else WHO[0],
        levels=levels or own,
        rules=rules,
        commands=_commands(fields.get("commands"), names),
        grants=tuple(_grant(item, names) for item in fields["grants"].sequence()) if "grants" in fields else (),
        min_client_version=fields["minClientVersion"].string() if "minClientVersion" in fields else None,
        files=(node.file,),
        index=index_of(rules),
    )


def merge(policies: Sequence[Policy]) -> Policy:
    """Lay policies over each other, the one that nobody can weaken first.

    All rules count, and the levels are the first one's. What an earlier policy says about a command stays.
    """
    first = policies[0]
    if len(policies) == 1:
        return first
    commands: dict[str, str] = {}
    for policy in policies:
        commands = {**policy.commands, **commands}
    rules = tuple(rule for policy in policies for rule in policy.rules)
    return first.replace(
        rules=rules,
        commands=commands,
        grants=tuple(grant for policy in policies for grant in policy.grants),
        files=tuple(file for policy in policies for file in policy.files),
        index=index_of(rules),
    )


def _level_names(own: Sequence[Level], levels: Sequence[Level], stand_ins: bool) -> dict[str, str]:
    """Give the level that counts for each name that a rule may use."""
    names = {level.name: level.name for level in levels or own}
    if stand_ins and levels:
        for at, level in enumerate(own):
            names.setdefault(level.name, levels[0 if at == 0 else -1].name)
    return names


def _named(node: Node | None, read: Callable[[Node], Item]) -> tuple[Item, ...]:
    """Read a list whose items have names, each of them once."""
    items = [] if node is None else node.sequence()
    found = [(item, read(item)) for item in items]
    once([(item.any_mapping()["name"], value.name) for item, value in found])
    return tuple(value for _, value in found)


def _level(node: Node) -> Level:
    fields = node.mapping(required=("name", "signedInWithin", "askAgainAfter"), optional=LEVEL_OPTIONAL)
    if fields["signedInWithin"].duration() == 0:
        raise fields["signedInWithin"].error("must be more than 0s: a sign-in takes time")
    return Level(
        name=check_name(fields["name"]),
        signed_in_within_s=fields["signedInWithin"].duration(),
        ask_again_after_s=fields["askAgainAfter"].duration(),
        reason_required="reason" in fields and fields["reason"].string(choices=("required", "optional")) == "required",
        server_window_s=fields["serverWindow"].duration() if "serverWindow" in fields else None,
        longest_s=fields["longest"].duration() if "longest" in fields else None,
        help=fields["help"].string() if "help" in fields else None,
        runbook=fields["runbook"].string() if "runbook" in fields else None,
    )


def _commands(node: Node | None, names: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word, value in ({} if node is None else node.any_mapping()).items():
        if not word or word.startswith("-") or any(letter.isspace() for letter in word):
            raise value.error(f"{word!r} is not the first word of a command")
        answer = value.string(choices=(ALLOW, *names))
        found[word] = names.get(answer, answer)
    return found


def _grant(node: Node, names: dict[str, str]) -> Grant:
    fields = node.mapping(required=("level", "group", "role"), optional=("namespaces",))
    return Grant(
        level=names[fields["level"].string(choices=names)],
        group=fields["group"].string(),
        role=fields["role"].string(),
        namespaces=fields["namespaces"].strings() if "namespaces" in fields else (),
    )


def _require_version(node: Node) -> None:
    wanted = node.string()
    numbers = wanted.split(".")
    # NOTE: int() takes no more than 4,300 digits.
    if len(numbers) not in (2, 3) or not all(one.isascii() and one.isdigit() and len(one) < 10 for one in numbers):
        raise node.error(f"{wanted!r} is not a version such as 1.2.0")
    if _version(wanted) > _version(__version__):
        needs = f"this policy needs kubectl-stepup {wanted} or later; this is {__version__}"
        raise PolicyTooNew(
            f"{node.file}:{node.line}: minClientVersion: {needs}",
            hint="pip install --upgrade kubectl-stepup",
            details={"file": node.file, "line": node.line},
        )


def _version(text: str) -> tuple[int, ...]:
    """Give the release's numbers; what follows them (`.dev0`, `rc1`) does not count."""
    numbers: list[int] = []
    for part in text.split(".")[:3]:
        digits = part[: next((at for at, letter in enumerate(part) if not letter.isdigit()), len(part))]
        numbers.append(int(digits or 0))
    return tuple(numbers + [0] * (3 - len(numbers)))
