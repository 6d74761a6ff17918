"""A static elevated user and context: put in, put in again, taken out; and never on somebody else's name."""

from __future__ import annotations

import json

import pytest

from kubectl_stepup.errors import KubeconfigError
from kubectl_stepup.kubeconfig.cluster_pin import ClusterPin
from kubectl_stepup.kubeconfig.context import ResolvedContext
from kubectl_stepup.kubeconfig.overlay import INSTALL_HINT, exec_entry
from kubectl_stepup.kubeconfig.static_entry import StaticEntry, static_entry, with_entry, without_entry
from kubectl_stepup.yaml_edit.splice import unified_diff
from kubectl_stepup.yaml_edit.yaml_file import plain

KUBECONFIG = """\
apiVersion: v1
kind: Config
preferences: {}
# the clusters of the team
clusters:
- cluster:
    certificate-authority: pki/ca.pem   # relative
    server: https://api.prod.example.com
  name: prod-eu
contexts:
- context: {cluster: prod-eu, user: alice, namespace: shop}
  name: prod
current-context: prod
users:
- name: alice   # everyday
  user:
    token: abc
x-unknown: [1, 2]
"""
CONTEXT = ResolvedContext(
    context="prod",
    cluster="prod-eu",
    user="alice",
    namespace="shop",
    pin=ClusterPin(server="https://api.prod.example.com"),
    file="config",
    cluster_file="config",
    user_file="config",
    context_raw={"cluster": "prod-eu", "user": "alice", "extensions": [{"name": "x", "extension": {"y": "z"}}]},
)
DIFF = f"""\
--- config
+++ config
@@ -12,0 +13,9 @@
+- name: prod-elevated
+  context:
+    cluster: prod-eu
+    user: stepup:prod-eu:mfa
+    namespace: shop
+    extensions:
+    - name: "x"
+      extension:
+        "y": "z"
@@ -17,0 +27,12 @@
+- name: stepup:prod-eu:mfa
+  user:
+    exec:
+      apiVersion: client.authentication.k8s.io/v1
+      command: /usr/bin/python3
+      args:
+      - "-I"
+      - credential
+      - "0123"
+      interactiveMode: IfAvailable
+      provideClusterInfo: true
+      installHint: "{INSTALL_HINT}"
"""


def entry(context_name: str = "prod-elevated", *, command: str = "/usr/bin/python3") -> StaticEntry:
    return static_entry(
        CONTEXT,
        context_name=context_name,
        user_name="stepup:prod-eu:mfa",
        exec_entry=exec_entry(command=command, args=["-I", "credential", "0123"]),
    )


def put(text: str, wanted: StaticEntry | None = None) -> str:
    return with_entry(text.encode(), "config", wanted or entry(), parse=plain).decode()


def take(text: str, context_name: str = "prod-elevated") -> str:
    return without_entry(text.encode(), "config", context_name, parse=plain).decode()


def test_the_entry_is_put_behind_the_others_and_nothing_else_changes() -> None:
    """KCFG-04."""
    assert unified_diff(KUBECONFIG.encode(), put(KUBECONFIG).encode(), "config") == DIFF


def test_twice_is_once_and_removing_gives_the_bytes_back() -> None:
    """KCFG-05."""
    once = put(KUBECONFIG)
    assert put(once) == once
    assert take(once) == KUBECONFIG
    assert take(KUBECONFIG) == KUBECONFIG


@pytest.mark.parametrize(
    "text", [KUBECONFIG.replace("\n", "\r\n"), "\ufeff" + KUBECONFIG, KUBECONFIG.removesuffix("\n")]
)
def test_line_ends_byte_order_mark_and_a_missing_last_line_end_stay(text: str) -> None:
    """KCFG-04."""
    assert take(put(text)) == text


def test_a_new_command_replaces_the_old_one() -> None:
    after = put(put(KUBECONFIG), entry(command="/opt/python3"))
    assert after == put(KUBECONFIG).replace("/usr/bin/python3", "/opt/python3")


def test_a_second_context_shares_the_user_which_stays_until_both_are_gone() -> None:
    both = put(put(KUBECONFIG), entry("second"))
    assert both.count("name: stepup:prod-eu:mfa") == 1
    one = take(both)
    assert one == put(KUBECONFIG, entry("second"))
    assert take(one, "second") == KUBECONFIG


@pytest.mark.parametrize("name", ["prod", "alice"])
def test_somebody_elses_context_is_neither_replaced_nor_removed(name: str) -> None:
    text = KUBECONFIG.replace("name: prod\n", f"name: {name}\n")
    with pytest.raises(KubeconfigError) as caught:
        put(text, entry(name))
    assert caught.value.message == f"config: context '{name}' exists and is not ours"
    with pytest.raises(KubeconfigError) as caught:
        take(text, name)
    assert caught.value.message == f"config: context '{name}' is not ours"


def test_somebody_elses_user_of_the_same_name_is_not_replaced() -> None:
    with pytest.raises(KubeconfigError) as caught:
        put(KUBECONFIG.replace("name: alice", "name: stepup:prod-eu:mfa"))
    assert caught.value.message == "config: user 'stepup:prod-eu:mfa' exists and is not ours"


def test_a_kubeconfig_in_json_stays_json() -> None:
    """KCFG-04."""
    before = {"apiVersion": "v1", "users": [{"name": "alice", "user": {"token": "t"}}], "contexts": None}
    after = json.loads(put(json.dumps(before)))
    assert after["users"][0] == before["users"][0]  # type: ignore[index]
    assert [user["name"] for user in after["users"]] == ["alice", "stepup:prod-eu:mfa"]
    assert len(after["contexts"]) == 1


def test_a_kubeconfig_that_cannot_be_edited_says_what_to_type() -> None:
    """KCFG-04."""
    with pytest.raises(KubeconfigError, match="cannot be edited without writing it anew") as caught:
        put("apiVersion: v1\nother: &a [{name: b, user: {}}]\nusers: *a\n")
    assert caught.value.hint == "kubectl config view --raw --kubeconfig config > NEW, then: mv NEW config"


def test_only_our_own_user_names_are_written() -> None:
    """KCFG-11."""
    with pytest.raises(ValueError, match="user_name must start with stepup:"):
        static_entry(CONTEXT, context_name="x", user_name="alice", exec_entry={})
