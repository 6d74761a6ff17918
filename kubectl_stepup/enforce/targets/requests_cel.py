"""Each action as admission control sees it: the requests to evaluate, and the condition that is true for the action.

A condition decides about a request as `policy.actions` decides about a command line. It may use `VARIABLES`, its own
variables, and the actions before it. `&&` and `||` ignore an error on one side if the other side decides, so a
condition may read an object that only some operations have.

Spec: kubernetes.io, *Validating Admission Policy*; admissionregistration.k8s.io/v1 RuleWithOperations.
"""

from __future__ import annotations

from kubectl_stepup.enforce import cel
from kubectl_stepup.enforce.names import OBJECT_PREFIX
from kubectl_stepup.enforce.targets.pod_rights_cel import GAINS_RIGHTS, PODS_AND_TEMPLATES, RIGHTS
from kubectl_stepup.kubectl.patches import SERVICE_ACCOUNT_TOKEN
from kubectl_stepup.names import OWN_GROUP
from kubectl_stepup.policy.actions import CHANGE
from kubectl_stepup.values import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = (
    "request.?name.orValue('') != '' ? request.name"
    " : object != null ? dyn(object).?metadata.?name.orValue('')"
    # Deleting a collection sends each object, without its name in the request.
    " : oldObject != null ? dyn(oldObject).?metadata.?name.orValue('') : ''"
)
VARIABLES: Mapping[str, str] = {
    "operation": "request.operation",
    "group": "request.resource.group",
    # An empty member of a request is absent.
    "part": "request.?subResource.orValue('')",
    "kind": "request.resource.resource + (variables.part == '' ? '' : '/' + variables.part)",
    "name": _NAME,
    "namespaceName": (
        "variables.group == '' && request.resource.resource == 'namespaces' ? variables.name"
        " : request.?namespace.orValue('')"
    ),
    # Objects of many kinds: not checked against the schema of one.
    "new": "dyn(object)",
    "old": "dyn(oldObject)",
}
"""Name to expression, in the order in which they may use each other."""

WRITES = ("CREATE", "UPDATE", "DELETE")
STREAMS = ("pods/exec", "pods/attach", "pods/portforward")
PROXIES = ("pods/proxy", "services/proxy", "nodes/proxy")
EXEMPT = "admissionregistration.k8s.io"
"""The API group of admission control's own objects."""

EXEMPT_KINDS = (
    *("validatingadmissionpolicies", "validatingadmissionpolicybindings"),
    *("mutatingadmissionpolicies", "mutatingadmissionpolicybindings"),
)
"""The kinds that no policy is evaluated for, unlike webhook configurations."""

_SCALED = ("deployments", "statefulsets", "replicasets")
_RBAC, _CERTIFICATES, _REQUESTS = "rbac.authorization.k8s.io", "certificates.k8s.io", "certificatesigningrequests"
_PROTECTED = (EXEMPT, "apiextensions.k8s.io", "apiregistration.k8s.io", OWN_GROUP)
_OURS = OBJECT_PREFIX.rstrip("-")


class Shown(Record):
    """Requests that a policy is evaluated for: an item of `matchConstraints.resourceRules`."""

    groups: tuple[str, ...]
    resources: tuple[str, ...]
    operations: tuple[str, ...]

    def as_rule(self) -> dict[str, list[str] | str]:
        """Return it as the API server stores it: each default would be a change when kubectl applies it again."""
        return {
            "apiGroups": list(self.groups),
            "apiVersions": ["*"],
            "operations": list(self.operations),
            "resources": list(self.resources),
            "scope": "*",
        }


class Watched(Record):
    """The requests of an action; `variables` are those that its `condition` needs beside `VARIABLES`."""

    shown: tuple[Shown, ...]
    condition: str
    variables: Mapping[str, str] = {}
    needs: tuple[str, ...] = ()


def shown(group: str, resources: tuple[str, ...], *operations: str) -> Shown:
    """Return requests about the resources of one group."""
    return Shown(groups=(group,), resources=resources, operations=operations)


def variable_of(action: str) -> str:
    """Return the name of the variable that is true if a request is an action: `run-as` becomes `runAs`."""
    first, *rest = action.split("-")
    return first + "".join(word.title() for word in rest)


def _is(group: str, *kinds: str) -> str:
    kind = f"variables.kind == {cel.text(kinds[0])}" if len(kinds) == 1 else f"variables.kind in {cel.texts(kinds)}"
    return f"variables.group == {cel.text(group)} && {kind}"


def _does(*operations: str) -> str:
    if len(operations) == 1:
        return f"variables.operation == {cel.text(operations[0])}"
    return f"variables.operation in {cel.texts(operations)}"


def _becomes(field: str) -> str:
    """Return the condition that a field of the specification is set now and was not before."""
    return f"variables.new.?spec.?{field}.orValue(false) && !variables.old.?spec.?{field}.orValue(false)"


_EVERYTHING = Shown(groups=("*",), resources=("*/*",), operations=WRITES)
# A Scale omits a number that is zero; other objects always have it.
_TO_ZERO = "variables.new.?spec.?replicas.orValue(0) == 0 && variables.old.?spec.?replicas.orValue(0) != 0"
_NODE_FIELDS = (
    *("metadata.?labels", "metadata.?annotations", "metadata.?finalizers", "metadata.?ownerReferences"),
    *("spec.?taints", "spec.?providerID", "spec.?podCIDR", "spec.?podCIDRs", "spec.?externalID", "spec.?configSource"),
)
"""What a node's update may change, apart from `unschedulable` (cordon and uncordon)."""

_NODE_CHANGES = cel.any_of(f"variables.new.?{field} != variables.old.?{field}" for field in _NODE_FIELDS)
_ON_A_NODE = cel.any_of(
    (
        "variables.name.startsWith('node-debugger-')",
        *(f"variables.new.?spec.?{field}.orValue(false)" for field in ("hostPID", "hostIPC", "hostNetwork")),
        "variables.new.?spec.?volumes.orValue([]).exists(volume, has(volume.hostPath))",
    )
)

_DIRECT: Mapping[str, Watched] = {
    "delete": Watched(
        shown=(
            Shown(groups=("*",), resources=("*/*",), operations=("DELETE",)),
            # Draining a node deletes nothing: it creates evictions.
            shown("", ("pods/eviction",), "CREATE"),
        ),
        condition=cel.any_of((_does("DELETE"), cel.all_of((_does("CREATE"), _is("", "pods/eviction"))))),
    ),
    "stop": Watched(
        shown=(
            Shown(groups=("*",), resources=("*/scale",), operations=("UPDATE",)),
            shown("apps", _SCALED, "UPDATE"),
            shown("", ("replicationcontrollers", "nodes"), "UPDATE"),
        ),
        condition=cel.all_of(
            (
                _does("UPDATE"),
                cel.any_of(
                    (
                        f"variables.part == 'scale' && {_TO_ZERO}",
                        f"{_is('apps', *_SCALED)} && {_TO_ZERO}",
                        f"{_is('', 'replicationcontrollers')} && {_TO_ZERO}",
                        f"{_is('apps', 'deployments')} && {_becomes('paused')}",
                        f"{_is('', 'nodes')} && {_becomes('unschedulable')}",
                    )
                ),
            )
        ),
    ),
    "shell": Watched(
        shown=(
            shown("", (*STREAMS, *PROXIES), "CONNECT"),
            shown("", ("pods/ephemeralcontainers",), "UPDATE"),
        ),
        condition=cel.any_of(
            (
                cel.all_of((_does("CONNECT"), _is("", *STREAMS, *PROXIES))),
                cel.all_of((_does("UPDATE"), _is("", "pods/ephemeralcontainers"))),
            )
        ),
    ),
    "grant": Watched(
        shown=(shown(_RBAC, ("*/*",), *WRITES),),
        condition=f"{_does(*WRITES)} && variables.group == {cel.text(_RBAC)}",
    ),
    "mint": Watched(
        shown=(
            shown("", ("serviceaccounts/token", "secrets"), "CREATE"),
            shown(_CERTIFICATES, (_REQUESTS, f"{_REQUESTS}/*"), *WRITES),
        ),
        condition=cel.any_of(
            (
                cel.all_of((_does("CREATE"), _is("", "serviceaccounts/token"))),
                # A controller adds a token that never expires. The type of a Secret cannot change later.
                f"{_does('CREATE')} && {_is('', 'secrets')} && "
                f"variables.new.?type.orValue('') == {cel.text(SERVICE_ACCOUNT_TOKEN)}",
                f"{_does(*WRITES)} && variables.group == {cel.text(_CERTIFICATES)} && "
                f"request.resource.resource == {cel.text(_REQUESTS)}",
            )
        ),
    ),
    "protect": Watched(
        shown=(Shown(groups=_PROTECTED, resources=("*/*",), operations=WRITES), shown("", ("configmaps",), *WRITES)),
        condition=cel.all_of(
            (
                _does(*WRITES),
                cel.any_of(
                    (
                        f"variables.group in {cel.texts(_PROTECTED)}",
                        f"{_is('', 'configmaps')} && variables.name.startsWith({cel.text(_OURS)})",
                    )
                ),
            )
        ),
    ),
    "node": Watched(
        shown=(shown("", ("nodes", "nodes/*"), *WRITES), shown("", ("pods",), "CREATE")),
        condition=cel.any_of(
            (
                f"{_does(*WRITES)} && variables.group == '' && request.resource.resource == 'nodes' && "
                f"(variables.operation != 'UPDATE' || variables.part != '' || {_NODE_CHANGES})",
                # The pod of `kubectl debug node/x`, under any name.
                f"{_does('CREATE')} && {_is('', 'pods')} && variables.new.?spec.?nodeName.orValue('') != '' && "
                f"({_ON_A_NODE})",
            )
        ),
    ),
}
ACTIONS: Mapping[str, Watched] = {
    **_DIRECT,
    "run-as": Watched(
        shown=tuple(shown(group, kinds, "CREATE", "UPDATE") for group, kinds in PODS_AND_TEMPLATES.items()),
        variables=RIGHTS,
        condition=cel.all_of(
            (
                _does("CREATE", "UPDATE"),
                cel.any_of(_is(group, *kinds) for group, kinds in PODS_AND_TEMPLATES.items()),
                GAINS_RIGHTS,
            )
        ),
    ),
    CHANGE: Watched(
        shown=(_EVERYTHING,),
        needs=tuple(_DIRECT),
        condition=cel.all_of((_does("CREATE", "UPDATE"), *(f"!variables.{variable_of(action)}" for action in _DIRECT))),
    ),
}
"""The actions that admission control sees (it sees no reads). `needs` names the actions that must come before."""
