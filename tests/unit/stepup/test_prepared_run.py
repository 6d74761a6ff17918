"""What can fail in an elevated run is tried before a person is asked, and what was evaluated is what runs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from kubectl_stepup.errors import KubeconfigError, KubectlFailed, StepUpError, StoreUnavailable
from kubectl_stepup.kubectl.captured_input import CapturedInput
from kubectl_stepup.kubectl.everyday_programs import everyday_environment
from tests.flows import RESOLVED, FakeKubectl, Replaced, World, policy_of, session
from tests.support.values import RULES, repinned

OVERLAY = "/run/user/1000/kubectl-stepup/run-1/overlay"
TOO_LARGE = KubeconfigError("too large")


def approving(**world: Any) -> World:
    return World(approve=lambda options: session(level=options.level.name), **world)


class FullDisk(FakeKubectl):
    """A kubectl beside which no file can be written."""

    def run_directory(self) -> Any:
        raise KubectlFailed("/run/user/1000/kubectl-stepup/run-1: no space left on device")


@pytest.mark.parametrize(
    ("world", "code"),
    [
        ({"no_hand_over": StoreUnavailable("the socket cannot be made")}, "store-unavailable"),
        ({"many_cas": TOO_LARGE}, TOO_LARGE.code),
        ({"kubectl": FullDisk()}, "kubectl-failed"),
        ({"contexts": (replace(RESOLVED, namespace="shop-\ud800"),)}, TOO_LARGE.code),
    ],
    ids=["hand-over", "exec info", "overlay", "surrogate"],
)
def test_nobody_is_asked_for_what_could_not_be_used(world: dict[str, Any], code: str) -> None:
    opened = approving(**world)
    with pytest.raises(StepUpError) as caught:
        opened.execute("delete", "pod", "x")
    assert caught.value.code == code
    assert (opened.asked, opened.terminal.said, opened.kubectl.ran) == ([], [], [])
    assert [event.result for event in opened.audit.events] == [code]


def test_a_kubeconfig_whose_name_holds_a_colon_is_reached_by_a_link() -> None:
    file = "/home/alice/.kube/arn:aws:eks/prod"
    raw = {"server": RESOLVED.server, "certificate-authority": "pki/ca.pem"}
    world = approving(contexts=(replace(RESOLVED, cluster_file=file, cluster_raw=raw),))
    world.execute("delete", "pod", "x", f"--kubeconfig={file}")
    (ran,) = world.kubectl.ran
    directory = OVERLAY.rpartition("/")[0]
    assert ran.environ["KUBECONFIG"] == f"{OVERLAY}:{directory}/kubeconfig-0"
    assert ran.files[f"{directory}/kubeconfig-0"] == file.encode()
    # client-go reads a relative path against the link, so the cluster comes along with an absolute one.
    cluster = json.loads(ran.files[OVERLAY])["clusters"][0]
    assert cluster == {
        "name": RESOLVED.cluster,
        "cluster": {**raw, "certificate-authority": f"{directory}/certificate-authority"},
    }
    assert ran.files[f"{directory}/certificate-authority"] == b"/home/alice/.kube/arn:aws:eks/pki/ca.pem"


@pytest.mark.parametrize("raw", [{"certificate-authority": "/etc/ca.pem"}, {"certificate-authority-data": "QQ=="}, {}])
def test_a_cluster_without_relative_paths_stays_in_its_own_file(raw: dict[str, str]) -> None:
    resolved = replace(RESOLVED, cluster_file="/a:b", cluster_raw=raw)
    world = approving(contexts=(resolved,))
    world.execute("delete", "pod", "x", "--kubeconfig=/a:b")
    assert "clusters" not in json.loads(world.kubectl.ran[0].files[OVERLAY])


def test_a_password_of_a_proxy_is_not_copied_into_the_overlay() -> None:
    raw = {"certificate-authority": "ca.pem", "proxy-url": "http://user:pass@proxy"}
    resolved = repinned(RESOLVED, cluster_file="/a:b", cluster_raw=raw, proxy_url=raw["proxy-url"])
    world = approving(contexts=(resolved,))
    world.config = world.enrolled(repinned(world.config.clusters[0], proxy_url=raw["proxy-url"]))
    with pytest.raises(KubeconfigError, match="not copied for an elevated command") as caught:
        world.execute("delete", "pod", "x", "--kubeconfig=/a:b")
    assert "pass@" not in f"{caught.value.message}{caught.value.hint}"
    assert world.asked == []


def test_many_ca_certificates_are_given_to_kubectl_as_the_systems() -> None:
    raw = {"server": RESOLVED.server, "certificate-authority": "/etc/ca.pem", "disable-compression": True}
    world = approving(contexts=(replace(RESOLVED, cluster_raw=raw),), many_cas=b"many")
    world.environ["SSL_CERT_FILE"] = "/my/own.pem"
    world.execute("delete", "pod", "x")
    (ran,) = world.kubectl.ran
    roots = ran.environ["SSL_CERT_FILE"]
    assert ran.files[roots] == b"many"
    assert ran.environ["SSL_CERT_DIR"].startswith(roots)
    assert json.loads(ran.files[OVERLAY])["clusters"] == [
        {"name": RESOLVED.cluster, "cluster": {"server": RESOLVED.server, "disable-compression": True}}
    ]
    (elevation,) = world.handed
    assert (elevation.session.pin.ca_sha256, elevation.session.exec_info, elevation.session.id) == (
        None,
        (),
        session().id,
    )
    assert world.keeps_session == [False]  # a stored session is pinned to the certificates
    assert everyday_environment(ran.environ)["SSL_CERT_FILE"] == "/my/own.pem"


def test_an_overlay_that_is_removed_during_the_run_is_said_and_recorded() -> None:
    world = approving(kubectl=FakeKubectl(exit_code=3))
    world.kubectl.on_run = lambda: world.kubectl.files.clear()
    assert world.execute("delete", "pod", "x") == 3
    assert world.terminal.said[-1] == (
        f"warning: {OVERLAY} was removed while the command ran: a kubectl that it started after that ran with your "
        "everyday login"
    )
    assert (world.audit.events[-1].result, world.audit.events[-1].exit_code) == ("overlay-lost", 3)


def test_pipes_that_kubectl_could_not_read_are_handed_on_in_their_places() -> None:
    world = approving(
        captured=CapturedInput(streams=(None, b"{ not yaml")),
        policy=policy_of(rules=RULES.partition("  - {name: power")[0]),
    )
    world.execute("delete", "-f", '"a,b.yaml"', "-f", "/dev/fd/63", "--kubeconfig=/k")
    (ran,) = world.kubectl.ran
    assert ran.argv == ("delete", '--filename="a,b.yaml"', "--filename=/captured/1/manifests")
    assert (ran.files["/captured/1/manifests"], ran.pass_fds) == (b"{ not yaml", (9, 21))


def test_an_allowed_command_keeps_its_own_context_when_it_names_one() -> None:
    world = World(captured=CapturedInput(objects=b"{}"), policy=policy_of(rules=""))
    world.execute("apply", "-f", "x.yaml", "--context", "prod")
    assert world.kubectl.ran[0].argv == ("apply", "--context=prod", "--filename=/captured/0/x.yaml")


def test_an_allowed_command_without_input_starts_as_it_was_typed() -> None:
    with pytest.raises(Replaced) as replaced:
        World().execute("get", "pods")
    assert replaced.value.argv == ("get", "pods")


def test_a_differ_that_cannot_be_started_unelevated_is_named() -> None:
    diffs = "rules:\n  - {name: diffs, do: [change], needs: mfa}\n"
    for differ, said in (("/opt/kubectl-stepup", 0), (None, 1)):
        world = approving(policy=policy_of(rules=diffs), captured=CapturedInput(objects=b"{}"))
        world.differ = differ
        world.environ["KUBECTL_EXTERNAL_DIFF"] = "meld"
        world.execute("diff", "-f", "x.yaml")
        assert len([line for line in world.terminal.said if "KUBECTL_EXTERNAL_DIFF is not used" in line]) == said
        assert ("KUBECTL_EXTERNAL_DIFF" in world.kubectl.ran[0].environ) == (said == 0)


# -- inside an elevated command -----------------------------------------------------------------------------------


def test_an_allowed_command_inside_an_elevated_one_is_on_record() -> None:
    world = World()
    world.environ["KUBECTL_STEPUP_NESTED"] = "id-0"
    with pytest.raises(Replaced):
        world.execute("auth", "whoami")
    (event,) = world.audit.events
    assert (event.result, event.command, event.context) == ("allowed", ("auth", "whoami"), "prod")
