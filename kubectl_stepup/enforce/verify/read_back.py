"""Compare the objects of a cluster with those that the policy in force compiles to.

Defaults that the server fills in are no difference; any other change is.

Spec: admissionregistration.k8s.io/v1, rbac.authorization.k8s.io/v1 (defaults of each field).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_stepup.enforce import names
from kubectl_stepup.enforce.targets import policy_config_map
from kubectl_stepup.enforce.verify.results import GAP, NOT_CHECKED, VerifyResult, result_of
from kubectl_stepup.policy.expansion import ADMISSION, CLIENT, RBAC

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_DEFAULTS: Mapping[str, object] = {
    "matchPolicy": "Equivalent",
    "namespaceSelector": {},
    "objectSelector": {},
    "scope": "*",
}
"""Defaults that the server adds to an admission policy."""

_POLICY, _BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"
_SHORT = {_POLICY: "policy", _BINDING: "binding"}
ADMISSION_KINDS = (_POLICY, _BINDING)
GRANTS = ("ClusterRoleBinding", "RoleBinding")
_MOST = 3


def key_of(one: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return the key of an object: kind, namespace and name."""
    metadata = one.get("metadata") or {}
    return str(one.get("kind")), str(metadata.get("namespace") or ""), str(metadata.get("name"))


def by_key(objects: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str, str], Mapping[str, Any]]:
    """Return objects by their keys."""
    return {key_of(one): one for one in objects}


def differences(expected: object, found: object, path: str = "") -> Iterator[str]:
    """Return what differs, with its path."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in (*expected, *(one for one in found if one not in expected)):
            inner = f"{path}.{key}" if path else str(key)
            if key not in found:
                yield f"{inner} is gone"
            elif key in expected:
                yield from differences(expected[key], found[key], inner)
            elif found[key] is not None and found[key] != _DEFAULTS.get(key, _NOTHING):
                yield f"{inner} is {_shown(found[key])}" if _is_short(found[key]) else f"{inner} was added"
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for at, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from differences(one, other, f"{path}[{at}]")
    elif expected != found:
        yield f"{path} is {_shown(found)}" if _is_short(found) else f"{path} differs"


_NOTHING = object()


def _is_short(value: object) -> bool:
    return isinstance(value, str | int) or (isinstance(value, list) and all(isinstance(one, str) for one in value))


def _shown(value: object) -> str:
    text = ", ".join(value) if isinstance(value, list) else str(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def admission_policies(
    expected: Sequence[Mapping[str, Any]],
    found: Mapping[tuple[str, str, str], Mapping[str, Any]],
    *,
    digest: str,
    fix: str,
) -> Iterator[VerifyResult]:
    """Return the results for every rule's admission policy and binding, and for those of rules that no longer exist."""
    rules: dict[str, list[Mapping[str, Any]]] = {}
    for one in expected:
        if one["kind"] in ADMISSION_KINDS:
            rules.setdefault(one["metadata"]["annotations"][names.RULE], []).append(one)
    for rule, pair in rules.items():
        problems = [problem for one in pair for problem in _problems(one, found.get(key_of(one)), digest)]
        warned = [text for one in pair for text in _type_warnings(found.get(key_of(one)) or {})]
        good = f"the server warns of its types: {warned[0]}" if warned else ""
        yield result_of(rule, "policy and binding as compiled", ADMISSION, problems, fix=fix, good=good)
    wanted = {key_of(one) for one in expected}
    for key in sorted(set(found) - wanted):
        if key[0] in ADMISSION_KINDS:
            yield _left_over(found[key], ADMISSION)


def _problems(expected: Mapping[str, Any], found: Mapping[str, Any] | None, digest: str) -> Iterator[str]:
    what = "the binding" if expected["kind"] == _BINDING else "the policy"
    if found is None:
        yield f"{what} is not there: {expected['metadata']['name']}"
        return
    wrong = list(differences(expected["spec"], found.get("spec") or {}, "spec"))
    yield from (f"{what}: {one}" for one in wrong[:_MOST])
    if len(wrong) > _MOST:
        yield f"{what}: and {len(wrong) - _MOST} more"
    yield from _old(found, digest, what)
    if (found.get("metadata") or {}).get("deletionTimestamp"):
        yield f"{what} is being deleted"


def _old(found: Mapping[str, Any], digest: str, what: str) -> Iterator[str]:
    named = annotation(found, names.DIGEST)
    if named != digest:
        yield f"{what} was compiled from another policy ({(named or 'no digest')[:19]}, in force {digest[:19]})"


def _type_warnings(found: Mapping[str, Any]) -> list[str]:
    checked = (found.get("status") or {}).get("typeChecking") or {}
    return [str(one.get("warning")).splitlines()[0] for one in checked.get("expressionWarnings") or ()]


def annotation(one: Mapping[str, Any], name: str) -> str | None:
    """Return an annotation of an object."""
    found = ((one.get("metadata") or {}).get("annotations") or {}).get(name)
    return None if found is None else str(found)


def _left_over(one: Mapping[str, Any], point: str) -> VerifyResult:
    kind, namespace, name = key_of(one)
    where = f" -n {namespace}" if namespace else ""
    rule = annotation(one, names.RULE)
    why = f"rule {rule} is not in the policy" if rule else "nothing in the policy becomes it"
    return VerifyResult(
        subject=rule or name,
        what=f"{_SHORT.get(kind, kind)} left over",
        point=point,
        state=GAP,
        detail=why,
        fix=f"kubectl delete {kind.lower()} {name}{where}",
    )


def grants(
    expected: Sequence[Mapping[str, Any]], found: Mapping[tuple[str, str, str], Mapping[str, Any]], *, fix: str
) -> Iterator[VerifyResult]:
    """Return the results for the bindings of the policy's `grants` and for the reader of the published policy."""
    wanted = {key_of(one): one for one in expected if one["kind"] in GRANTS}
    for key, one in wanted.items():
        there = found.get(key)
        problems = [f"{key[2]} is not there"] if there is None else []
        if there is not None:
            for part in ("roleRef", "subjects"):
                problems += differences(_plain(one[part]), _plain(there.get(part) or []), part)
        yield result_of("grants", f"{key[0]} as compiled", RBAC, problems, fix=fix, good=key[2])
    for key in sorted(set(found) - set(wanted)):
        if key[0] in GRANTS:
            yield _left_over(found[key], RBAC)


def _plain(value: Any) -> Any:
    """Return role references and subjects without their API group, which the server fills in."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return {key: one for key, one in value.items() if key != "apiGroup"}


def published_text(found: Mapping[str, Any] | None) -> str | None:
    """Return the text of the policy in the ConfigMap; None where there is none."""
    text = ((found or {}).get("data") or {}).get(names.PUBLISHED_KEY)
    return text if isinstance(text, str) else None


def published_policy(
    found: Mapping[str, Any] | None, document: object, *, digest: str, fix: str, why_not: str
) -> VerifyResult:
    """Check the ConfigMap that every client fetches, by the `document` in it; `why_not` says why it was not read."""
    problems: list[str] = []
    if found is None:
        problems.append(f"an everyday login cannot read it: {why_not}")
    else:
        if not isinstance(document, dict):
            problems.append("no policy is in it")
        elif policy_config_map.digest_of(document) != digest:
            problems.append("what is in it is not the policy in force")
        problems += _old(found, digest, "it")
    return result_of("published", "as everybody's client gets it", CLIENT, problems, fix=fix)


def unread(subject: str, what: str, point: str, why: str, *, fix: str) -> VerifyResult:
    """Return the result for an object that no login may read."""
    return VerifyResult(subject=subject, what=what, point=point, state=NOT_CHECKED, detail=why, fix=fix)
