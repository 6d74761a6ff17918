from __future__ import annotations

import shlex

import pytest

from kubectl_stepup.kubectl.command import KubectlCommand, read, with_objects
from kubectl_stepup.kubectl.proxied import ANSWERED, is_plain
from kubectl_stepup.kubectl.request import ObjectRef
from kubectl_stepup.kubectl.resources import resources_named
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.explain import explain
from kubectl_stepup.policy.load import load
from kubectl_stepup.policy.model import Target

DEFAULT = load(None, None)

PLAIN = [
    "/api/v1/nodes/worker-1/proxy/stats/summary",
    "/api/v1/nodes/worker-1/proxy",
    "/api/v1/nodes/worker-1/proxy/",
    "/api/v1/namespaces/prod/pods/web-0/proxy/",
    "/api/v1/namespaces/prod/pods/web-0:8080/proxy/metrics",
    "/api/v1/namespaces/prod/pods/https:web-0:8443/proxy/a/b_c~d/e;f=g,h@i$j&k+l",
    "/api/v1/namespaces/prod/services/web/proxy/healthz/",
]

OTHER = [
    "",
    "/",
    "api/v1/nodes/worker-1/proxy/",
    "//api/v1/nodes/worker-1/proxy/",
    "/api/v1/nodes/worker-1/proxy//stats",
    "/api//v1/nodes/worker-1/proxy/stats",
    "/api/v1/nodes/worker-1/proxy/../../../secrets",
    "/api/v1/nodes/worker-1/./proxy/",
    "/api/v1/nodes/worker-1/%70roxy/",
    "/api/v1/nodes/worker-1/proxy/a%2Fb",
    "/api/v1/nodes/worker-1/proxy/logs/?query=kubelet",
    "/api/v1/nodes/worker-1/proxy/#here",
    "/api/v1/nodes/worker-1/proxy/a b",
    "/api/v1/nodes/worker-1/proxy/a\r\nHost: x",
    "/api/v1/nodes/worker-1/proxy/\u00e4",
    "/api/v1/nodes/worker-1/proxy/(a)",
    "/api/v1/nodes/worker-1/Proxy/a",
    "/api/v1/proxy/nodes/worker-1/",
    "/api/v1/watch/nodes/worker-1/proxy/",
    "/api/v2/nodes/worker-1/proxy/",
    "/apis/apps/v1/namespaces/prod/deployments/web/proxy/",
    "/api/v1/namespaces/prod/configmaps/web/proxy/",
    "/api/v1/namespaces/prod/pods/web-0/log",
    "/api/v1/nodes/worker-1",
    "https://api.example.com/api/v1/nodes/worker-1/proxy/",
    "/k8s/clusters/c-1/api/v1/nodes/worker-1/proxy/",
]


@pytest.mark.parametrize("path", PLAIN)
def test_a_path_that_everybody_reads_alike_is_plain(path: str) -> None:
    assert is_plain(path)


@pytest.mark.parametrize("path", OTHER)
def test_any_other_spelling_is_not(path: str) -> None:
    assert not is_plain(path)


@pytest.mark.parametrize("path", PLAIN)
@pytest.mark.parametrize("line", ["get --raw {}", "get --raw={}", "get -n prod --raw {} --context prod --kubeconfig=k"])
def test_a_plain_read_is_answered_here(path: str, line: str) -> None:
    command = read(shlex.split(line.format(shlex.quote(path))))
    decision = decide(DEFAULT, command, Target())

    assert (command.read_path, command.reaches_proxy) == (path, True)
    assert (decision.effect, decision.level) == ("stepup", "mfa")
    assert "shell" in decision.actions
    assert decision.why.endswith(ANSWERED)
    assert ANSWERED in dict(explain(DEFAULT, command, decision, Target()))["DECISION"]


NODE = "/api/v1/nodes/worker-1/proxy/stats"
POD = "/api/v1/namespaces/prod/pods/https:web-0:8443/proxy/"

REFUSED = {
    f"create --raw {POD} -f body.json": "port-forward -n prod pod/web-0 8443",
    f"replace --raw {POD} -f -": "port-forward -n prod pod/web-0 8443",
    f"delete --raw {POD}": "port-forward -n prod pod/web-0 8443",
    f"get --raw {POD} -v 9": "port-forward -n prod pod/web-0 8443",
    f"get --raw {POD}?a=b": "port-forward -n prod pod/web-0 8443",
    f"get --raw {POD} --request-timeout=1s": "port-forward -n prod pod/web-0 8443",
    f"get --raw {POD} pods": "port-forward -n prod pod/web-0 8443",
    f"get --raw {NODE} --raw {POD}": "port-forward -n prod pod/web-0 8443",
    f"get --raw {NODE} -o json": "get --raw /api/v1/nodes/worker-1/proxy/PATH",
    f"get --raw {NODE} -f x.yaml": "get --raw /api/v1/nodes/worker-1/proxy/PATH",
    f"get --raw {NODE} -w": "get --raw /api/v1/nodes/worker-1/proxy/PATH",
    "get --raw /api/v1/nodes/worker-1/%70roxy/stats": "get --raw /api/v1/nodes/worker-1/proxy/PATH",
    "get --raw /api/v1/proxy/nodes/worker-1/stats": "get --raw /api/v1/nodes/worker-1/proxy/PATH",
    "get --raw /api/v1/watch/nodes/worker-1/proxy": "get --raw /api/v1/nodes/worker-1/proxy/PATH",
    "get --raw //api/v1/nodes/worker-1/proxy/stats": "port-forward TYPE/NAME PORT",
    "get --raw http://h/api/v1/nodes/worker-1/proxy/": "port-forward TYPE/NAME PORT",
    "get --raw /api/v1/nodes/a/../worker-1/proxy/stats": "port-forward TYPE/NAME PORT",
    "get --raw /api/v1/nodes/worker-1/%2570roxy/stats": "port-forward TYPE/NAME PORT",
    "get --raw /api/v1/nodes/worker-1%252Fproxy": "port-forward TYPE/NAME PORT",
    "get --raw /k8s/clusters/c-1/api/v1/nodes/worker-1/proxy/": "port-forward TYPE/NAME PORT",
    "get pods web-0 -n prod --subresource=proxy": "port-forward -n prod pod/web-0 PORT",
    "get svc/web -n prod --subresource=proxy": "port-forward -n prod service/web PORT",
    "get no worker-1 --subresource proxy": "get --raw /api/v1/nodes/worker-1/proxy/PATH",
    "patch pod web-0 --subresource=proxy -p {}": "port-forward pod/web-0 PORT",
    "edit pod web-0 --subresource=proxy": "port-forward pod/web-0 PORT",
    "proxy": "get --raw PATH",
    "proxy --port=0": "get --raw PATH",
}


@pytest.mark.parametrize(("line", "hint"), REFUSED.items(), ids=REFUSED.keys())
def test_every_other_form_is_refused_with_a_command_to_type(line: str, hint: str) -> None:
    command = read(shlex.split(line))
    decision = decide(DEFAULT, command, Target())

    assert command.read_path is None
    assert (decision.effect, decision.code) == ("refuse", "proxy-refused")
    assert decision.level is not None
    assert decision.hint == f"kubectl stepup exec -- {hint}"


@pytest.mark.parametrize("line", REFUSED)
def test_a_hint_is_not_refused_itself(line: str) -> None:
    decision = decide(DEFAULT, read(shlex.split(line)), Target())
    words = shlex.split(decision.hint or "")[4:]

    assert decide(DEFAULT, read(words), Target()).effect == "stepup", decision.hint


def test_an_object_of_a_manifest_is_reached_through_the_proxy_too() -> None:
    command = read(["get", "-f", "pod.yaml", "--subresource=proxy"])
    pod = ObjectRef(resource=resources_named("pods")[0], name="web-0", namespace="prod")

    for known in (command, with_objects(command, [pod])):
        assert known.reaches_proxy
        assert decide(DEFAULT, known, Target()).effect == "refuse"


@pytest.mark.parametrize(
    "line",
    [
        "get pods proxy",
        "get --raw /api/v1/namespaces/prod/pods/proxy",
        "get --raw /apis/proxy/v1/namespaces/proxy/pods/proxy/status",
        "logs web-0",
        "exec web-0 -- date",
        "port-forward web-0 80",
        "top pods",
        "cluster-info dump",
        "get --raw /metrics",
    ],
)
def test_what_goes_through_no_proxy_is_left_to_kubectl(line: str) -> None:
    command: KubectlCommand = read(shlex.split(line))

    assert (command.reaches_proxy, command.read_path) == (False, None)
    assert decide(DEFAULT, command, Target()).effect != "refuse"
