from __future__ import annotations

from dataclasses import replace

import pytest

from kubectl_stepup.errors import ClusterChanged, UsageError
from kubectl_stepup.flows.judge import Flags, Judgement, judge, require_unchanged, with_flags
from kubectl_stepup.kube.context import ResolvedContext
from kubectl_stepup.policy.command import KubectlCommand, read
from kubectl_stepup.policy.discovery import APIResource
from kubectl_stepup.policy.model import Target
from kubectl_stepup.policy.spool import Spool
from tests.flows import CLUSTER, CONFIG, POLICY, RESOLVED, FakeKubeconfig, cluster

LAB = replace(RESOLVED, context="lab", server="https://lab.example.com", namespace=None)


def judged(line: str, flags: Flags = Flags(), contexts: tuple[ResolvedContext, ...] = (RESOLVED, LAB)) -> Judgement:  # noqa: B008
    found, spool = judge(
        line.split(),
        flags,
        policy=POLICY,
        config=CONFIG,
        kubeconfig=lambda flag: FakeKubeconfig(contexts),
        expand=lambda command: (command, Spool()),
        discover=lambda server, directory: (),
    )
    assert spool == Spool()
    return found


@pytest.mark.parametrize(
    ("flags", "words", "expected"),
    [
        (Flags(), "delete pod x", "delete pod x"),
        (Flags(namespace="a"), "delete pod x", "delete --namespace=a pod x"),
        (
            Flags(context="c", namespace="n", kubeconfig="k"),
            "rollout undo deploy/x",
            "rollout --context=c --namespace=n --kubeconfig=k undo deploy/x",
        ),
        (Flags(namespace="a"), "exec pod -- ls -n b", "exec --namespace=a pod -- ls -n b"),
        (Flags(context="c"), "-n a get pods", "--context=c -n a get pods"),
        (Flags(context="c"), "stern x", "stern --context=c x"),
        (Flags(namespace="a"), "get pods -n a", "get pods -n a"),
        (Flags(namespace="a"), "get pods -na", "get pods -na"),
        (Flags(kubeconfig="/k"), "get --kubeconfig=/k pods", "get --kubeconfig=/k pods"),
        (Flags(context="c"), "get pods --context x --context c", "get pods --context x --context c"),
    ],
)
def test_flags_from_before_the_dashes_go_behind_the_first_word(flags: Flags, words: str, expected: str) -> None:
    given = words.split()
    assert with_flags(given, read(given), flags) == tuple(expected.split())


def test_flags_alone_are_words_too() -> None:
    assert with_flags([], read([]), Flags(context="c")) == ("--context=c",)


@pytest.mark.parametrize(
    ("flags", "words", "name"),
    [
        (Flags(context="a"), "get pods --context=b", "--context"),
        (Flags(namespace="a"), "-n b get pods", "--namespace"),
        (Flags(kubeconfig="a"), "get pods --kubeconfig b", "--kubeconfig"),
    ],
)
def test_two_different_values_are_a_usage_error(flags: Flags, words: str, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        judged(words, flags)
    assert caught.value.message == f"{name} is given twice with different values: 'a' before --, 'b' after it"


def test_an_enrolled_context_gives_a_known_target() -> None:
    found = judged("delete pod web-0")
    assert (found.resolved, found.cluster) == (RESOLVED, CLUSTER)
    assert found.target == Target(cluster="prod-eu", labels={"env": "prod"}, namespace="shop")
    assert (found.decision.effect, found.decision.level) == ("stepup", "mfa")
    assert found.argv == ("delete", "pod", "web-0")


@pytest.mark.parametrize(
    ("line", "namespace"),
    [
        ("delete pod x", "shop"),
        ("delete pod x -n other", "other"),
        ("delete pod x --context lab", "default"),
        ("delete pod x --namespace=", "shop"),
        ("get pods -A", None),
        ("delete pods --all --all-namespaces -n shop", None),
    ],
)
def test_the_namespace_is_the_commands_else_the_contexts(line: str, namespace: str | None) -> None:
    assert judged(line).target.namespace == namespace


def test_a_context_that_is_not_enrolled_is_an_unknown_cluster() -> None:
    found = judged("delete pod x --context lab")
    assert (found.resolved, found.cluster) == (LAB, None)
    # It is known to be none of the clusters that publish policies; what is not known matches every include.
    assert found.target == Target(cluster=None, labels=None, namespace="default", unenrolled=True)
    assert found.decision.effect == "stepup"


@pytest.mark.parametrize("flag", ["--server=https://elsewhere.example.com", "--cluster=x", "--kuberc=x"])
def test_a_command_that_may_lead_elsewhere_may_go_to_any_cluster(flag: str) -> None:
    assert judged(f"delete pod x --context lab {flag}").target.unenrolled is False


@pytest.mark.parametrize("flags", [Flags(), Flags(context="nowhere")])
def test_a_kubeconfig_that_does_not_resolve_is_an_unknown_target(flags: Flags) -> None:
    found = judged("delete pod x", flags, contexts=())
    assert (found.resolved, found.cluster) == (None, None)
    assert found.target == Target(cluster=None, labels=None, namespace=None)
    assert found.decision.effect == "stepup"


def test_another_context_to_the_same_server_is_the_same_cluster() -> None:
    alias = replace(RESOLVED, context="alias", server="HTTPS://API.prod.example.com:443/")
    assert judged("delete pod x --context alias", contexts=(RESOLVED, alias)).cluster is CLUSTER


def test_the_flags_choose_the_context_that_is_judged() -> None:
    found = judged("delete pod x", Flags(context="lab", namespace="n"))
    assert found.resolved is LAB
    assert found.target.namespace == "n"
    assert found.argv == ("delete", "--context=lab", "--namespace=n", "pod", "x")


def test_the_kubeconfig_that_the_command_names_is_read() -> None:
    asked_for: list[str | None] = []

    def kubeconfig(flag: str | None) -> FakeKubeconfig:
        asked_for.append(flag)
        return FakeKubeconfig([RESOLVED])

    for words, flags in ((["get", "pods"], Flags()), (["get", "pods", "--kubeconfig=/a"], Flags(kubeconfig="/a"))):
        judge(
            words,
            flags,
            policy=POLICY,
            config=CONFIG,
            kubeconfig=kubeconfig,
            expand=lambda command: (command, Spool()),
            discover=lambda server, directory: (),
        )
    assert asked_for == [None, "/a"]


def test_what_the_manifests_hold_is_judged_and_the_bytes_come_back() -> None:
    def expand(command: KubectlCommand) -> tuple[KubectlCommand, Spool]:
        assert command.manifests == ("-",)
        return command.replace(requests=read(["delete", "pod", "x"]).requests), Spool(stdin=(b"kind: Pod\n",))

    found, spool = judge(
        ["apply", "-f", "-"],
        Flags(),
        policy=POLICY,
        config=CONFIG,
        kubeconfig=lambda flag: FakeKubeconfig([RESOLVED]),
        expand=expand,
        discover=lambda server, directory: (),
    )
    assert spool == Spool(stdin=(b"kind: Pod\n",))
    assert found.decision.level == "mfa"


def test_an_unchanged_cluster_passes() -> None:
    require_unchanged(CLUSTER, RESOLVED)
    require_unchanged(CLUSTER, replace(RESOLVED, server="https://API.prod.example.com:443/"))


@pytest.mark.parametrize(
    ("enrolled", "found", "what"),
    [
        (CLUSTER, {"server": "https://evil.example.com"}, "server was https://api.prod.example.com, is now https://evil.example.com"),
        (CLUSTER, {"ca_sha256": None}, f"certificate authority was sha256 {'9f' * 32}, is now the system's"),
        (CLUSTER, {"proxy_url": "http://u:p@proxy:3128"}, "proxy-url was none, is now http://proxy:3128"),
        (CLUSTER, {"insecure": True}, "insecure-skip-tls-verify was false, is now true"),
        (cluster(tls_server_name="a"), {}, "tls-server-name was a, is now none"),
    ],
)  # fmt: skip
def test_a_changed_cluster_is_refused_by_what_changed(enrolled: object, found: dict[str, object], what: str) -> None:
    """KCFG-12, KCFG-13."""
    with pytest.raises(ClusterChanged) as caught:
        require_unchanged(enrolled, replace(RESOLVED, **found))  # type: ignore[arg-type]
    assert caught.value.message == f"cluster prod-eu is not what was enrolled: {what}"
    assert caught.value.hint == "kubectl stepup setup --context prod --provider corp"


def test_every_change_is_named() -> None:
    with pytest.raises(ClusterChanged) as caught:
        require_unchanged(CLUSTER, replace(RESOLVED, insecure=True, tls_server_name="x"))
    assert caught.value.message.endswith(
        "tls-server-name was none, is now x; insecure-skip-tls-verify was false, is now true"
    )


def test_the_cluster_explains_the_words_that_are_not_built_in_and_those_alone() -> None:
    asked_for: list[tuple[str, str | None]] = []

    def discover(server: str, directory: str | None) -> tuple[APIResource, ...]:
        asked_for.append((server, directory))
        return (APIResource(group="example.com", name="widgets", kind="Widget", namespaced=True, short_names=("wd",)),)

    def judged(*words: str) -> Judgement:
        found, _ = judge(
            words,
            Flags(),
            policy=POLICY,
            config=CONFIG,
            kubeconfig=lambda flag: FakeKubeconfig([RESOLVED]),
            expand=lambda command: (command, Spool()),
            discover=discover,
        )
        return found

    judged("delete", "pod", "x")
    assert asked_for == []
    found = judged("delete", "wd", "x", "--cache-dir=/c")
    assert asked_for == [(RESOLVED.server, "/c")]
    assert {entry.resource.name for entry in found.decision.requests} == {"widgets"}
