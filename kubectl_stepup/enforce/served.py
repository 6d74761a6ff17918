"""Where the server enforces a rule on one command, for `policy explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup.enforce.names import object_name
from kubectl_stepup.enforce.plan import points_of
from kubectl_stepup.enforce.targets.requests_cel import EXEMPT
from kubectl_stepup.globs import matches
from kubectl_stepup.kubectl.request import ROLLS_BACK
from kubectl_stepup.policy.expansion import ADMISSION, CLIENT, RBAC
from kubectl_stepup.policy.model import Where
from kubectl_stepup.values import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_stepup.enforce.plan import Point
    from kubectl_stepup.kubectl.request import ResourceAttributes
    from kubectl_stepup.policy.decision import MatchedRule

_DOES = {"enforce": "refused", "warn": "warned of", "audit": "recorded"}
_ANY = "*"


class Served(Record):
    """The enforcement points (of the server, or `client`) of a rule for a command; `words` is one line about them."""

    rule: str
    by: tuple[str, ...]
    words: str


def served(match: MatchedRule) -> Served:
    """Return the points at which the server enforces a rule on the requests that matched it."""
    said: dict[tuple[str, str], None] = {}
    for request in match.requests:
        said.update(dict.fromkeys(_of_request(match, request)))
    if not said:
        said[CLIENT, "client only: no server sees it"] = None
    by = tuple(dict.fromkeys(point for point, _ in said))
    return Served(rule=match.name, by=by, words=", ".join(dict.fromkeys(words for _, words in said)))


def _of_request(match: MatchedRule, request: ResourceAttributes) -> Iterator[tuple[str, str]]:
    found = {point.by: point for point in reversed(_points(match, request))}
    if CLIENT in found and (len(found) == 1 or ROLLS_BACK in request.marks):
        yield CLIENT, f"client only: {found[CLIENT].note.removeprefix('only: ') or 'no server sees it'}"
        return
    exempt = request.resource.group == EXEMPT
    if ADMISSION in found and not exempt:
        yield ADMISSION, f"{_DOES[match.rule.mode]} by admission (policy {object_name(match.name)})"
    if RBAC in found or (ADMISSION in found and exempt):
        unread = request.resource.name == _ANY
        yield RBAC, "by RBAC alone" + ("" if unread else f" ({request.verb} {_shown(request)})")


def _points(match: MatchedRule, request: ResourceAttributes) -> list[Point]:
    if match.rule.where != Where():
        return list(points_of(match.rule))
    return [
        point
        for point in points_of(match.rule)
        if (not match.actions or point.what in match.actions)
        and request.verb in point.verbs
        and any(_is_of(request, one) for one in point.resources)
    ]


def _is_of(request: ResourceAttributes, resource: str) -> bool:
    """Whether a request is about a point's resource; an unknown resource could be any."""
    return request.resource.name == _ANY or any(matches(name, resource) for name in _names(request))


def _names(request: ResourceAttributes) -> Iterator[str]:
    """Return a request's resource in every form that a point may use."""
    kind, group, part = request.resource.name, request.resource.group, request.subresource
    end = f".{group}" if group not in ("", _ANY) else ""
    if not part:
        yield from (kind, f"{kind}{end}")
    else:
        yield from (f"{kind}/{part}", f"{kind}{end}/{part}", f"{kind}/{part}{end}")


def _shown(request: ResourceAttributes) -> str:
    return f"{request.resource.name}{f'/{request.subresource}' if request.subresource else ''}"
