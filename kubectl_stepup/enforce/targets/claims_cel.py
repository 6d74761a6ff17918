"""The CEL expressions of an AuthenticationConfiguration. They are total: none can fail.

An expression that fails at run time is a 401 for the whole sign-in, everyday logins included. So every claim may be
anything: missing, null, a number, a list. A claim has the static type `any`, on which no macro compiles; hence `dyn`.
Numbers are `int` up to Kubernetes 1.33 and `double` from 1.34 on; hence `double`.

Spec: kubernetes.io, *Authenticating*, structured authentication configuration; OpenID Connect Core 1.0 section 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup.enforce import cel
from kubectl_stepup.enforce.names import PREFIX, derived_group, level_group
from kubectl_stepup.oidc.requirement import AuthTime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_stepup.enforce.issuer_trust import ClaimNames, Trust, TrustedLevel
    from kubectl_stepup.oidc.requirement import Evidence


_OWN = (
    ".filter(g, type(g) == string)"
    f".filter(g, !string(g).startsWith({cel.text(PREFIX)}) && !string(g).startsWith('system:')"
)
"""The filter after a token's own groups, by which an expression of ours is recognised."""


FAR_S = 10**15
"""Thirty million years: `int` fails on what does not fit, and an expression that fails is a 401."""


def claim(name: str, default: str) -> str:
    """Return a claim's value, or `default` (an expression) where it is missing."""
    return f"claims[?{cel.text(name)}].orValue({default})"


def listed(value: str) -> str:
    """Return an expression's value as a list: the list itself, or a list with the one value."""
    return f"dyn(type({value}) == list ? {value} : [{value}])"


def texts_of(name: str) -> str:
    """Return the texts in a claim, which may be one text, a list, or neither."""
    return f"{listed(claim(name, '[]'))}.filter(v, type(v) == string)"


def is_number(name: str) -> str:
    """Return the condition that a claim is a number."""
    kind = f"type({claim(name, repr(''))})"
    return f"({kind} == int || {kind} == double)"


def text_of(name: str) -> str:
    """Return a claim if it is a text, else an empty text: the server omits such an extra."""
    value = claim(name, "''")
    return f"type({value}) == string ? string({value}) : ''"


def whole_seconds_of(name: str) -> str:
    """Return a time as whole seconds, not as `1.79e9`; empty for a number beyond all integers."""
    value = claim(name, "0")
    far = f"{FAR_S}.0"
    return f"{is_number(name)} && double({value}) < {far} && double({value}) > -{far} ? string(int({value})) : ''"


def mapped_groups(names: ClaimNames) -> str:
    """Return the groups that the claim becomes, each with its prefix."""
    found = texts_of(names.groups)
    return f"{found}.map(g, {cel.text(names.groups_prefix)} + g)" if names.groups_prefix else found


def own_groups(base: str, trust: Trust) -> str:
    """Return the groups of `base` without those that no token may claim: a level's, Kubernetes' own, reserved ones."""
    reserved = f" && !(string(g) in {cel.texts(trust.reserved)})" if trust.reserved else ""
    return f"{base}{_OWN}{reserved})"


def base_of(written: str) -> str | None:
    """Return the base of an expression of ours; None for any other expression."""
    base, found, _ = written.partition(_OWN)
    return base if found else None


def groups(trust: Trust, base: str) -> str:
    """Return the expression of the groups: the token's own, and those of the levels that it proves.

    A token that proves a level has the groups of the weaker ones too. `base` is the expression of the
    token's own groups.
    """
    own = own_groups(base, trust)
    if not trust.levels:
        return own
    proven = "[]"
    for at, level in enumerate(trust.levels):
        reached = trust.levels[at::-1]
        named = cel.texts(level_group(one.name) for one in reached)
        derived = "".join(f"\n  + {own}.map(g, {cel.text(derived_group(one.name, ''))} + string(g))" for one in reached)
        proof = "\n  && ".join(_proof(trust, level))
        proven = f"({proof}\n  ? {named}{derived}\n  : {proven})"
    return f"{own}\n+ {proven}"


def _proof(trust: Trust, level: TrustedLevel) -> Iterator[str]:
    if trust.elevated != trust.everyday:
        yield from _is_elevated_clients(trust.elevated)
    yield from _shows(level.evidence)
    start = "auth_time" if trust.auth_time is AuthTime.REQUIRED else "iat"
    yield is_number(start)
    age = f"double(claims.exp) - double({claim(start, '0')})"
    # Both bounds: a sign-in in the future would always pass the upper one.
    yield f"{age} <= {level.window_s}.0"
    yield f"{age} >= 0.0"


def _is_elevated_clients(client: str) -> Iterator[str]:
    """Require a token of the elevated client: a mapper may add its id to the audiences of everyday tokens.

    Spec: OpenID Connect Core 1.0 section 3.1.3.7: of several audiences, `azp` says to whom the token was given.
    """
    audiences = listed("claims.aud")
    yield f"{cel.text(client)} in {audiences}"
    yield f"(has(claims.azp) ? claims.azp == {cel.text(client)} : size({audiences}) == 1)"


def _shows(evidence: Evidence) -> Iterator[str]:
    if evidence.acr:
        yield f"{claim('acr', repr(''))} in {cel.texts(evidence.acr)}"
    if evidence.acrs:
        yield f"{texts_of('acrs')}.exists(v, v in {cel.texts(evidence.acrs)})"
    if evidence.aud:
        yield f"{listed('claims.aud')}.exists(v, v in {cel.texts(evidence.aud)})"
    if evidence.amr:
        methods = texts_of("amr")
        yield from (f"{cel.text(method)} in {methods}" for method in evidence.amr)
    if evidence.scope:
        # Granted scopes are in the token response; the server sees them only where the ID token repeats them.
        granted = f"({_words_of('scope')} + {_words_of('scp')})"
        yield from (f"{cel.text(scope)} in {granted}" for scope in evidence.scope)


def _words_of(name: str) -> str:
    value = claim(name, "''")
    return f"(type({value}) == string ? dyn(string({value}).split(' ')) : {texts_of(name)})"
