"""A policy document to `Policy`, with the file and line of whatever is wrong; and several of them to one."""

from __future__ import annotations

from kubectl_stepup import __version__
from kubectl_stepup.errors import PolicyTooNew
from kubectl_stepup.names import API_VERSION
from kubectl_stepup.policy.actions import NAMES as ACTIONS
from kubectl_stepup.policy.levels import joined
from kubectl_stepup.policy.model import ALLOW, Grant, Level, Policy
from kubectl_stepup.policy.quoted_text import QuotedText
from kubectl_stepup.policy.renamed import require_new_words, with_new_words
from kubectl_stepup.policy.rule_document import check_name, once, rule_from
from kubectl_stepup.policy.rule_index import index_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    from kubectl_stepup.policy.levels import Elsewhere
    from kubectl_stepup.policy.model import Rule
    from kubectl_stepup.yaml_edit.node import Node

    Item = TypeVar("Item", Level, Rule)

KIND = "Policy"
WHO = ("people",)

MOST_LEVELS = 100
"""In one file; joining files and looking for a session go through all of them, some in pairs."""

OPTIONAL = ("who", "levels", "rules", "commands", "grants", "minClientVersion")
LEVEL_OPTIONAL = ("reason", "serverWindow", "maxDuration", "help", "runbook")


def policy_from(
    node: Node, *, levels: tuple[Level, ...] = (), elsewhere: Elsewhere = "nowhere", published: bool = False
) -> Policy:
    """Read one document.

    `levels` are those of the file before it. The document's own levels are joined to them (levels.py, which also says
    what `elsewhere` is), and its rules may name either. A `published` one may have the old words of this format.

    Raises:
        PolicyError: with `FILE:LINE:` and the path of what is wrong.
    """
    if published:
        node = with_new_words(node)
    else:
        require_new_words(node)
    fields = node.mapping(required=("apiVersion", "kind"), optional=OPTIONAL)
    fields["apiVersion"].string(choices=(API_VERSION,))
    fields["kind"].string(choices=(KIND,))
    if "minClientVersion" in fields:
        _require_version(fields["minClientVersion"])
    if "levels" in fields and len(fields["levels"].sequence()) > MOST_LEVELS:
        raise fields["levels"].error(f"there are more than {MOST_LEVELS} levels")
    together = joined(levels, _named(fields.get("levels"), _level), elsewhere=elsewhere)
    if not together.levels:
        raise node.error("there are no levels, neither here nor in a file before this one")
    names = {**{level.name: level.name for level in levels}, **together.names}
    rules = _named(fields.get("rules"), lambda item: rule_from(item, actions=ACTIONS, levels=names))
    return Policy(
        who=fields["who"].string(choices=WHO) if "who" in fields else WHO[0],
        levels=together.levels,
        rules=rules,
        commands=_commands(fields.get("commands"), names),
        grants=tuple(_grant(item, names) for item in fields["grants"].sequence()) if "grants" in fields else (),
        min_client_version=fields["minClientVersion"].string() if "minClientVersion" in fields else None,
        files=(node.file,),
        index=index_of(rules),
    )


def merge(first: Policy, second: Policy) -> Policy:
    """Return the policy of two files, of which the second was read with the first one's levels.

    All rules count. Of what both say about a command the stricter counts.
    """
    versions = [one for one in (first.min_client_version, second.min_client_version) if one is not None]
    rules = (*first.rules, *second.rules)
    stricter = {
        word: max(first.commands[word], second.commands[word], key=lambda answer: _strength(answer, second))
        for word in first.commands.keys() & second.commands.keys()
    }
    return second.replace(
        rules=rules,
        commands={**first.commands, **second.commands, **stricter},
        also_needed={word: weaker for word in stricter if (weaker := _weaker(word, stricter, first, second))},
        grants=(*first.grants, *second.grants),
        min_client_version=max(versions, key=_version, default=None),
        files=(*first.files, *second.files),
        index=index_of(rules),
    )


def _strength(answer: str, policy: Policy) -> int:
    return -1 if answer == ALLOW else policy.rank(answer)


def _weaker(word: str, stricter: Mapping[str, str], *policies: Policy) -> tuple[str, ...]:
    return tuple({policy.commands[word] for policy in policies} - {stricter[word], ALLOW})


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
    name = check_name(fields["name"])
    return Level(
        name=name,
        signed_in_within_s=fields["signedInWithin"].duration(),
        ask_again_after_s=fields["askAgainAfter"].duration(),
        reason_required="reason" in fields and fields["reason"].string(choices=("required", "optional")) == "required",
        server_window_s=fields["serverWindow"].duration() if "serverWindow" in fields else None,
        max_duration_s=fields["maxDuration"].duration() if "maxDuration" in fields else None,
        help=QuotedText(what=f"help of level {name}", text=fields["help"].string(), file=node.file)
        if "help" in fields
        else None,
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
    """Return the release's numbers; what follows them (`.dev0`, `rc1`) does not count."""
    numbers: list[int] = []
    for part in text.split(".")[:3]:
        digits = part[: next((at for at, letter in enumerate(part) if not letter.isdigit()), len(part))]
        numbers.append(int(digits or 0))
    return tuple(numbers + [0] * (3 - len(numbers)))
