"""What the tools before this one let through, each by the habit that made it miss; here it asks, or is refused."""

from __future__ import annotations

import shlex

import pytest

from kubectl_stepup.kubectl.command import read
from kubectl_stepup.policy.decision import Decision
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.load import load
from kubectl_stepup.policy.model import Target

DEFAULT = load(None, None)


def decided(text: str) -> Decision:
    return decide(DEFAULT, read(shlex.split(text)), Target(cluster="prod-eu", namespace="default"))


@pytest.mark.parametrize(
    "text",
    [
        "-n prod delete pod x",
        "-nprod delete pod x",
        "--namespace prod delete pod x",
        "--namespace=prod delete pod x",
        "-v 6 delete pod x",
        "--context prod-eu delete pod x",
        "--context=prod-eu delete pod x",
        "--request-timeout=5s exec x -- sh",
        "--kubeconfig f drain n1",
        "--grace-period 0 delete pod x",
        "-f x.yaml delete",
    ],
)
def test_kubesafe_looks_at_the_first_word_alone(text: str) -> None:
    assert decided(text).effect == "stepup"


@pytest.mark.parametrize(
    ("text", "context"),
    [
        ("--context=prod-eu delete pod x", "prod-eu"),
        ("delete pod x --context prod-eu", "prod-eu"),
        ("delete pod x --context=dev --context=prod-eu", "prod-eu"),
    ],
)
def test_kubesafe_ignores_the_context_flag(text: str, context: str) -> None:
    assert read(text.split()).context == context


@pytest.mark.parametrize(
    "text",
    [
        "get secrets",
        "get secret s -o yaml",
        "get --raw /api/v1/namespaces/kube-system/secrets",
        "get --raw /api/v1/nodes/n1/proxy/run/ns/pod/c?cmd=id",
        "cp x:/var/run/secrets/kubernetes.io/serviceaccount/token t",
        "cp ./implant prod/x:/usr/bin/implant",
        "config view --raw",
        "describe secret s",
        "port-forward svc/db 5432",
        "cluster-info dump",
    ],
)
def test_kubectl_safe_takes_get_cp_and_config_for_harmless(text: str) -> None:
    assert decided(text).effect in {"stepup", "refuse"}


@pytest.mark.parametrize(
    "text",
    [
        "delete pod x --dry-run=none",
        "delete pod x --dry-run=false",
        "delete pod x --dry-run=client --dry-run=none",
        "delete pod --dry-run",
        "delete pod x -- --dry-run",
        "delete pod x -l --dry-run=client",
        "delete pod my--dry-run",
        "exec x -- sh -c 'rm -rf /data # --dry-run'",
        "exec x -- tool --dry-run",
        "delete pod x --field-selector=a=--dry-run=client",
        "delete pods --all -l app=x--dry-run",
        "scale deploy x --replicas=0 --dry-run=server",
        "apply -f x.yaml --force --dry_run=none",
    ],
)
def test_kubectl_safe_takes_any_word_with_dry_run_in_it_for_one(text: str) -> None:
    # `delete pod --dry-run` names no pod, and `-l` takes the word behind it: kubectl rejects both, and so do we.
    assert decided(text).effect in {"stepup", "refuse"}


def test_kubectl_safe_s_own_kinds_of_dry_run_still_do_not_ask() -> None:
    for text in ("delete pod x --dry-run=client", "delete pod x --dry-run", "delete pod x --dry_run=true"):
        assert decided(text).effect == "allow"


@pytest.mark.parametrize(
    "text", ["__complete delete pod ''", "__complete get pods -n ''", "completion zsh", "__complete ''"]
)
def test_kubectl_confirm_breaks_completion(text: str) -> None:
    assert decided(text).effect == "allow"


@pytest.mark.parametrize("text", ["__complete get secret ''", "__complete describe secret ''"])
def test_completion_never_asks_but_lists_no_secrets_with_an_elevated_identity(text: str) -> None:
    assert (decided(text).effect, decided(text).code) == ("refuse", "completion-refused")
