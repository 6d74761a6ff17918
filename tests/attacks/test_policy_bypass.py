"""Commands that do more than their words say, and once got past the policy."""

from __future__ import annotations

import io
import shlex
import sys
from pathlib import Path

import pytest

from kubectl_stepup.fastpath import allowed_command
from kubectl_stepup.kubectl import manifest
from kubectl_stepup.kubectl.command import KubectlCommand, read, with_objects
from kubectl_stepup.kubectl.request import ObjectRef
from kubectl_stepup.kubectl.resources import resources_named
from kubectl_stepup.policy.decision import Decision
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.load import load
from kubectl_stepup.policy.model import Policy, Target

DEFAULT = load(None, None)
HEAD = b"""\
apiVersion: kubectl-stepup.github.io/v1alpha1
kind: Policy
levels:
  - {name: mfa, signedInWithin: 15m, askAgainAfter: 10m}
"""
CONFIGMAP = ObjectRef(resource=resources_named("configmaps")[0], name="c", namespace="default")


def decided(text: str, policy: Policy = DEFAULT) -> Decision:
    return decide(policy, read(shlex.split(text)), Target())


def policy(text: bytes) -> Policy:
    return load(None, ("policy.yaml", HEAD + text))


OVERRIDES = '--overrides=\'{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding"}\''


@pytest.mark.parametrize(
    "flags", [OVERRIDES, f"{OVERRIDES} --override-type=json", "--overrides '[]' --override-type json"]
)
def test_expose_with_overrides_creates_any_kind(flags: str) -> None:
    decision = decided(f"expose deploy x --port=80 {flags}")
    assert (decision.effect, decision.level) == ("stepup", "critical")
    assert {"grant", "protect", "mint", "node"} <= set(decision.actions)


@pytest.mark.parametrize("flags", ["", "--overrides=", "--overrides={} --overrides="])
def test_expose_without_overrides_does_not_ask(flags: str) -> None:
    assert decided(f"expose deploy x --port=80 {flags}").effect == "allow"


@pytest.mark.parametrize("flags", ["--edit", "--edit=true", "--edit --dry-run=server"])
def test_a_manifest_that_goes_through_an_editor_may_become_anything(flags: str) -> None:
    command = with_objects(read(["create", *flags.split(), "-f", "cm.yaml"]), [CONFIGMAP])
    decision = decide(DEFAULT, command, Target())
    assert (decision.effect, decision.level) == ("stepup", "critical")


def test_a_manifest_that_goes_through_no_editor_is_what_it_is() -> None:
    command = with_objects(read(["create", "--edit=false", "-f", "cm.yaml"]), [CONFIGMAP])
    assert decide(DEFAULT, command, Target()).effect == "allow"


AMBIGUOUS = [
    "//evil.example/api/v1/namespaces/x/configmaps/y",
    "//evil.example",
    "///api/v1/namespaces/x/configmaps/y",
    "/%2Fevil.example/api/v1/namespaces/x/configmaps/y",
    "https://evil.example/api/v1/namespaces/x/configmaps/y",
    "/api/v1/namespaces/x/configmaps/../../kube-system/secrets/y",
    "/api/v1/namespaces/x/configmaps/%2e%2e/secrets/y",
    "/api/v1/namespaces/x/configmaps%2F..%2fsecrets/y",
    "/api/v1/./namespaces/x/configmaps/y",
    "/api/v1/namespaces/x//configmaps/y",
    "/api/v1/namespaces/x/configmaps/y//",
    "/api/v1/namespaces/x/configmaps/y/..",
]


@pytest.mark.parametrize("path", AMBIGUOUS)
@pytest.mark.parametrize("verb", ["create", "replace", "delete"])
def test_a_raw_path_that_can_be_read_in_two_ways_is_everything(path: str, verb: str) -> None:
    decision = decided(f"{verb} --raw {path} -f x.json")
    assert (decision.effect, decision.level) == ("stepup", "critical")
    assert {"shell", "delete", "grant", "mint", "protect", "node"} <= set(decision.actions)
    assert decision.requests[0].describe() == f"{read([verb, '--raw', path]).requests[0].verb} any resource"


@pytest.mark.parametrize("path", AMBIGUOUS)
def test_reading_such_a_path_may_lead_into_a_pod(path: str) -> None:
    shells = policy(b"rules:\n  - {name: shells, do: [shell], except: {names: [y]}, needs: mfa}\n")
    assert decided(f"get --raw {path}", shells).effect == "stepup"
    lists = policy(b"rules:\n  - {name: lists, verbs: [list], apiGroups: [''], resources: [secrets], needs: mfa}\n")
    assert decided(f"get --raw {path}", lists).effect == "stepup"


@pytest.mark.parametrize("end", ["", "/", "?dryRun=All", "?fieldManager=a/../b", "/?x=//y"])
def test_an_ordinary_raw_path_is_read(end: str) -> None:
    assert decided(f"replace --raw /api/v1/namespaces/x/configmaps/y{end} -f x.json").effect == "allow"


@pytest.mark.parametrize(
    ("path", "name"), [("/", "/"), ("/version", "/version"), ("/version/", "/version"), ("/apis?x=1", "/apis")]
)
def test_other_raw_paths_keep_their_names(path: str, name: str) -> None:
    assert [request.name for request in read(["get", "--raw", path]).requests] == [name]


@pytest.mark.parametrize("flags", ["--list", "", "--list --dry-run=client"])
def test_resolving_variables_reads_secrets_from_the_server_even_locally(flags: str) -> None:
    decision = decided(f"set env --local -f pod.yaml {flags} --resolve")
    assert (decision.effect, decision.level, decision.actions) == ("stepup", "mfa", ("read-secrets",))


def test_other_local_changes_send_nothing() -> None:
    for text in ("set env --local -f pod.yaml --list", "label --local -f pod.yaml a=b"):
        assert (read(text.split()).local, decided(text).effect) == (True, "allow")


KUBERC = [
    "get pods --kuberc /tmp/kuberc",
    "get pods --kuberc=/tmp/kuberc",
    "--kuberc /tmp/kuberc get pods",
    "get pods -l --kuberc /tmp/kuberc",
    "get pods -lx--kuberc=/tmp/kuberc",
    "get pods -l -- --kuberc=/tmp/kuberc",
    "get pods --help --kuberc=/tmp/kuberc",
    "config view --kuberc=/tmp/kuberc",
    "kuberc view --kuberc=/tmp/kuberc",
    "lookup x --kuberc=/tmp/kuberc",
    "__complete get --kuberc=/tmp/kuberc ''",
]


@pytest.mark.parametrize("text", KUBERC)
def test_a_kuberc_file_can_make_another_command_of_it(text: str) -> None:
    """POL-24."""
    named = policy(b"rules: []\ncommands: {get: allow, lookup: allow, config: allow}\n")
    for rules in (DEFAULT, named):
        decision = decided(text, rules)
        assert (decision.effect, decision.code) == ("refuse", "unknown-command")
        assert decision.why == (
            "the file that --kuberc names can set every flag: the policy cannot tell what it would do"
        )
        assert decision.hint == "leave out --kuberc, or run it with kubectl itself, without elevation"
        assert not allowed_command.is_allowed_everywhere(shlex.split(text), rules)


def test_a_pods_own_kuberc_flag_is_its_own() -> None:
    assert read(shlex.split("exec x -- program --kuberc=/tmp/kuberc")).known


PATCHES = [
    "-p 'spec: {!!binary cmVwbGljYXM=: 0}'",
    "-p 'spec: {!<tag:yaml.org,2002:binary> cmVwbGljYXM=: 0}'",
    '-p "%TAG !y! tag:yaml.org,2002:\n---\nspec: {!y!binary cmVwbGljYXM=: 0}"',
    '--type=json -p \'[{"op":"copy","from":"/spec/minReadySeconds","path":"/spec/replicas"}]\'',
    '--type=json -p \'[{"op":"test","path":"/a","value":1},{"op":"move","from":"/spec/a","path":"/spec/replicas"}]\'',
    "--type=json -p '[{op: copy, from: /spec/template, path: /spec/x}]'",
    "-p '' --patch-file=p.yaml",
]


@pytest.mark.parametrize("patch", PATCHES)
def test_a_patch_whose_words_do_not_say_what_it_does_may_do_anything(patch: str) -> None:
    decision = decided(f"patch deploy x {patch}")
    assert (decision.effect, decision.level) == ("stepup", "mfa")
    assert set(decision.actions) >= {"stop", "run-as"}


@pytest.mark.parametrize("patch", [*PATCHES, "--patch-file=p.yaml"])
def test_such_a_patch_stops_nothing_that_cannot_be_stopped(patch: str) -> None:
    assert decided(f"patch configmap x {patch}").effect == "allow"


@pytest.mark.parametrize(
    "patch", ["'[{op: remove, path: /metadata/labels/a}]'", '\'[{"op":"remove","path":"/metadata/labels/a"}]\'']
)
def test_a_patch_that_removes_a_label_does_not_ask(patch: str) -> None:
    assert decided(f"patch deploy x --type=json -p {patch}").effect == "allow"


def test_a_json_patch_can_add_capabilities() -> None:
    path = "/spec/template/spec/containers/0/securityContext/capabilities/add"
    for end, value in (("", '["SYS_ADMIN"]'), ("/-", '"SYS_ADMIN"')):
        patch = f'[{{"op":"add","path":"{path}{end}","value":{value}}}]'
        assert "run-as" in decided(f"patch deploy x --type=json -p '{patch}'").actions


@pytest.mark.parametrize("kind", ["daemonset", "cronjob", "deployment"])
def test_an_editor_can_lend_a_controllers_pods_anything(kind: str) -> None:
    assert "run-as" in decided(f"edit {kind} x").actions


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/apis/apps/v1/namespaces/x/deployments/y", {"stop", "run-as", "change"}),
        ("/apis/apps/v1/namespaces/x/statefulsets/y/scale", {"stop", "change"}),
        ("/apis/apps/v1/namespaces/x/deployments/y/status", {"change"}),
        ("/apis/batch/v1/namespaces/x/cronjobs/y", {"change", "run-as"}),
        ("/api/v1/namespaces/x/pods/y/ephemeralcontainers", {"shell", "run-as"}),
        ("/api/v1/namespaces/x/secrets/y", {"mint"}),
        ("/apis/example.com/v1/namespaces/x/rollouts/y", {"stop", "mint", "run-as"}),
        ("/api/v1/namespaces/x/configmaps/y", {"change"}),
    ],
)
def test_a_raw_body_that_nobody_has_read_may_say_anything(path: str, expected: set[str]) -> None:
    assert set(decided(f"replace --raw {path} -f x.json").actions) == expected


def test_a_raw_create_may_mint_a_token() -> None:
    decision = decided("create --raw /api/v1/namespaces/x/secrets -f x.json")
    assert (decision.effect, decision.level, decision.actions) == ("stepup", "critical", ("mint",))


def arguments(command: KubectlCommand, tmp_path: Path) -> list[str]:
    """Return what kubectl is called with to read the manifests."""
    kubectl = tmp_path / "kubectl"
    kubectl.write_text('#!/bin/sh\nprintf "%s\\n" "$@" >"$HOME/seen"\nexit 1\n')
    kubectl.chmod(0o755)
    manifest.expand(command, kubectl=str(kubectl))
    return (tmp_path / "seen").read_text().splitlines()


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for kubectl")
@pytest.mark.parametrize(
    ("text", "recursive"),
    [
        ("wait --for=delete", True),
        ("annotate a=b", True),
        ("set selector", True),
        ("label a=b", True),
        ("apply -R", True),
        ("apply", False),
        ("create", False),
        ("delete", False),
    ],
)
def test_directories_are_read_as_deep_as_any_kubectl_goes(
    text: str, recursive: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """POL-12."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "dir").mkdir()
    words = text.split()
    if text == "set selector":
        words.append("a=b")
    seen = arguments(read([*words, "-f", str(tmp_path / "dir")]), tmp_path)
    assert ("--recursive" in seen) == recursive


def test_a_closed_standard_input_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    _, captured = manifest.expand(read(["apply", "-f", "-"]), kubectl="/nonexistent")
    assert list(captured.stdin or ()) == [b""]


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x")))
    _, captured = manifest.expand(read(["apply", "-f", "-"]), kubectl="/nonexistent")
    assert list(captured.stdin or ()) == [b"x"]


WIDGETS = b'rules:\n  - {name: w, verbs: [delete], apiGroups: ["%s"], resources: [widgets], needs: mfa}\n'


@pytest.mark.parametrize("group", [b"example.com", b"*.com", b"ex*le.com", b"e?ample.com", b"[e]xample.com"])
@pytest.mark.parametrize("word", ["widgets.example.com", "widgets.example.c", "wd.exam", "widget.v1.example.com"])
def test_kubectl_reads_the_beginning_of_a_group(word: str, group: bytes) -> None:
    assert decided(f"delete {word} x", policy(WIDGETS % group)).effect == "stepup"


@pytest.mark.parametrize("word", ["widgets.other.com", "widgets.example.com.au", "configmaps."])
def test_another_group_does_not_begin_so(word: str) -> None:
    assert decided(f"delete {word} x", policy(WIDGETS % b"example.com")).effect == "allow"


def test_our_own_group_may_be_typed_in_part() -> None:
    assert "protect" in decided("delete grants.kubectl-step x").actions
    assert "protect" not in decided("delete grants.kubectl-other x").actions


@pytest.mark.parametrize("word", ["clusterrolebindings.", "clusterrolebinding.v1.", "CLUSTERROLEBINDINGS.v1."])
def test_an_empty_group_is_any(word: str) -> None:
    decision = decided(f"delete {word} ops")
    assert {"grant", "delete"} <= set(decision.actions)
    assert decision.level == "critical"


@pytest.mark.parametrize("word", ["pods.", "pod.v1.", "events.", "secrets.v1."])
def test_the_core_group_comes_first(word: str) -> None:
    assert [found.group for found in resources_named(word)] == [""]


NAMED = b'rules:\n  - {name: p, do: [%s], names: ["node-debugger-*"], needs: mfa}\n'


@pytest.mark.parametrize("action", [b"node", b"run-as"])
@pytest.mark.parametrize("target", ["node/n1", "-f node.yaml"])
def test_copy_to_does_not_name_the_pod_for_a_node(target: str, action: bytes) -> None:
    decision = decided(f"debug {target} --image=busybox --copy-to=harmless", policy(NAMED % action))
    assert decision.effect == "stepup"


def test_a_pod_of_a_manifest_may_be_replaced_by_its_copy() -> None:
    assert "delete" in decided("debug -f pod.yaml --image=busybox --copy-to=x --replace").actions


ROLE = ObjectRef(resource=resources_named("roles")[0], name="r", namespace="fresh")


def test_reconcile_makes_a_roles_namespace() -> None:
    command = with_objects(read(["auth", "reconcile", "-f", "role.yaml"]), [ROLE, CONFIGMAP])
    assert [entry.describe() for entry in command.requests if entry.resource.name == "namespaces"] == [
        "create namespaces/fresh"
    ]


def test_reconcile_leaves_alone_what_is_not_rbac() -> None:
    assert with_objects(read(["auth", "reconcile", "-f", "cm.yaml"]), [CONFIGMAP]).requests == ()


@pytest.mark.parametrize("command", ["replace", "apply"])
def test_a_part_of_an_object_is_read_before_it_is_written(command: str) -> None:
    found = with_objects(read([command, "--subresource=status", "-f", "cm.yaml"]), [CONFIGMAP])
    assert "get configmaps/c (status) in namespace default" in [entry.describe() for entry in found.requests]


def test_forced_replacing_reads_the_whole_object() -> None:
    secret = ObjectRef(resource=resources_named("secrets")[0], name="s", namespace="default")
    found = with_objects(read(["replace", "--force", "--subresource=status", "-f", "s.yaml"]), [secret])
    assert [entry.describe() for entry in found.requests] == [
        f"{verb} secrets/s in namespace default" for verb in ("get", "delete", "create")
    ]


TAINTED = b'rules:\n  - {name: n, do: [node], names: ["n2"], needs: mfa}\n'


def test_names_do_not_limit_a_taint_of_all_nodes() -> None:
    assert decided("taint nodes n1 a=b:NoExecute --all", policy(TAINTED)).effect == "stepup"
    assert decided("taint nodes n1 a=b:NoExecute", policy(TAINTED)).effect == "allow"


@pytest.mark.parametrize(
    "text",
    [
        "get ns prod --subresource=secrets",
        "get namespaces/prod --subresource secrets -o yaml",
        "get NS. prod --subresource=secrets",
        "edit ns prod --subresource=secrets",
        "get -f ns.yaml --subresource=secrets",
    ],
)
def test_what_follows_a_namespace_is_a_resource_in_it(text: str) -> None:
    assert "read-secrets" in decided(text).actions


def test_a_namespace_has_two_parts_of_its_own() -> None:
    assert [entry.describe() for entry in read(shlex.split("get ns prod --subresource=status")).requests] == [
        "get namespaces/prod (status)"
    ]
    namespace = ObjectRef(resource=resources_named("namespaces")[0], name="prod")
    found = with_objects(read(shlex.split("get -f ns.yaml --subresource=secrets")), [namespace])
    assert [entry.describe() for entry in found.requests] == ["list secrets in namespace prod"]


@pytest.mark.parametrize("path", ["/api/v1/watch/secrets", "/apis/apps/v1/watch/deployments"])
@pytest.mark.parametrize("command", ["delete", "create -f x.yaml", "replace -f x.yaml"])
def test_a_watch_is_one_with_any_method(command: str, path: str) -> None:
    verbs = [entry.verb for entry in read([*command.split(), "--raw", path]).requests]
    assert verbs[1:] == ["watch"]
    assert verbs[0] != "watch"


RUN = b'rules:\n  - {name: p, do: [change, delete], names: ["prod-*"], needs: mfa}\n'


@pytest.mark.parametrize("more", ["", " --rm -it"])
def test_overrides_may_give_a_pod_another_name(more: str) -> None:
    overrides = """--overrides='{"metadata":{"name":"prod-1"}}'"""
    assert decided(f"run x --image=i {overrides}{more}", policy(RUN)).effect == "stepup"
    assert decided(f"run x --image=i{more}", policy(RUN)).effect == "allow"


@pytest.mark.parametrize("command", ["delete", "create -f x.yaml", "replace -f x.yaml"])
def test_a_path_that_can_be_read_in_two_ways_may_be_a_watch_too(command: str) -> None:
    found = decided(f"{command} --raw /api/v1/./watch/namespaces/kube-system/secrets/database")
    assert "read-secrets" in found.actions


def test_a_dry_run_that_prunes_lists_secrets_all_the_same() -> None:
    assert "read-secrets" in decided("apply --dry-run=client --prune --all -f x.yaml").actions
    assert decided("apply --dry-run=client -f x.yaml").effect == "allow"


@pytest.mark.parametrize("text", ["replace -f s.yaml --dry-run=client", "patch -f s.yaml -p {} --dry-run=client"])
def test_these_dry_runs_do_not_read_the_secret_of_a_manifest(text: str) -> None:
    secret = ObjectRef(resource=resources_named("secrets")[0], name="s", namespace="default")
    assert with_objects(read(shlex.split(text)), [secret]).requests == ()


def test_a_raw_delete_of_a_path_that_is_read_in_two_ways_may_be_of_a_collection() -> None:
    found = read(["delete", "--raw", "/api/v1/namespaces/shop/x/../pods"])
    assert {entry.verb for entry in found.requests} == {"delete", "deletecollection", "watch"}
    assert "all" in found.traits
