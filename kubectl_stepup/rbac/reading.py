"""Read manifests into the values of `model`; objects of other kinds are skipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubectl_stepup.enforce import names
from kubectl_stepup.errors import RbacInvalid
from kubectl_stepup.rbac.model import (
    RBAC,
    Binding,
    FileLocation,
    LabelSelector,
    RbacObjects,
    RbacRule,
    Role,
    ServiceAccount,
    Subject,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

_POLICY = "ValidatingAdmissionPolicy"
_POLICY_BINDING = "ValidatingAdmissionPolicyBinding"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One object, and where it and its rules are in a file."""

    content: Mapping[str, Any]
    location: FileLocation
    rule_lines: tuple[int, ...] = ()


class _Field:
    """A value of a manifest, read as the type that the API has for it."""

    def __init__(self, manifest: Manifest, path: str, value: object) -> None:
        self._manifest, self._path, self._value = manifest, path, value

    def __getitem__(self, key: str) -> _Field:
        value = self._value.get(key) if isinstance(self._value, dict) else None
        if self._value is not None and not isinstance(self._value, dict):
            raise self._error("a mapping")
        return _Field(self._manifest, f"{self._path}.{key}" if self._path else key, value)

    def items(self) -> list[_Field]:
        """Return the items of the list; none where it is absent."""
        if self._value is None:
            return []
        if not isinstance(self._value, list):
            raise self._error("a list")
        return [_Field(self._manifest, f"{self._path}[{at}]", item) for at, item in enumerate(self._value)]

    def text(self, default: str | None = None) -> str:
        if self._value is None and default is not None:
            return default
        if not isinstance(self._value, str):
            raise self._error("a text")
        return self._value

    def texts(self) -> tuple[str, ...]:
        return tuple(item.text() for item in self.items())

    def mapping(self) -> dict[str, str]:
        if self._value is None:
            return {}
        if not isinstance(self._value, dict):
            raise self._error("a mapping")
        return {str(key): self[str(key)].text() for key in self._value}

    @property
    def is_absent(self) -> bool:
        return self._value is None

    @property
    def is_false(self) -> bool:
        return self._value is False

    def _error(self, wanted: str) -> RbacInvalid:
        location = self._manifest.location
        where = location.file if location.line is None else f"{location.file}:{location.line}"
        return RbacInvalid(f"{where}: {self._path or 'the object'} must be {wanted}", details={"file": location.file})


def objects_of(manifests: Iterable[Manifest], *, has_service_accounts: bool | None = None) -> RbacObjects:
    """Return the RBAC of the manifests; of two objects with one name the later counts.

    `has_service_accounts`: whether all of them are there; None: if there is one, as in the files of a backup.

    Raises:
        RbacInvalid: one is not what the API has.
    """
    roles, bindings, accounts = {}, {}, {}
    policies: dict[str, str] = {}
    denied: set[str] = set()
    for manifest in manifests:
        whole = _Field(manifest, "", manifest.content)
        group, kind = whole["apiVersion"].text("").rpartition("/")[0], whole["kind"].text("")
        if group == RBAC and kind in ("Role", "ClusterRole"):
            role = _role(whole, kind, manifest)
            roles[role.key] = role
        elif group == RBAC and kind in ("RoleBinding", "ClusterRoleBinding"):
            binding = _binding(whole, kind, manifest)
            bindings[(kind, binding.namespace, binding.name)] = binding
        elif (group, kind) == ("", "ServiceAccount"):
            account = _account(whole)
            accounts[(account.namespace, account.name)] = account
        elif kind == _POLICY:
            policies.update(_admission_policy(whole))
        elif kind == _POLICY_BINDING and "Deny" in whole["spec"]["validationActions"].texts():
            denied.add(whole["spec"]["policyName"].text())
    known = bool(accounts) if has_service_accounts is None else has_service_accounts
    return RbacObjects(
        roles=roles,
        bindings=tuple(bindings.values()),
        service_accounts=accounts if known else None,
        gated=frozenset(rule for name, rule in policies.items() if name in denied),
    )


def _namespace(whole: _Field, kind: str) -> str:
    return "" if kind.startswith("Cluster") else whole["metadata"]["namespace"].text("default")


def _role(whole: _Field, kind: str, manifest: Manifest) -> Role:
    lines: tuple[int | None, ...] = manifest.rule_lines
    rules = whole["rules"].items()
    lines = lines if len(lines) == len(rules) else (manifest.location.line,) * len(rules)
    aggregation = whole["aggregationRule"]
    return Role(
        kind=kind,
        name=whole["metadata"]["name"].text(),
        namespace=_namespace(whole, kind),
        rules=tuple(
            _rule(rule, FileLocation(file=manifest.location.file, line=line))
            for rule, line in zip(rules, lines, strict=True)
        ),
        labels=whole["metadata"]["labels"].mapping(),
        selectors=None
        if aggregation.is_absent
        else tuple(_selector(one) for one in aggregation["clusterRoleSelectors"].items()),
        location=manifest.location,
    )


def _rule(rule: _Field, location: FileLocation) -> RbacRule:
    return RbacRule(
        verbs=rule["verbs"].texts(),
        api_groups=rule["apiGroups"].texts(),
        resources=rule["resources"].texts(),
        resource_names=rule["resourceNames"].texts(),
        urls=rule["nonResourceURLs"].texts(),
        location=location,
    )


def _selector(selector: _Field) -> LabelSelector:
    labels = selector["matchLabels"].mapping()
    expressions = [
        (one["key"].text(), one["operator"].text(), one["values"].texts())
        for one in selector["matchExpressions"].items()
    ]
    return LabelSelector(requirements=(*((key, "In", (value,)) for key, value in labels.items()), *expressions))


def _binding(whole: _Field, kind: str, manifest: Manifest) -> Binding:
    namespace = _namespace(whole, kind)
    return Binding(
        kind=kind,
        name=whole["metadata"]["name"].text(),
        namespace=namespace,
        role_kind=whole["roleRef"]["kind"].text(),
        role_name=whole["roleRef"]["name"].text(),
        subjects=tuple(_subject(one, namespace) for one in whole["subjects"].items()),
        labels=whole["metadata"]["labels"].mapping(),
        location=manifest.location,
    )


_ACCOUNT_USER = "system:serviceaccount:"


def _subject(subject: _Field, namespace: str) -> Subject:
    """Read a subject; a User with a service account's user name is that account."""
    kind, name = subject["kind"].text(), subject["name"].text()
    if kind == "User" and name.startswith(_ACCOUNT_USER) and name.count(":") == 3:
        of_account, _, account = name.removeprefix(_ACCOUNT_USER).partition(":")
        return Subject(kind="ServiceAccount", name=account, namespace=of_account)
    own = subject["namespace"].text(namespace) if kind == "ServiceAccount" else ""
    return Subject(kind=kind, name=name, namespace=own)


def _account(whole: _Field) -> ServiceAccount:
    return ServiceAccount(
        namespace=_namespace(whole, "ServiceAccount"),
        name=whole["metadata"]["name"].text(),
        automounts=not whole["automountServiceAccountToken"].is_false,
    )


def _admission_policy(whole: _Field) -> dict[str, str]:
    """Return the name of an admission policy of ours, and of the rule that it was compiled from."""
    name = whole["metadata"]["name"].text()
    if not name.startswith(names.OBJECT_PREFIX):
        return {}
    rule = whole["metadata"]["annotations"][names.RULE].text(name.removeprefix(names.OBJECT_PREFIX))
    return {name: rule}
