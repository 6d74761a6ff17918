"""Commands that have hidden from guards before, one case each: what is decided, and about which request.

By the default policy: it asks for everything but ordinary changes. Docstrings have the numbers of the threat list.
"""

from __future__ import annotations

import shlex

import pytest

from kubectl_stepup.kubectl.command import KubectlCommand, read, with_objects
from kubectl_stepup.kubectl.manifest_objects import objects_in
from kubectl_stepup.policy.decision import Decision
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.explain import explain
from kubectl_stepup.policy.load import load
from kubectl_stepup.policy.model import Target
from kubectl_stepup.sanitise import safe

DEFAULT = load(None, None)
ALLOWED, MFA, CRITICAL = ("allow", None), ("stepup", "mfa"), ("stepup", "critical")


def command(text: str) -> KubectlCommand:
    return read(shlex.split(text))


def decision(text: str) -> Decision:
    return decide(DEFAULT, command(text), Target(cluster="c", namespace="default"))


def decided(text: str) -> tuple[str, str | None]:
    found = decision(text)
    return found.effect, found.level


def sent(text: str) -> list[str]:
    """Return the requests that policy sees, without those that only read ahead of a write."""
    found = [entry.describe() for entry in decision(text).requests]
    writes = [line for line in found if not line.startswith(("get ", "list ", "watch "))]
    return writes or found


@pytest.mark.parametrize(
    "text",
    [
        "-n prod delete pod x",
        "-nprod delete pod x",
        "-n=prod delete pod x",
        "--namespace=prod delete pod x",
        "--namespace prod delete pod x",
        "-n get -n prod delete pod x",
        "-v 1 delete pod x -nprod",
        "delete -n prod pod x",
        "delete pod x -n dev --namespace=prod",
    ],
)
def test_the_namespace_flag_hides_no_command(text: str) -> None:
    """POL-01."""
    assert (decided(text), sent(text)) == (MFA, ["delete pods/x in namespace prod"])


def test_a_namespace_may_be_called_like_a_command() -> None:
    """POL-01."""
    assert (decided("-n get delete pod x"), sent("-n get delete pod x")) == (MFA, ["delete pods/x in namespace get"])
    assert decided("-n delete get pod x") == ALLOWED


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("delete -- pod x", ["x"]),
        ("delete pod -- x --wait=false", ["x", "--wait=false"]),
        ("delete pod x -- -n prod", ["x", "-n", "prod"]),
    ],
)
def test_what_stands_behind_the_dashes_is_a_name(text: str, names: list[str]) -> None:
    """POL-02."""
    assert decided(text) == MFA
    assert sent(text) == [f"delete pods/{name} in namespace default" for name in names]


def test_the_word_exec_is_no_command_of_ours_behind_the_dashes() -> None:
    """POL-03: what follows `kubectl stepup exec --` is kubectl's, and nothing in it is guessed."""
    assert decision("exec -- delete pod x").code == "unknown-command"
    assert decision("exec delete pod x").code == "unknown-command"
    assert (decided("exec delete -- pod x"), sent("exec delete -- pod x")) == (
        MFA,
        ["create pods/delete (exec) in namespace default"],
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("delete pod x --dry_run=client", ("allow", None)),
        ("delete pod x --dry_run=none", MFA),
        ("label pod x a=b --as=me --as_group=system:masters", ("refuse", "critical")),
        ("delete pod x --insecure_skip_tls_verify", ("refuse", "mfa")),
    ],
)
def test_underscores_are_dashes(text: str, expected: tuple[str, str | None]) -> None:
    """POL-04."""
    assert decided(text) == expected


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("--dry-run", ALLOWED),
        ("--dry-run=client", ALLOWED),
        ("--dry-run=true", ALLOWED),
        ("--dry-run=server", MFA),
        ("--dry-run=none", MFA),
        ("--dry-run=false", MFA),
        ("--dry-run=client --dry-run=none", MFA),
        ("--dry-run=none --dry-run=client", ALLOWED),
        ("--dry-run=Client", ("refuse", None)),
        ("-- --dry-run=client", MFA),
        ("-l --dry-run=client", ("refuse", None)),
    ],
)
def test_only_a_dry_run_that_counts_is_one(flags: str, expected: tuple[str, str | None]) -> None:
    """POL-05."""
    assert decided(f"delete pod x {flags}") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("delete pod x -h", ALLOWED),
        ("delete pod x --help", ALLOWED),
        ("delete pod x --help=false", MFA),
        ("delete pod x --help --help=false", MFA),
        ("delete pod x -- --help", MFA),
        ("delete pod -l --help --all", MFA),
        ("help delete", ALLOWED),
        ("create foo --help", ("refuse", None)),
    ],
)
def test_only_help_that_is_asked_for_is_help(text: str, expected: tuple[str, str | None]) -> None:
    """POL-06."""
    assert decided(text) == expected


@pytest.mark.parametrize("kind", ["po", "pods", "pod", "POD", "Pod", "pods.v1.", "pods.v1", "po.v1."])
def test_a_pod_by_any_other_name(kind: str) -> None:
    """POL-07."""
    assert decided(f"delete {kind} x") == MFA
    assert decision(f"delete {kind} x").actions == ("delete",)


@pytest.mark.parametrize("kind", ["deploy", "deployment", "deployments.apps", "deployments.v1.apps", "DEPLOY.apps"])
def test_a_deployment_by_any_other_name(kind: str) -> None:
    """POL-07."""
    assert sent(f"scale {kind} x --replicas=0") == ["patch deployments/x (scale) in namespace default"]
    assert decided(f"scale {kind} x --replicas=0") == MFA


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("delete po,svc x", ["pods/x", "services/x"]),
        ("delete pod/x deploy/y", ["pods/x", "deployments/y"]),
        ("delete po/x secret/x", ["pods/x", "secrets/x"]),
    ],
)
def test_several_types_are_each_of_them(text: str, names: list[str]) -> None:
    """POL-07."""
    assert (decided(text), sent(text)) == (MFA, [f"delete {name} in namespace default" for name in names])


def test_a_category_is_all_of_its_resources() -> None:
    """POL-07."""
    found = {entry.resource.name for entry in decision("delete all --all").requests}
    assert {"pods", "services", "deployments", "statefulsets", "daemonsets", "cronjobs", "jobs"} <= found
    assert {"customresourcedefinitions", "validatingwebhookconfigurations"} <= {
        entry.resource.name for entry in decision("delete api-extensions --all").requests
    }


@pytest.mark.parametrize(
    "text",
    [
        "get SECRETS",
        "get secret/s",
        "get pods,secrets",
        "get secret s -o jsonpath={.data.password}",
        "get secret s -o go-template={{.data}}",
        "get pod/x secret/s",
        "get secrets.v1.",
        "get -A --watch secrets",
        "get all,secret",
        "describe secret s",
        "get cm,secret -l a=b",
        "set env deploy/x --list --resolve",
        "cluster-info dump",
    ],
)
def test_reading_secrets_is_found(text: str) -> None:
    """POL-08."""
    assert decided(text) == MFA
    assert decision(text).actions == ("read-secrets",)


@pytest.mark.parametrize(
    ("text", "level", "actions"),
    [
        ("get --raw /api/v1/namespaces/x/secrets/s", "mfa", ("read-secrets",)),
        ("get --raw /api/v1/namespaces/x/secr%65ts/s", "mfa", ("read-secrets",)),
        ("get --raw /api/v1/namespaces/x/secrets/s?pretty=true", "mfa", ("read-secrets",)),
        ("get --raw /healthz", "mfa", ("read-secrets",)),
        ("delete --raw /api/v1/namespaces/x/pods/y", "mfa", ("delete",)),
        ("delete --raw /api/v1/namespaces/kube-system", "critical", ("delete",)),
        ("create --raw /apis/rbac.authorization.k8s.io/v1/clusterrolebindings -f x", "critical", ("grant",)),
        ("replace --raw /api/v1/nodes/n1 -f x", "critical", ("stop", "node")),
        ("create --raw /api/v1/namespaces/x/serviceaccounts/a/token -f x", "critical", ("mint",)),
    ],
)
def test_a_raw_path_is_the_request_that_it_is(text: str, level: str, actions: tuple[str, ...]) -> None:
    """POL-10: reading any raw path is held for reading secrets; that writes name their resource, POL-33 has more."""
    assert decided(text) == ("stepup", level)
    assert decision(text).actions == actions


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/nodes/n1/proxy/run/ns/pod/c?cmd=id",
        "/api/v1/namespaces/x/pods/y/proxy/",
        "/api/v1/namespaces/x/pods/https:y:8443/proxy/admin",
        "/api/v1/namespaces/x/services/s/proxy/admin",
        "/api/v1/namespaces/x/pods/y/exec?command=sh",
    ],
)
@pytest.mark.parametrize("verb", ["get", "create", "replace", "delete"])
def test_a_proxied_path_leads_into_the_cluster(verb: str, path: str) -> None:
    """POL-11. Of the elevated ones a plain read alone is sent, and not by kubectl (test_proxy_redirects.py)."""
    found = decision(f"{verb} --raw {path}")
    is_sent = "/proxy/" not in path or (verb == "get" and "?" not in path)
    assert (found.effect, found.level) == ("stepup" if is_sent else "refuse", "mfa")
    assert "shell" in found.actions


MANIFESTS = {
    "a List": '{"apiVersion":"v1","kind":"List","items":[%s,{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"}}]}',
    "a ConfigMapList": '{"apiVersion":"v1","kind":"ConfigMapList","items":[%s]}',
    "JSON one after another": '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}%s',
    "alone": "%s",
}


@pytest.mark.parametrize("around", MANIFESTS.values(), ids=MANIFESTS)
def test_an_object_hides_in_no_manifest(around: str) -> None:
    """POL-13: kubectl itself reads the YAML, and prints what it read."""
    role = '{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":"x"}}'
    found = with_objects(command("apply -f x.yaml"), objects_in(around % role, namespace=None))
    made = decide(DEFAULT, found, Target())
    assert (made.effect, made.level) == CRITICAL
    assert "grant" in made.actions


@pytest.mark.parametrize(
    "text",
    [
        "apply -f x.yaml --prune -l a=b",
        "apply -f x.yaml --prune --all --prune-allowlist=core/v1/ConfigMap",
        "replace --force -f x.yaml",
        "apply --force -f x.yaml",
    ],
)
def test_what_deletes_on_its_way_is_a_delete(text: str) -> None:
    """POL-15."""
    pod = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}'
    found = with_objects(command(text), objects_in(pod, namespace=None))
    made = decide(DEFAULT, found, Target())
    assert made.effect == "stepup"
    assert "delete" in made.actions


def test_taking_fields_over_is_a_change_as_any_other() -> None:
    """POL-15: `--force-conflicts` deletes nothing; what it writes is evaluated."""
    pod = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}'
    found = with_objects(command("apply --server-side --force-conflicts -f x.yaml"), objects_in(pod, namespace=None))
    assert decide(DEFAULT, found, Target()).actions == ("change",)


@pytest.mark.parametrize(
    "text",
    [
        "scale deploy x --replicas=0",
        "scale deploy x --replicas 0",
        "scale deploy x --replicas=3 --replicas=0x0",
        "scale --replicas=0 deploy --all",
        """patch deploy x -p '{"spec":{"replicas":0}}'""",
        "patch deploy x -p 'spec: {replicas: 0}'",
        """patch deploy x --type=json -p '[{"op":"replace","path":"/spec/replicas","value":0}]'""",
        """patch deploy x --subresource=scale -p '{"spec":{"replicas":0}}'""",
        "edit deploy x",
        "edit deploy x --subresource=scale",
    ],
)
def test_stopping_a_workload_is_found(text: str) -> None:
    """POL-16."""
    assert decided(text) == MFA
    assert "stop" in decision(text).actions


@pytest.mark.parametrize(
    ("text", "actions"),
    [
        ("scale deploy x --replicas=3", ("change",)),
        ("autoscale deploy x --max=1", ("change",)),
        ("set image deploy/x c=i", ("change",)),
        ("set env deploy/x A=b", ("change",)),
        ("set sa deploy x admin", ("run-as", "change")),
    ],
)
def test_other_changes_of_a_workload_are_changes(text: str, actions: tuple[str, ...]) -> None:
    """POL-16."""
    assert (decided(text), decision(text).actions) == (ALLOWED, actions)


@pytest.mark.parametrize(
    ("text", "expected", "action"),
    [
        ("rollout undo deploy/x", MFA, "stop"),
        ("rollout pause deploy/x", MFA, "stop"),
        ("drain n1", MFA, "delete"),
        ("drain n1 --disable-eviction", MFA, "delete"),
        ("cordon n1", MFA, "stop"),
        ("taint node n1 a=b:NoExecute", CRITICAL, "node"),
        ("label node n1 a=b", CRITICAL, "node"),
        ("annotate no/n1 a=b", CRITICAL, "node"),
        ("rollout restart deploy/x", ALLOWED, "change"),
    ],
)
def test_rollouts_and_nodes(text: str, expected: tuple[str, str | None], action: str) -> None:
    """POL-17: `rollout restart` replaces pods one by one, as a new image would."""
    assert decided(text) == expected
    assert action in decision(text).actions


@pytest.mark.parametrize(
    "text",
    [
        "exec x -- sh",
        "exec deploy/x -it -- sh",
        "attach x",
        "cp x:/etc/passwd .",
        "cp ./a prod/x:/b",
        "port-forward svc/x 80",
        "debug x --image=i",
        "run x --image=i --attach",
        "run x --image=i -it --rm",
    ],
)
def test_every_way_into_a_pod(text: str) -> None:
    """POL-18."""
    assert decided(text) == MFA
    assert "shell" in decision(text).actions


def test_every_way_onto_a_node() -> None:
    """POL-18."""
    assert decided("debug node/n1 --image=i") == CRITICAL
    assert decided("debug NODE/n1 -it --image=i --profile=sysadmin") == CRITICAL


@pytest.mark.parametrize(
    "text",
    [
        "debug x --image=i --copy-to=y --profile=sysadmin",
        "debug x --image=i --copy-to=y --custom=c.json",
        "run x --image=i --overrides={}",
        "run x --image=i --privileged",
    ],
)
def test_a_pod_with_more_rights_runs_as_somebody(text: str) -> None:
    """POL-18: a rule about `run-as` has them; the default policy leaves it out."""
    assert "run-as" in decision(text).actions


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("create token admin", "mint"),
        ("create token admin --duration=87600h", "mint"),
        ("certificate approve x", "mint"),
        ("certificate deny x", "mint"),
        ("create clusterrolebinding x --clusterrole=cluster-admin --user=me", "grant"),
        ("create -n x rolebinding y --clusterrole=admin --user=me", "grant"),
        ("auth reconcile -f x.yaml", "grant"),
        ("set subject clusterrolebinding x --user=me", "grant"),
        ("patch clusterrole view -p {}", "grant"),
        ("label clusterrole x rbac.authorization.k8s.io/aggregate-to-view=true", "grant"),
        ("edit rolebinding x", "grant"),
    ],
)
def test_what_turns_a_minute_into_lasting_power_is_critical(text: str, action: str) -> None:
    """POL-19."""
    assert decided(text) == CRITICAL
    assert action in decision(text).actions


@pytest.mark.parametrize(
    "text",
    [
        "delete validatingadmissionpolicy x",
        "delete validatingadmissionpolicybindings x",
        "delete validatingwebhookconfigurations --all",
        "delete mutatingwebhookconfiguration x",
        "delete crd x",
        "delete apiservice x",
        "delete ns x",
        "delete namespaces x y",
        "delete pv x",
        "delete ns kube-system",
        "delete ns --all",
    ],
)
def test_deleting_the_foundations_is_critical(text: str) -> None:
    """POL-20."""
    assert decided(text) == CRITICAL


@pytest.mark.parametrize(
    "text", ["proxy", "proxy --unix-socket=/tmp/s", "proxy --accept-hosts=.* --address=0.0.0.0", "proxy --port=0"]
)
def test_a_proxy_is_never_elevated(text: str) -> None:
    """POL-21."""
    assert (decision(text).effect, decision(text).code) == ("refuse", "proxy-refused")


@pytest.mark.parametrize("flag", ["--enable-helm", "--enable-alpha-plugins", "--enable_helm=1", "--network"])
def test_a_kustomization_that_runs_programs_is_refused(flag: str) -> None:
    """POL-22: the variables that run programs are dropped from the elevated environment (test_overlay)."""
    assert decision(f"kustomize dir {flag}").code == "runs-programs"
    assert decided("kustomize dir") == ALLOWED


@pytest.mark.parametrize(
    "text", ["foo", "foo bar", "foo delete pod x", "create foo", "create foo x --help", "stern x", "kubectl get pods"]
)
def test_a_plugin_is_refused_where_the_policy_does_not_name_it(text: str) -> None:
    """POL-23."""
    assert (decision(text).effect, decision(text).code) == ("refuse", "unknown-command")


def test_a_plugin_cannot_stand_in_for_a_command_of_kubectl() -> None:
    """POL-23: a built-in command wins, so the policy cannot make one harmless by allowing its name."""
    named = load(
        None,
        (
            "policy.yaml",
            b"apiVersion: kubectl-stepup.github.io/v1alpha1\nkind: Policy\n"
            b"levels: [{name: mfa, signedInWithin: 15m, askAgainAfter: 10m}]\n"
            b"rules: [{name: a, do: [delete], needs: mfa}]\ncommands: {delete: allow}\n",
        ),
    )
    assert decide(named, command("delete pod x"), Target()).effect == "stepup"


@pytest.mark.parametrize(
    "flag",
    [
        *(
            "--token=t",
            "--token t",
            "--user=u",
            "--cluster=c",
            "--server=https://evil",
            "-s https://evil",
            "-shttps://e",
        ),
        *(
            "-s=https://e",
            "--certificate-authority=f",
            "--tls-server-name=x",
            "--client-certificate=f",
            "--client-key=f",
        ),
        *("--username=u", "--password=p", "--insecure-skip-tls-verify", "--proxy-url=http://e", "--as=me"),
        *("--as=me --as-group=system:masters", "--as=me --as-uid=1", "--as=me --as-user-extra=a=b"),
    ],
)
def test_a_sensitive_command_takes_the_token_nowhere_else(flag: str) -> None:
    """POL-25; `--context` and `--kubeconfig` say which enrolled cluster is meant, and the overlay keeps it."""
    for text in (f"delete pod x {flag}", f"{flag} delete pod x"):
        found = decision(text)
        assert (found.effect, found.code) == ("refuse", "redirecting-flags"), text
        name = flag.split()[0].partition("=")[0]
        assert ("--server" if name.startswith("-s") else name) in found.why


@pytest.mark.parametrize("flag", ["--token=t", "--server=https://x", "--user=u"])
def test_an_allowed_command_may_go_where_it_wants(flag: str) -> None:
    """POL-25: nothing elevated is at stake."""
    assert decided(f"get pods {flag}") == ALLOWED


@pytest.mark.parametrize(
    ("text", "edits"),
    [
        ("config set-credentials x --token=t", True),
        ("config use-context x", True),
        ("config use x", True),
        ("config unset users.x", True),
        ("config view", False),
        ("config get-contexts", False),
    ],
)
def test_commands_that_edit_the_kubeconfig_are_known(text: str, edits: bool) -> None:
    """POL-27: they send nothing and run as they are; a flow that elevates refuses them by this fact."""
    assert (decided(text), command(text).edits_kubeconfig) == (ALLOWED, edits)


@pytest.mark.parametrize("text", ["config view --raw", "config view --raw=true -o json", "--raw=true config view"])
def test_showing_the_kubeconfigs_credentials_is_reading_secrets(text: str) -> None:
    """POL-27."""
    found = decision(text)
    assert (found.effect, found.code, found.actions) == ("refuse", "kubeconfig-refused", ("read-secrets",))


@pytest.mark.parametrize(
    "text", ["__complete get secret ''", "__completeNoDesc get secrets ''", "__complete get po/x secret/"]
)
def test_completion_is_never_elevated(text: str) -> None:
    """POL-28: it lists names of secrets."""
    assert decision(text).code == "completion-refused"


@pytest.mark.parametrize(
    "text", ["__complete get pods ''", "completion bash", "options", "explain pods", "api-resources", "api-versions"]
)
def test_looking_around_never_asks(text: str) -> None:
    """POL-28."""
    assert decided(text) == ALLOWED


@pytest.mark.parametrize(
    "word",
    [
        "d\u0435lete",
        "delete\u200b",
        "delete\u00a0",
        "\ufeffdelete",
        "\u202edelete",
        "Delete",
        "DELETE",
        "del",
        "delet",
        "ge",
    ],
)
def test_a_word_that_only_looks_like_a_command_is_refused_and_shown_escaped(word: str) -> None:
    """POL-29."""
    found = decide(DEFAULT, read([word, "pod", "x"]), Target())
    assert (found.effect, found.code) == ("refuse", "unknown-command")
    assert found.why.isascii()


def test_a_name_with_control_characters_is_one_name_and_is_shown_escaped() -> None:
    """POL-30."""
    argv = ["delete", "pod", "x\n\x1b[2J\x1b]0;y\x07"]
    found = read(argv)
    made = decide(DEFAULT, found, Target())
    assert (made.effect, [entry.name for entry in made.requests]) == ("stepup", [argv[2]] * 2)
    for _, line in explain(DEFAULT, found, made, Target()):
        assert not {"\n", "\x1b", "\x07"} & set(safe(line))


@pytest.mark.parametrize(
    "argv", [[""], ["-"], ["--"], ["="], ["", "", ""], ["-", "--", "="], ["delete", "", "-", "--", "="]]
)
def test_words_that_are_hardly_words(argv: list[str]) -> None:
    """POL-31: and a megabyte of them in test_long_commands."""
    assert decide(DEFAULT, read(argv), Target()).effect in {"allow", "refuse", "stepup"}


@pytest.mark.parametrize(
    "flags", ["--all", "-A --all", "--all-namespaces --all", "-l a=b", "-l=a", "--field-selector=a=b", "--selector a"]
)
def test_deletes_of_nobody_knows_how_many_can_have_a_rule_of_their_own(flags: str) -> None:
    """POL-32."""
    mass = load(
        None,
        (
            "policy.yaml",
            b"apiVersion: kubectl-stepup.github.io/v1alpha1\nkind: Policy\nlevels:\n"
            b"  - {name: mfa, signedInWithin: 15m, askAgainAfter: 10m}\n"
            b"  - {name: critical, signedInWithin: 5m, askAgainAfter: 0s}\n"
            b"rules:\n  - {name: a, do: [delete], needs: mfa}\n"
            b"  - {name: b, do: [delete], where: {all: true}, needs: critical}\n",
        ),
    )
    assert decide(mass, command(f"delete pods {flags}"), Target()).level == "critical"
    assert decide(mass, command("delete pods x y"), Target()).level == "mfa"
    assert command(f"delete pods {flags}").object_count is None


@pytest.mark.parametrize(
    ("text", "request_", "actions"),
    [
        ("patch pod x --subresource=status -p {}", "patch pods/x (status) in namespace default", ("change",)),
        (
            "edit deploy x --subresource status",
            "patch deployments/x (status) in namespace default",
            ("stop", "run-as", "change"),
        ),
        (
            "replace --raw /api/v1/namespaces/x/finalize -f x",
            "update namespaces/x (finalize) in namespace x",
            ("change",),
        ),
        (
            "create --raw /api/v1/namespaces/x/pods/y/eviction -f x",
            "create pods/y (eviction) in namespace x",
            ("delete",),
        ),
        (
            "replace --raw /apis/apps/v1/namespaces/x/deployments/y/scale -f x",
            "update deployments/y (scale) in namespace x",
            ("stop", "change"),
        ),
    ],
)
def test_subresources_are_seen(text: str, request_: str, actions: tuple[str, ...]) -> None:
    """POL-33."""
    assert sent(text) == [request_]
    assert decision(text).actions == actions


@pytest.mark.parametrize(
    "text", ["undelete pod x", "delete pod x --purge", "rollout abort deploy/x", "set quota x", "get pods -Z"]
)
def test_what_a_newer_kubectl_may_have_is_refused_and_named(text: str) -> None:
    """POL-39."""
    found = decision(text)
    assert (found.effect, found.code) == ("refuse", "unknown-command")
    assert "unknown" in found.why
