"""What commands would send: requests, traits, and the facts that flows ask for."""

from __future__ import annotations

import shlex

import pytest

from kubectl_stepup.kubectl.command import KubectlCommand, read, with_objects
from kubectl_stepup.kubectl.grammar_table import COMMANDS
from kubectl_stepup.kubectl.requests import BUILDERS, CONTAINERS, LOCAL


def command(text: str) -> KubectlCommand:
    return read(shlex.split(text))


def requests(text: str) -> list[str]:
    """Return the requests in short: `verb group/resource/subresource namespace:name`."""
    found = command(text)
    assert found.known, found.problem
    return [
        f"{entry.verb} {entry.resource.group}/{entry.resource.name}"
        + (f"/{entry.subresource}" if entry.subresource else "")
        + (
            f" {entry.namespace or ''}:{entry.name}"
            if entry.name
            else f" {entry.namespace}:"
            if entry.namespace
            else ""
        )
        for entry in found.requests
    ]


@pytest.mark.parametrize("kind", ["po", "pods", "pod", "POD", "Pod", "pods.v1.", "pods.v1", "pod.", "PoDs"])
def test_all_spellings_of_a_resource_are_the_same(kind: str) -> None:
    assert requests(f"delete {kind} x --wait=false") == ["delete /pods :x"]


@pytest.mark.parametrize(
    "kind", ["deploy", "deploy.apps", "deployments.v1.apps", "Deployment.app", "deployment.v1.apps"]
)
def test_groups_and_their_beginnings(kind: str) -> None:
    assert requests(f"delete {kind} x --wait=false") == ["delete apps/deployments :x"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("get po,svc", ["list /pods", "list /services"]),
        ("get secret/s configmap/c", ["get /secrets :s", "get /configmaps :c"]),
        ("get SECRETS -n prod", ["list /secrets prod:"]),
        ("get secret s -o jsonpath={.data}", ["get /secrets :s"]),
        ("get pods -w", ["list /pods", "watch /pods"]),
        ("get pods --subresource=status x", ["get /pods/status :x"]),
        ("describe secret s", ["get /secrets :s", "list /secrets :s"]),
        ("delete pods a b --wait=false", ["delete /pods :a", "delete /pods :b"]),
        ("delete pod x", ["get /pods :x", "delete /pods :x"]),
        ("delete pods --all --wait=false", ["list /pods", "delete /pods"]),
        ("delete pods --all", ["list /pods", "get /pods", "delete /pods"]),
        ("delete get x --wait=false", ["delete */get :x"]),
        ("delete pod.example.com x --wait=false", ["delete example.com/pod :x"]),
        ("edit secret s", ["get /secrets :s", "patch /secrets :s"]),
        ("label ns prod a=b c-", ["get /namespaces :prod", "patch /namespaces :prod"]),
        ("label pods --all --list", ["list /pods"]),
        ("label pods x a=b --local -f p.yaml", []),
        ("annotate secret s a=b", ["get /secrets :s", "patch /secrets :s"]),
        ("set image deploy/x c=repo/image:1", ["get apps/deployments :x", "patch apps/deployments :x"]),
        ("delete secret s --dry-run=client", []),
        ("delete secrets --all --dry-run=client", ["list /secrets"]),
        ("edit deploy", ["list apps/deployments", "patch apps/deployments"]),
        ("set env deploy/x --list --resolve", ["get apps/deployments :x", "get /secrets", "get /configmaps"]),
        (
            "set env deploy/x --from=secret/s",
            ["get apps/deployments :x", "patch apps/deployments :x", "get /secrets :s"],
        ),
        ("set sa deploy x builder", ["get apps/deployments :x", "patch apps/deployments :x"]),
        (
            "set subject rolebinding x --user=me",
            [
                "get rbac.authorization.k8s.io/rolebindings :x",
                "patch rbac.authorization.k8s.io/rolebindings :x",
            ],
        ),
        ("patch pod x --subresource=status -p {}", ["get /pods/status :x", "patch /pods/status :x"]),
        ("scale deploy x --replicas=3", ["get apps/deployments :x", "patch apps/deployments/scale :x"]),
        ("autoscale deploy x --max=3", ["get apps/deployments :x", "create autoscaling/horizontalpodautoscalers :x"]),
        ("expose deploy x --port=80 --name=y", ["get apps/deployments :x", "create /services :y"]),
        ("rollout undo deploy/x", ["get apps/deployments :x", "patch apps/deployments :x"]),
        (
            "rollout status deploy/x",
            [
                "get apps/deployments :x",
                "list apps/deployments :x",
                "watch apps/deployments :x",
            ],
        ),
        ("cordon n1", ["get /nodes :n1", "patch /nodes :n1"]),
        ("drain n1", ["get /nodes :n1", "patch /nodes :n1", "list /pods", "create /pods/eviction"]),
        ("drain n1 --disable-eviction", ["get /nodes :n1", "patch /nodes :n1", "list /pods", "delete /pods"]),
        ("taint nodes n1 a=b:NoExecute", ["get /nodes :n1", "patch /nodes :n1"]),
        ("taint nodes n1 a=b:NoExecute --all", ["list /nodes", "patch /nodes"]),
        ("taint nodes n1 a=b:NoExecute -l a=b", ["list /nodes", "patch /nodes"]),
        ("patch -f x.yaml -p {}", ["patch */*"]),
        ("label pod x a=b --all", ["get /pods :x", "patch /pods :x"]),
        ("set image deploy/x c=i --all", ["get apps/deployments :x", "patch apps/deployments :x"]),
        ("scale --replicas=3 -f x.yaml", ["patch */*/scale"]),
        ("exec x -n prod -- ls", ["get /pods prod:x", "get /pods/exec prod:x", "create /pods/exec prod:x"]),
        ("exec -f pod.yaml -- ls", ["get */*", "list /pods", "get /pods/exec", "create /pods/exec"]),
        ("set env deploy/x", ["get apps/deployments :x"]),
        ("set env deploy/x -", ["get apps/deployments :x", "patch apps/deployments :x"]),
        ("set env deploy x A-", ["get apps/deployments :x", "patch apps/deployments :x"]),
        ("__complete -n ''", []),
        ("__complete get secret -n ''", []),
        (
            "exec deploy/x -- ls",
            [
                "get apps/deployments :x",
                "list /pods",
                "get /pods/exec",
                "create /pods/exec",
            ],
        ),
        ("attach x", ["get /pods :x", "get /pods/attach :x", "create /pods/attach :x"]),
        (
            "port-forward svc/x 80",
            [
                "get /services :x",
                "list /pods",
                "get /pods/portforward",
                "create /pods/portforward",
            ],
        ),
        ("cp prod/x:/etc/passwd .", ["get /pods prod:x", "get /pods/exec prod:x", "create /pods/exec prod:x"]),
        ("cp ./a x:/b", ["get /pods :x", "get /pods/exec :x", "create /pods/exec :x"]),
        ("logs secret/s", ["get /secrets :s", "list /pods", "get /pods/log"]),
        ("logs x", ["get /pods :x", "get /pods/log :x"]),
        ("debug x --image=i", ["get /pods :x", "patch /pods/ephemeralcontainers :x"]),
        ("debug x --image=i --copy-to=y", ["get /pods :x", "create /pods :y"]),
        ("debug node/n1 --image=i", ["get /nodes :n1", "create /pods"]),
        ("run x --image=i", ["create /pods :x"]),
        (
            "run x --image=i --rm -it",
            [
                "create /pods :x",
                "get /pods :x",
                "get /pods/attach :x",
                "create /pods/attach :x",
                "get /pods/log :x",
                "delete /pods :x",
            ],
        ),
        ("create token admin -n kube-system", ["create /serviceaccounts/token kube-system:admin"]),
        ("create ns x", ["create /namespaces :x"]),
        ("create quota x", ["create /resourcequotas :x"]),
        ("create job x --from=cronjob/y", ["get batch/cronjobs :y", "create batch/jobs :x"]),
        ("create secret tls x --cert=a --key=b", ["create /secrets :x"]),
        (
            "certificate approve x",
            [
                "get certificates.k8s.io/certificatesigningrequests :x",
                "update certificates.k8s.io/certificatesigningrequests/approval :x",
            ],
        ),
        ("auth can-i delete pods", ["create authorization.k8s.io/selfsubjectaccessreviews"]),
        ("auth whoami", ["create authentication.k8s.io/selfsubjectreviews"]),
        ("cluster-info", ["list /services kube-system:"]),
        ("top node", ["list metrics.k8s.io/nodes", "list /nodes"]),
        ("get --raw /api/v1/namespaces/prod/secrets/s", ["get /secrets prod:s"]),
        ("get pods --as=bob --as-group=g", ["list /pods", "impersonate /users :bob", "impersonate /groups :g"]),
        ("get pods --as=ann --as=bob", ["list /pods", "impersonate /users :bob"]),
        ("__complete get secret ''", ["list /secrets"]),
        ("__complete delete pods,secrets ''", ["list /pods", "list /secrets"]),
        ("__complete get secret/", ["list /secrets"]),
        ("__complete create token ''", []),
        ("apply -f x.yaml", ["get */*", "create */*", "patch */*"]),
        ("apply -f x.yaml --server-side", ["get */*", "patch */*"]),
        ("apply -f x.yaml --force", ["get */*", "create */*", "patch */*", "delete */*"]),
        ("replace -f x.yaml --force", ["get */*", "delete */*", "create */*"]),
        ("diff -f x.yaml", ["get */*", "create */*", "patch */*"]),
        (
            "auth reconcile -f x.yaml --dry-run=client",
            [
                f"get rbac.authorization.k8s.io/{kind}"
                for kind in ("roles", "rolebindings", "clusterroles", "clusterrolebindings")
            ],
        ),
        ("explain pods", []),
        ("api-resources", []),
        ("version", []),
    ],
)
def test_requests(text: str, expected: list[str]) -> None:
    assert requests(text) == expected


def test_a_category_is_all_its_resources() -> None:
    assert "list apps/deployments" in requests("get all,secret")
    assert "list /secrets" in requests("get all,secret")


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("", "none"),
        ("--dry-run", "client"),
        ("--dry-run=client", "client"),
        ("--dry_run=client", "client"),
        ("--dry-run=unchanged", "client"),
        ("--dry-run=none", "none"),
        ("--dry-run=server", "server"),
        ("--dry-run=client --dry-run=none", "none"),
        ("--dry-run=none --dry-run=client", "client"),
        ("--dry-run client", "client"),
        *((f"--dry-run={word}", "client") for word in ("1", "t", "T", "TRUE", "true", "True")),
        *((f"--dry-run={word}", "none") for word in ("0", "f", "F", "FALSE", "false", "False")),
    ],
)
def test_the_dry_run_that_counts(flags: str, expected: str) -> None:
    found = command(f"delete pod x --wait=false {flags}")
    assert found.dry_run == expected
    assert bool([entry for entry in found.requests if entry.verb == "delete"]) == (expected != "client")


def test_an_unknown_dry_run_is_refused_as_kubectl_does() -> None:
    assert (
        command("delete pod x --dry-run=maybe").problem
        == "kubectl delete: --dry-run=maybe is not none, client or server"
    )


@pytest.mark.parametrize(
    "text",
    [
        "help delete",
        "delete pod x -h",
        "delete pod x --help",
        "delete pod x --help=false --help",
        "-- delete pod x",
        "",
        "config view",
        "config set-credentials u --token=x",
        "kustomize dir",
        "completion bash",
        "options",
        "plugin list",
        "version --client",
        "patch -f x.yaml --local -p {}",
        "rollout",
        "top",
    ],
)
def test_local_commands(text: str) -> None:
    found = command(text)
    assert (found.known, found.local, found.requests, found.redirecting) == (True, True, (), ())


def test_only_the_clients_own_version_is_local() -> None:
    assert not command("version").local


@pytest.mark.parametrize(("place", "stdin"), [("x.yaml", False), ("-", True)])
def test_what_changes_its_manifests_locally_still_reads_them(place: str, stdin: bool) -> None:
    found = command(f"label -f {place} --local a=b")
    assert (found.local, found.manifests, found.reads_stdin) == (True, (place,), stdin)


def test_help_counts_only_where_it_is_on() -> None:
    assert not command("delete pod x --help=false").local
    assert not command("delete pod x -- --help").local


def test_facts_for_the_flows() -> None:
    found = command(
        "delete pod x -A --context=c --kubeconfig=k --as_group=g --insecure_skip_tls_verify -shttp://x --user u"
    )
    assert (found.context, found.kubeconfig, found.all_namespaces, found.namespace) == ("c", "k", True, None)
    assert found.redirecting == ("--server", "--user", "--insecure-skip-tls-verify", "--as-group")
    assert command("create rolebinding x --user=me --role=r").redirecting == ()
    assert command("proxy --port=1").starts_proxy
    assert command("config use-context x").edits_kubeconfig
    assert not any(command(text).edits_kubeconfig for text in ("config", "config view", "kustomize x"))
    assert (command("get pods -n x").namespace, command("get pods -n ''").namespace) == ("x", None)
    assert (command("config view").argv, command("config view").name) == (("config", "view"), "config view")
    assert command("diff -f x.yaml").dry_run == "server"
    both = command("apply -f a.yaml -f - -k dir")
    assert (both.manifests, both.reads_stdin) == (("a.yaml", "-", "dir"), True)
    assert command("logs -f x").manifests == ()


@pytest.mark.parametrize(
    "flag",
    [
        *("server", "token", "user", "cluster", "username", "password", "client-certificate", "client-key"),
        *("certificate-authority", "insecure-skip-tls-verify", "tls-server-name", "proxy-url", "kuberc"),
        *("as", "as-group", "as-uid", "as-user-extra"),
    ],
)
def test_a_flag_that_says_who_calls_or_which_server_is_asked_redirects(flag: str) -> None:
    assert command(f"delete pod x --{flag}=true").redirecting == (f"--{flag}",)
    assert command(f"config view --{flag}=true").redirecting == ()


@pytest.mark.parametrize("word", ["current-context", "get-clusters", "get-contexts", "get-users", "view"])
def test_commands_that_show_the_kubeconfig_do_not_edit_it(word: str) -> None:
    assert not command(f"config {word}").edits_kubeconfig


@pytest.mark.parametrize("path", [path for path in COMMANDS if path.startswith(("config set", "config delete"))])
def test_commands_that_write_the_kubeconfig_edit_it(path: str) -> None:
    assert command(path).edits_kubeconfig


@pytest.mark.parametrize("flag", ["enable-helm", "enable-alpha-plugins", "network"])
def test_kustomize_runs_programs_only_with_the_flags_for_it(flag: str) -> None:
    assert command(f"kustomize x --{flag}").traits == {"runs-programs"}
    assert command(f"kustomize x --{flag}=false").traits == set()


@pytest.mark.parametrize(
    ("text", "traits", "count"),
    [
        ("delete pod a b c", set(), 3),
        ("delete pod a b --force", {"force"}, 2),
        ("delete pods --all", {"all"}, None),
        ("delete pods -l a=b", {"all"}, None),
        ("delete pods --field-selector a=b", {"all"}, None),
        ("delete pods --all -A", {"all"}, None),
        ("get pods -A", {"all"}, None),
        ("delete -f x.yaml", {"unread-manifest"}, None),
        ("delete --raw /api/v1/namespaces/x/pods", {"all"}, None),
        ("apply -f x.yaml --prune -l a=b", {"all", "unread-manifest"}, None),
        ("apply -f x.yaml --prune", {"all", "unread-manifest"}, None),
        ("set env deploy/x --from=secret/s", set(), 1),
        ("expose deploy x --selector=a=b --port=1", set(), 1),
        ("run x --image=i -l a=b", set(), 1),
    ],
)
def test_traits_and_counts(text: str, traits: set[str], count: int | None) -> None:
    found = command(text)
    assert (set(found.traits), found.object_count) == (traits, count)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("delete pods", "kubectl delete: no name and no selector is given for pods"),
        ("delete '' pod x", "kubectl delete: an empty resource type"),
        ("delete pod ''", "kubectl delete: an empty name"),
        ("delete pods -A", "kubectl delete: no name and no selector is given for pods"),
        ("delete pods x -A", "kubectl delete: a name in all namespaces"),
        ("delete pods x --all", "kubectl delete: a name beside a selector"),
        ("delete pod/x -l a=b", "kubectl delete: a name beside a selector"),
        ("scale deploy --replicas=0", "kubectl scale: no name and no selector is given for deployments"),
        ("label pod x a=b y", "kubectl label: 'y' behind what is to be changed"),
        ("exec -- ls", "kubectl exec: a pod is required"),
        ("set resources deploy/x", "kubectl set resources: nothing to change is given"),
        ("create role x", "kubectl create role: --verb is required"),
        ("create job x", "kubectl create job: --image or --from is required"),
        ("get pod/a b", "kubectl get: 'b' beside TYPE/NAME words"),
        ("get pod/a/b", "kubectl get: 'pod/a/b' is not TYPE/NAME"),
        ("exec x ls", "kubectl exec: the command to execute must follow --"),
        ("exec x --", "kubectl exec: the command to execute must follow --"),
        ("scale deploy x", "kubectl scale: --replicas is required"),
        ("patch deploy x", "kubectl patch: --patch or --patch-file is required"),
        ("label pod x", "kubectl label: nothing to change is given"),
        ("drain", "kubectl drain: a node or --selector is required"),
        ("cp a b", "kubectl cp: neither source nor target is in a pod"),
        ("run x", "kubectl run: NAME and --image are required"),
    ],
)
def test_what_kubectl_would_reject_is_not_known(text: str, problem: str) -> None:
    found = command(text)
    assert (found.known, found.problem, found.requests) == (False, problem, ())


def test_what_kubectl_would_reject_stays_unknown_when_its_manifests_have_been_read() -> None:
    found = with_objects(command("apply -f x.yaml --dry-run=maybe"), ())
    assert (found.known, found.problem) == (False, "kubectl apply: --dry-run=maybe is not none, client or server")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("stern x", "unknown command 'stern'"),
        ("delete pod x --bogus", "unknown flag '--bogus'"),
        ("delete pod x --kuberc=k", "the file that --kuberc names can set every flag"),
    ],
)
def test_what_cannot_be_read_is_not_known(text: str, problem: str) -> None:
    found = command(text)
    assert (found.known, found.problem, found.requests) == (False, problem, ())


def test_a_command_is_not_known_while_nobody_has_said_what_it_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(BUILDERS, "cordon")
    found = command("cordon n1")
    assert (found.known, found.problem, found.requests) == (False, "kubectl cordon: unknown command", ())


@pytest.mark.parametrize(
    ("named", "kept_in"),
    [("mine", "/secrets shop:mine"), ("configmaps/mine", "/configmaps shop:mine"), ("ns/mine", "/namespaces :mine")],
)
def test_an_apply_set_is_an_object_and_prunes_wherever_it_says(named: str, kept_in: str) -> None:
    text = f"apply -f a.yaml -n shop --prune --applyset={named}"
    assert requests(text)[-3:] == [f"get {kept_in}", f"patch {kept_in}", "delete */*"]
    assert command(text).requests[-1].everywhere


def test_every_command_of_the_grammar_is_understood() -> None:
    for path in COMMANDS:
        first = path.split()[0]
        assert path in BUILDERS or path in CONTAINERS or first in LOCAL or first == "create", path


@pytest.mark.parametrize("path", COMMANDS)
def test_no_command_fails_on_odd_words(path: str) -> None:
    for words in ([], ["x"], ["x", "y"], ["x/y"], ["--", "x"], ["a/b", "c/d", "k=v"], [""], ["-"], [","], ["x:y", "z"]):
        assert isinstance(read([*path.split(), *words]), KubectlCommand)
        assert isinstance(read([*path.split(), *words, "--all", "-f", "-"]), KubectlCommand)
