"""Each kind of finding: what is one, what is none, and how bad it is where."""

from __future__ import annotations

import pytest

from kubectl_stepup.enforce.plan import TargetCluster
from kubectl_stepup.enforce.targets import admission
from kubectl_stepup.enforce.targets.admission import Gate
from kubectl_stepup.policy.model import Policy, Target
from kubectl_stepup.rbac.catalogue import CATALOGUE
from kubectl_stepup.rbac.findings import audit
from kubectl_stepup.rbac.model import FileLocation, RbacObjects
from kubectl_stepup.rbac.powers import NAMED, POWERS, URLS
from kubectl_stepup.rbac.reading import Manifest, objects_of
from tests.rbac.weaknesses import ALSO, PLANTED, STATED, STOCK, WEAKNESSES

from .conftest import Audited, allow, bound, policy_of, read

RBAC = "rbac.authorization.k8s.io"
STRICT = (
    "  - {name: all, do: [delete, stop, shell, read-secrets, grant, mint, protect, node, change, run-as], needs: mfa}\n"
)


def told(findings: tuple[object, ...]) -> list[tuple[str, str]]:
    return [(one.code, one.severity) for one in findings]  # type: ignore[attr-defined]


# A whole cluster


@pytest.mark.parametrize("stock", STOCK, ids=lambda path: path.stem)
@pytest.mark.parametrize("strict", [False, True], ids=["default", "strict"])
def test_a_fresh_cluster_has_what_the_docs_state_and_nothing_else(stock: object, strict: bool, default: Policy) -> None:
    found = audit(read(stock), policy_of(STRICT) if strict else default, Target())  # type: ignore[arg-type]
    assert {(one.code, str(one.subject)) for one in found} == STATED
    assert len(found) == 1


@pytest.mark.parametrize("stock", STOCK, ids=lambda path: path.stem)
def test_every_planted_weakness_is_found_and_nothing_else(stock: object, default: Policy) -> None:
    found = audit(read(stock, WEAKNESSES), default, Target())  # type: ignore[arg-type]
    expected = {(number, code): (severity, subject) for number, (code, severity, subject) in PLANTED.items()}
    seen = {
        (one.binding.name.upper(), one.code): (one.severity, str(one.subject))
        for one in found
        if (one.code, str(one.subject)) not in STATED
    }
    assert {key: seen.get(key) for key in expected} == expected
    assert set(seen) - set(expected) == ALSO
    assert len(seen) == len(found) - len(STATED)


def test_the_worst_come_first_and_the_order_is_stable(default: Policy) -> None:
    found = audit(read(WEAKNESSES), default, Target())
    assert list(found) == list(audit(read(WEAKNESSES), default, Target()))
    order = ["critical", "high", "medium", "low"]
    assert [one.severity for one in found] == sorted((one.severity for one in found), key=order.index)


def test_everything_that_can_be_found_is_explained() -> None:
    assert {power.code for power in (*POWERS, URLS, NAMED)} <= set(CATALOGUE)


# Scope


def test_in_a_namespace_it_is_less_bad(audited: Audited) -> None:
    rule = allow("get", "secrets")
    assert told(audited(bound(rule))) == [("secrets-read", "high")]
    assert told(audited(bound(rule, namespace="dev"))) == [("secrets-read", "medium")]
    assert told(audited(bound(rule, namespace="kube-system"))) == [("secrets-read", "high")]


def test_named_objects_are_less_bad_and_some_verbs_void(audited: Audited) -> None:
    assert told(audited(bound(allow("get", "secrets", names="tls")))) == [("secrets-read", "medium")]
    # No request to create, or to delete a collection, carries a name; to create a subresource, it does.
    assert audited(bound(allow("create", "secrets", names="tls"))) == ()
    assert audited(bound(allow("deletecollection", "pods", names="web"))) == ()
    assert told(audited(bound(allow("create", "pods/exec", names="web")))) == [("pod-exec", "medium")]


@pytest.mark.parametrize(
    ("verbs", "resources", "group"),
    [
        ("get", "nodes/proxy", ""),
        ("patch", "nodes", ""),
        ("create", "persistentvolumes", ""),
        ("impersonate", "groups", ""),
        ("impersonate", "users", ""),
        ("delete", "customresourcedefinitions", "apiextensions.k8s.io"),
        ("escalate", "clusterroles", RBAC),
        ("delete", "namespaces", ""),
    ],
)
def test_a_role_binding_gives_nothing_of_the_whole_cluster(
    audited: Audited, verbs: str, resources: str, group: str
) -> None:
    rule = allow(verbs, resources, group)
    assert audited(bound(rule)) != ()
    assert audited(bound(rule, namespace="dev")) == ()


def test_bind_counts_in_a_namespace_for_cluster_roles_too(audited: Audited) -> None:
    assert told(audited(bound(allow("bind", "clusterroles", RBAC), namespace="dev"))) == [("bind", "high")]


def test_a_service_account_can_be_impersonated_in_its_namespace(audited: Audited) -> None:
    found = audited(bound(allow("impersonate", "serviceaccounts"), namespace="dev"))
    assert told(found) == [("impersonate-service-accounts", "medium")]


# What RBAC means


@pytest.mark.parametrize(
    ("verbs", "resources", "group", "code"),
    [
        ("get", '"*/exec"', "", "pod-exec"),
        ("get", "pods/attach", "", "pod-exec"),
        ("watch", "secrets", "", "secrets-read"),
        ("create", "pods/portforward", "", "pod-portforward"),
        ("create", "pods/eviction", "", "delete"),
        ("update", "pods/ephemeralcontainers", "", "ephemeral-containers"),
        ('"impersonate:user-info"', "users", "authentication.k8s.io", "impersonate-users"),
        ("impersonate", "uids", "authentication.k8s.io", "impersonate-extras"),
        ("sign", "signers", "certificates.k8s.io", "certificate-signing"),
        ("create", "roles", RBAC, "role-write"),
        ("patch", "clusterrolebindings", RBAC, "binding-write"),
        ("delete", "anything", "kubectl-stepup.github.io", "own-objects-write"),
        ("create", "pods", "", "workload-create"),
        ("create", "replicationcontrollers", "", "workload-create"),
        ("patch", "deployments/scale", "apps", "stop"),
        ("create", "validatingwebhookconfigurations", "admissionregistration.k8s.io", "webhook-write"),
    ],
)
def test_a_request_is_a_power(audited: Audited, verbs: str, resources: str, group: str, code: str) -> None:
    assert code in {one.code for one in audited(bound(allow(verbs, resources, group)))}


@pytest.mark.parametrize(
    ("verbs", "resources", "group"),
    [
        ("get", "pods", ""),
        ("list", "pods/exec", ""),  # nothing can be listed there
        ("get", '"pods/*"', ""),  # no pattern to RBAC
        ("get", "secrets", "example.com"),
        ("create", "selfsubjectaccessreviews", "authorization.k8s.io"),
        ("create", "certificatesigningrequests", "certificates.k8s.io"),  # nothing without an approval
        ("get", "nodes/metrics, nodes/stats", ""),
        ("update", "leases", "coordination.k8s.io"),
    ],
)
def test_a_request_is_no_power(audited: Audited, verbs: str, resources: str, group: str) -> None:
    assert audited(bound(allow(verbs, resources, group))) == ()


def test_a_wildcard_is_told_once_with_what_it_comes_to(audited: Audited) -> None:
    (found,) = audited(bound(allow("get", '"*"')))
    assert found.code == "wildcard-resources"
    assert set(found.reaches) == {"node-proxy", "secrets-read", "pod-exec", "pod-portforward", "pod-proxy"}
    assert found.severity == "critical"


def test_rules_that_give_the_same_are_one_finding(audited: Audited) -> None:
    (found,) = audited(bound(f"{allow('get', 'secrets')}, {allow('list', 'secrets')}"))
    assert [one.index for one in found.rules] == [0, 1]
    assert found.path == ("ClusterRoleBinding/one", "ClusterRole/one", "rule 1: get on secrets")


def test_cluster_admin_in_a_namespace_is_less_bad(audited: Audited) -> None:
    text = bound('{verbs: ["*"], apiGroups: ["*"], resources: ["*"]}', namespace="dev")
    assert told(audited(text)) == [("wildcard-everything", "high")]


# Aggregation


AGGREGATE = f"""
apiVersion: {RBAC}/v1
kind: ClusterRole
metadata: {{name: sum}}
aggregationRule:
  clusterRoleSelectors:
    - matchLabels: {{tier: one}}
    - matchExpressions: [{{key: tier, operator: In, values: [two, three]}}, {{key: hidden, operator: DoesNotExist}}]
rules: RULES
---
apiVersion: {RBAC}/v1
kind: ClusterRole
metadata: {{name: part, labels: {{tier: TIER}}}}
rules: [{allow("get", "secrets")}]
---
apiVersion: {RBAC}/v1
kind: ClusterRoleBinding
metadata: {{name: bound}}
roleRef: {{kind: ClusterRole, name: sum}}
subjects: [{{kind: Group, name: dev}}]
"""


@pytest.mark.parametrize("tier", ["one", "three"])
@pytest.mark.parametrize("rules", ["[]", f"[{allow('get', 'secrets')}]"])
def test_the_path_leads_through_aggregation(audited: Audited, tier: str, rules: str) -> None:
    """Whether the controller has filled the sum or not."""
    (found,) = audited(AGGREGATE.replace("RULES", rules).replace("TIER", tier))
    assert found.path == (
        "ClusterRoleBinding/bound",
        "ClusterRole/sum",
        "ClusterRole/part",
        "rule 1: get on secrets",
    )


def test_a_label_that_is_not_asked_for_adds_nothing(audited: Audited) -> None:
    assert audited(AGGREGATE.replace("RULES", "[]").replace("TIER", "two, hidden: here")) == ()


def test_a_rule_that_no_source_explains_is_the_roles_own(audited: Audited) -> None:
    (found,) = audited(AGGREGATE.replace("RULES", f"[{allow('get', 'secrets')}]").replace("TIER", "none"))
    assert found.path == ("ClusterRoleBinding/bound", "ClusterRole/sum", "rule 1: get on secrets")


def test_roles_that_aggregate_each_other_end(audited: Audited) -> None:
    text = (
        AGGREGATE.replace("RULES", "[]")
        .replace("TIER", "one")
        .replace("{name: sum}", "{name: sum, labels: {tier: one}}", 1)
    )
    assert told(audited(text)) == [("secrets-read", "high")]


# Subjects


@pytest.mark.parametrize(
    ("subject", "code", "severity"),
    [
        ("{kind: User, name: alice}", "secrets-read", "high"),
        ("{kind: User, name: 'system:anonymous'}", "open-to-anonymous", "critical"),
        ("{kind: Group, name: 'system:unauthenticated'}", "open-to-anonymous", "critical"),
        ("{kind: Group, name: 'system:authenticated'}", "open-to-everyone", "high"),
        ("{kind: Group, name: 'system:serviceaccounts:dev'}", "open-to-everyone", "high"),
        ("{kind: ServiceAccount, name: ci, namespace: dev}", "powerful-service-account", "medium"),
        ("{kind: User, name: 'system:serviceaccount:dev:ci'}", "powerful-service-account", "medium"),
        ("{kind: ServiceAccount, name: default, namespace: dev}", "powerful-default-service-account", "high"),
        ("{kind: User, name: 'system:node:a'}", "secrets-read", "high"),
        ("{kind: Group, name: 'stepup:mfa'}", "level-grants", "high"),
    ],
)
def test_who_it_is_decides_how_it_is_told(audited: Audited, subject: str, code: str, severity: str) -> None:
    assert told(audited(bound(allow("get", "secrets"), subject=subject))) == [(code, severity)]


@pytest.mark.parametrize("name", ["stepup:mfa:dev", "stepup:critical:dev", "stepup:mfa:a:b"])
def test_a_derived_group_has_stepped_up(audited: Audited, name: str) -> None:
    assert audited(bound(allow("get", "secrets"), subject=f"{{kind: Group, name: '{name}'}}")) == ()


def test_a_derived_group_of_a_weaker_level_has_not(audited: Audited) -> None:
    rule = allow("escalate", "clusterroles", RBAC)
    (found,) = audited(bound(rule, subject="{kind: Group, name: 'stepup:mfa:dev'}"))
    assert (found.code, found.level, found.asked_by) == ("level-too-low", "critical", ("power",))
    assert audited(bound(rule, subject="{kind: Group, name: 'stepup:critical:dev'}")) == ()


@pytest.mark.parametrize("subject", ["{kind: User, name: 'stepup:mfa'}", "{kind: Group, name: 'stepup:gold:dev'}"])
def test_a_name_like_a_level_proves_none(audited: Audited, subject: str) -> None:
    found = audited(bound(allow("get", "secrets"), subject=subject))
    assert told(found) == [("secrets-read", "high"), ("pretended-level", "medium")]


def test_what_machines_are_there_for_is_not_told_of_them(audited: Audited) -> None:
    rule = allow("delete, patch", "deployments", "apps")
    found = audited(bound(rule, subject="{kind: ServiceAccount, name: operator, namespace: dev}"))
    assert [one.reaches for one in found] == [("workload-create",)]
    assert {one.code for one in audited(bound(rule))} == {"workload-create", "delete", "stop"}


def test_a_missing_service_account_is_told_where_they_were_read(audited: Audited) -> None:
    text = bound(allow("get", "pods"), subject="{kind: ServiceAccount, name: ci, namespace: dev}")
    account = "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: NAME, namespace: dev}\n"
    assert audited(text) == ()
    assert told(audited(text + account.replace("NAME", "other"))) == [("dangling-service-account", "low")]
    assert audited(text + account.replace("NAME", "ci")) == ()


def test_whether_a_token_is_mounted_is_said(audited: Audited) -> None:
    text = bound(allow("get", "secrets"), subject="{kind: ServiceAccount, name: ci, namespace: dev}")
    account = "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: ci, namespace: dev}\n"
    assert ["mounted" in one.note for one in audited(text + account)] == [True]
    assert ["mounted" in one.note for one in audited(text + account + "automountServiceAccountToken: false\n")] == [
        False
    ]


# Stock


STOCK_BINDING = f"""
apiVersion: {RBAC}/v1
kind: ClusterRole
metadata: {{name: NAME, labels: {{kubernetes.io/bootstrapping: rbac-defaults}}}}
rules: [{allow("get", "secrets")}]
---
apiVersion: {RBAC}/v1
kind: ClusterRoleBinding
metadata: {{name: NAME, labels: {{kubernetes.io/bootstrapping: rbac-defaults}}}}
roleRef: {{kind: ClusterRole, name: NAME}}
subjects: [SUBJECT]
"""


@pytest.mark.parametrize(
    ("name", "subject", "count"),
    [
        ("system:controller:job-controller", "{kind: ServiceAccount, name: job-controller, namespace: kube-system}", 0),
        ("system:controller:job-controller", "{kind: ServiceAccount, name: job-controller, namespace: dev}", 1),
        ("system:controller:job-controller", "{kind: Group, name: dev}", 1),
        ("system:controller:mine", "{kind: ServiceAccount, name: mine, namespace: kube-system}", 1),
        ("system:kube-scheduler", "{kind: User, name: 'system:kube-scheduler'}", 0),
        ("system:basic-user", "{kind: Group, name: 'system:authenticated'}", 1),
    ],
)
def test_the_label_alone_makes_nothing_stock(audited: Audited, name: str, subject: str, count: int) -> None:
    assert len(audited(STOCK_BINDING.replace("NAME", name).replace("SUBJECT", subject))) == count


KUBEADM = f"""
apiVersion: {RBAC}/v1
kind: ClusterRole
metadata: {{name: cluster-admin}}
rules: [{{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}}]
---
apiVersion: {RBAC}/v1
kind: ClusterRoleBinding
metadata: {{name: "kubeadm:cluster-admins"}}
roleRef: {{kind: ClusterRole, name: cluster-admin}}
subjects: [{{kind: Group, name: "kubeadm:cluster-admins"}}]
---
apiVersion: {RBAC}/v1
kind: ClusterRole
metadata: {{name: "system:node-bootstrapper"}}
rules: [{allow("create, get, list, watch", "certificatesigningrequests", "certificates.k8s.io")}]
---
apiVersion: {RBAC}/v1
kind: ClusterRoleBinding
metadata: {{name: "kubeadm:kubelet-bootstrap"}}
roleRef: {{kind: ClusterRole, name: "system:node-bootstrapper"}}
subjects: [{{kind: Group, name: "system:bootstrappers:kubeadm:default-node-token"}}]
"""


def test_what_kubeadm_adds(audited: Audited) -> None:
    assert told(audited(KUBEADM)) == [("cluster-admin", "critical")]
    assert told(audited(KUBEADM, rules=STRICT)) == [("cluster-admin", "critical")]


def test_roles_that_nobody_is_bound_to_are_no_finding(audited: Audited) -> None:
    assert audited(STOCK_BINDING.partition("---")[0].replace("NAME", "edit")) == ()


# The policy


def test_only_what_the_policy_asks_for_is_a_finding(audited: Audited) -> None:
    rules = "  - {name: shells, do: [shell], needs: mfa}\n"
    text = bound(f"{allow('get', 'secrets')}, {allow('create', 'pods/exec')}")
    (found,) = audited(text, rules=rules)
    assert (found.code, found.level, found.asked_by) == ("pod-exec", "mfa", ("shells",))


def test_the_cluster_and_its_labels_select_rules(audited: Audited) -> None:
    rules = '  - {name: s, do: [read-secrets], clusters: ["prod-*"], labels: {env: [prod]}, needs: mfa}\n'
    text = bound(allow("get", "secrets"))
    assert len(audited(text, rules=rules)) == 1  # nothing is known of the cluster
    assert len(audited(text, rules=rules, cluster="prod-eu", labels={"env": "prod"})) == 1
    assert audited(text, rules=rules, cluster="dev", labels={"env": "prod"}) == ()
    assert audited(text, rules=rules, cluster="prod-eu", labels={"env": "dev"}) == ()


def test_namespaces_select_rules_and_a_cluster_wide_right_reaches_them_all(audited: Audited) -> None:
    rules = '  - {name: s, do: [read-secrets], namespaces: ["prod-*"], except: {namespaces: [prod-x]}, needs: mfa}\n'
    rule = allow("get", "secrets")
    assert len(audited(bound(rule), rules=rules)) == 1
    assert [len(audited(bound(rule, namespace=one), rules=rules)) for one in ("prod-a", "prod-x", "dev")] == [1, 0, 0]


def test_names_select_rules(audited: Audited) -> None:
    rules = '  - {name: s, do: [read-secrets], names: ["db-*"], needs: mfa}\n'
    counts = [len(audited(bound(allow("get", "secrets", names=name)), rules=rules)) for name in ("db-1", "tls")]
    assert counts == [1, 0]


def test_a_rule_that_only_says_so_or_needs_the_command_line_counts_for_nothing(audited: Audited) -> None:
    for more in ("mode: warn", "mode: audit", "where: {all: true}"):
        rules = f"  - {{name: s, do: [read-secrets], {more}, needs: mfa}}\n"
        assert audited(bound(allow("get", "secrets")), rules=rules) == ()


def test_a_rule_by_verb_and_resource_counts(audited: Audited) -> None:
    rules = "  - {name: w, verbs: [update], apiGroups: [example.com], resources: [widgets/status], needs: mfa}\n"
    for allowed, count in [
        (allow("patch", "widgets/status", "example.com"), 1),  # admission sees one operation for both
        (allow("update", "widgets", "example.com"), 0),
        (allow("get", "widgets/status", "example.com"), 0),
        (allow("update", "widgets/status", "other.com"), 0),
    ]:
        assert [one.code for one in audited(bound(allowed), rules=rules)] == ["policy-rule"] * count


def test_the_strongest_level_of_the_rules_that_ask_is_what_it_needs(audited: Audited) -> None:
    rules = "  - {name: a, do: [shell], needs: mfa}\n  - {name: b, do: [shell], needs: critical}\n"
    (found,) = audited(bound(allow("get", "pods/exec")), rules=rules)
    assert (found.level, found.asked_by) == ("critical", ("a", "b"))


# Admission policies


ADMISSION_POLICY = """---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: kubectl-stepup-all}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: kubectl-stepup-all}
spec: {policyName: kubectl-stepup-all, validationActions: [ACTION]}
"""


@pytest.mark.parametrize(
    ("rule", "gated"),
    [
        (allow("create", "pods/exec"), True),
        (allow("delete", "pods"), True),
        (allow("escalate", "clusterroles", RBAC), True),
        (allow("patch", "mutatingwebhookconfigurations", "admissionregistration.k8s.io"), True),
        (allow("get", "secrets"), False),
        (allow("get", "nodes/proxy"), False),
        (allow("impersonate", "groups"), False),
        (allow("delete", "validatingadmissionpolicies", "admissionregistration.k8s.io"), False),
    ],
)
def test_an_admission_policy_gates_what_admission_sees(audited: Audited, rule: str, gated: bool) -> None:
    text = bound(rule)
    assert audited(text, rules=STRICT) != ()
    assert (audited(text + ADMISSION_POLICY.replace("ACTION", "Deny"), rules=STRICT) == ()) is gated


def test_an_admission_policy_that_only_warns_or_is_not_ours_gates_nothing(audited: Audited) -> None:
    text = bound(allow("create", "pods/exec"))
    assert audited(text + ADMISSION_POLICY.replace("ACTION", "Warn"), rules=STRICT) != ()
    assert (
        audited(text + ADMISSION_POLICY.replace("ACTION", "Deny").replace("kubectl-stepup", "mine"), rules=STRICT) != ()
    )


def test_an_admission_policy_of_another_rule_does_not_count(audited: Audited) -> None:
    text = bound(allow("create", "pods/exec")) + ADMISSION_POLICY.replace("ACTION", "Deny")
    assert audited(text, rules="  - {name: other, do: [shell], needs: mfa}\n") != ()


def test_the_admission_policy_of_our_own_objects_gates_them_and_nothing_else(audited: Audited) -> None:
    own = ADMISSION_POLICY.replace("ACTION", "Deny").replace("kubectl-stepup-all", "kubectl-stepup-own-objects")
    published = bound(allow("update", "configmaps", names="kubectl-stepup-policy"), namespace="kube-public")
    assert {one.code for one in audited(published)} == {"published-policy-write"}
    assert audited(published + own) == ()
    definitions = bound(allow("create", "customresourcedefinitions", "apiextensions.k8s.io"))
    assert {one.code for one in audited(definitions + own)} == {"extension-write"}


def test_the_annotation_names_the_rule_of_an_admission_policy(audited: Audited) -> None:
    text = bound(allow("create", "pods/exec")) + ADMISSION_POLICY.replace("ACTION", "Deny").replace(
        "metadata: {name: kubectl-stepup-all}\n---",
        "metadata: {name: kubectl-stepup-all, annotations: {kubectl-stepup.github.io/rule: shells}}\n---",
    )
    assert audited(text) == ()
    assert audited(text, rules=STRICT) != ()


def test_the_compiled_admission_policies_gate_all_but_what_only_rbac_can(default: Policy) -> None:
    made = admission.objects(
        Gate(
            policy=default, cluster=TargetCluster(name="prod", labels={}), acr_values={"mfa": ("mfa",)}, annotations={}
        )
    )
    gated = objects_of(Manifest(content=one, location=FileLocation(file="policies.yaml")) for one in made).gated
    planted = read(WEAKNESSES)
    enforced = RbacObjects(
        roles=planted.roles, bindings=planted.bindings, service_accounts=planted.service_accounts, gated=gated
    )
    left = {one.binding.name.upper() for one in audit(enforced, default, Target())}
    gated_ones = " ".join(number for number in PLANTED if number not in left)
    assert gated_ones == "W05 W07 W08 W11 W12 W14 W17 W19 W22 W29 W32 W33 W35 W36 W38 W41"


def test_admission_policies_let_machines_pass(audited: Audited) -> None:
    text = bound(allow("create", "pods/exec"), subject="{kind: ServiceAccount, name: ci, namespace: dev}")
    assert told(audited(text + ADMISSION_POLICY.replace("ACTION", "Deny"), rules=STRICT)) == [
        ("powerful-service-account", "medium")
    ]
