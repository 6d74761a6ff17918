"""The overlay's document, and the elevated child's environment."""

from __future__ import annotations

import json

import pytest

from kubectl_stepup.errors import KubeconfigError
from kubectl_stepup.kubeconfig.cluster_pin import ClusterPin
from kubectl_stepup.kubeconfig.context import ResolvedContext
from kubectl_stepup.kubeconfig.overlay import (
    INSTALL_HINT,
    elevated_environment,
    exec_entry,
    overlay_document,
)
from kubectl_stepup.kubectl.variables import DROPPED

CONTEXT = ResolvedContext(
    context="prod",
    cluster="prod-eu",
    user="alice",
    namespace="shop",
    pin=ClusterPin(server="https://api.prod.example.com"),
    file="/home/alice/.kube/config",
    cluster_file="/home/alice/.kube/config",
    user_file="/home/alice/.kube/config",
    context_raw={"cluster": "prod-eu", "user": "alice", "namespace": "shop", "extensions": [{"name": "x"}]},
    user_raw={"token": "t-o-p-s-e-c-r-e-t"},
)
NO_NAMESPACE = ResolvedContext(
    **{name: getattr(CONTEXT, name) for name in CONTEXT.__slots__ if name not in {"namespace", "context_raw"}},
    namespace=None,
    context_raw={"cluster": "prod-eu", "user": "alice"},
)


def test_the_overlay_is_the_context_with_another_user() -> None:
    document = overlay_document(
        CONTEXT, user_name="stepup:mfa", exec_command="/usr/bin/python3", exec_args=["-I", "credential", "0123"]
    )
    assert json.loads(document) == {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "prod",
        "contexts": [
            {
                "name": "prod",
                "context": {
                    "cluster": "prod-eu",
                    "user": "stepup:mfa",
                    "namespace": "shop",
                    "extensions": [{"name": "x"}],
                },
            }
        ],
        "users": [
            {
                "name": "stepup:mfa",
                "user": {
                    "exec": {
                        "apiVersion": "client.authentication.k8s.io/v1",
                        "command": "/usr/bin/python3",
                        "args": ["-I", "credential", "0123"],
                        "env": None,
                        "interactiveMode": "IfAvailable",
                        "provideClusterInfo": True,
                        "installHint": INSTALL_HINT,
                    }
                },
            }
        ],
    }


def test_the_overlay_holds_no_secret_and_no_cluster() -> None:
    """KCFG-16."""
    document = overlay_document(CONTEXT, user_name="stepup:mfa", exec_command="/x", exec_args=[])
    assert b"t-o-p-s-e-c-r-e-t" not in document
    assert b'"clusters"' not in document
    assert b"api.prod.example.com" not in document


def test_what_the_context_lacks_is_left_out() -> None:
    document = overlay_document(NO_NAMESPACE, user_name="stepup:mfa", exec_command="/x", exec_args=[])
    assert json.loads(document)["contexts"][0]["context"] == {"cluster": "prod-eu", "user": "stepup:mfa"}


def test_the_exec_entry_carries_variables_and_the_older_version() -> None:
    entry = exec_entry(
        command="/x", args=[], env={"B": "2", "A": "1"}, api_version="client.authentication.k8s.io/v1beta1"
    )
    assert entry["apiVersion"] == "client.authentication.k8s.io/v1beta1"
    assert entry["env"] == [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    with pytest.raises(ValueError, match="api_version must be one of"):
        exec_entry(command="/x", args=[], api_version="client.authentication.k8s.io/v1alpha1")


def test_the_elevated_environment() -> None:
    """POL-24, POL-26: what is dropped, and what goes along."""
    environ = {
        "PATH": "/bin",
        "EDITOR": "vi",
        "KUBE_EDITOR": "vi",
        "HTTPS_PROXY": "http://proxy.test",
        "SSL_CERT_FILE": "/ca.pem",
        "KUBECONFIG": "/elsewhere",
        "KUBERC": "/evil/kuberc",
        "KUBECTL_KUBERC": "true",
        "KUBECTL_REMOTE_COMMAND_WEBSOCKETS": "false",
        **dict.fromkeys(DROPPED, "evil"),
    }
    elevated = elevated_environment(environ, overlay_path="/o", kubeconfig_files=["/a", "b/c"], session_id="0123")
    assert elevated == {
        "PATH": "/bin",
        "EDITOR": "vi",
        "KUBE_EDITOR": "vi",
        "HTTPS_PROXY": "http://proxy.test",
        "SSL_CERT_FILE": "/ca.pem",
        "KUBECTL_REMOTE_COMMAND_WEBSOCKETS": "false",
        "KUBECONFIG": "/o:/a:b/c",
        "KUBERC": "off",
        "KUBECTL_KUBERC": "false",
        "KUBECTL_STEPUP_NESTED": "0123",
    }
    assert environ["KUBECONFIG"] == "/elsewhere"


def test_the_variables_that_run_programs_or_hide_the_command_are_dropped() -> None:
    """POL-22, POL-26."""
    assert set(DROPPED) == {
        "GODEBUG",
        "KUBECACHEDIR",
        "KUBECTL_EXTERNAL_DIFF",
        "KUBECTL_ENABLE_CMD_SHADOW",
        "KUBERNETES_MASTER",
        "KUBECTL_COMMAND_HEADERS",
    }


def test_a_file_that_cannot_stand_in_a_list_is_refused() -> None:
    with pytest.raises(KubeconfigError, match=r"^/a:b: a name with ':' in it cannot stand in \$KUBECONFIG$"):
        elevated_environment({}, overlay_path="/o", kubeconfig_files=["/a:b"], session_id="")
    elevated = elevated_environment({}, overlay_path="C:\\o", kubeconfig_files=["D:\\a"], session_id="", pathsep=";")
    assert elevated["KUBECONFIG"] == "C:\\o;D:\\a"
