from __future__ import annotations

from dataclasses import replace

import pytest

from kubectl_stepup.config.model import Config
from kubectl_stepup.errors import ClusterChanged, KubeconfigError, UsageError
from kubectl_stepup.kubeconfig.context import ResolvedContext
from kubectl_stepup.kubectl.captured_input import CapturedInput
from kubectl_stepup.kubectl.command import KubectlCommand, read
from kubectl_stepup.kubectl.discovery import APIResource, NamedTable
from kubectl_stepup.policy.model import Target
from kubectl_stepup.stepup.evaluate import Evaluation, evaluate, parse, require_unchanged
from kubectl_stepup.stepup.options import TargetOptions
from tests.flows import CLUSTER, CONFIG, RESOLVED, FakeDiscovery, FakeKubeconfig, World, cluster
from tests.support.values import repinned

LAB = repinned(RESOLVED, context="lab", cluster="lab", server="https://lab.example.com", namespace=None)


def evaluated(
    line: str,
    flags: TargetOptions = TargetOptions(),  # noqa: B008
    contexts: tuple[ResolvedContext, ...] = (RESOLVED, LAB),
    config: Config = CONFIG,
    unread: KubeconfigError | None = None,
    kuberc: str | None = None,
    namespace_defaults: frozenset[str] = frozenset(),
) -> Evaluation:
    class Kubeconfigs(World):
        def kubeconfig(self, flag: str | None) -> FakeKubeconfig:  # type: ignore[override]
            if unread is not None:
                raise unread
            return FakeKubeconfig(contexts, kuberc=kuberc, namespace_defaults=namespace_defaults)

    found, captured = evaluate(*parse(line.split(), flags), Kubeconfigs(config=config))
    assert captured == CapturedInput()
    return found


@pytest.mark.parametrize(
    ("flags", "words", "expected"),
    [
        (TargetOptions(), "delete pod x", "delete pod x"),
        (TargetOptions(namespace="a"), "delete pod x", "delete --namespace=a pod x"),
        (
            TargetOptions(context="c", namespace="n", kubeconfig="k"),
            "rollout undo deploy/x",
            "rollout --context=c --namespace=n --kubeconfig=k undo deploy/x",
        ),
        (TargetOptions(namespace="a"), "exec pod -- ls -n b", "exec --namespace=a pod -- ls -n b"),
        (TargetOptions(context="c"), "-n a get pods", "--context=c -n a get pods"),
        (TargetOptions(context="c"), "stern x", "stern --context=c x"),
        (TargetOptions(namespace="a"), "get pods -n a", "get pods -n a"),
        (TargetOptions(namespace="a"), "get pods -na", "get pods -na"),
        (TargetOptions(kubeconfig="/k"), "get --kubeconfig=/k pods", "get --kubeconfig=/k pods"),
        (TargetOptions(context="c"), "get pods --context x --context c", "get pods --context x --context c"),
    ],
)
def test_flags_from_before_the_dashes_go_behind_the_first_word(flags: TargetOptions, words: str, expected: str) -> None:
    given = words.split()
    assert parse(given, flags)[0] == tuple(expected.split())


def test_flags_alone_are_words_too() -> None:
    assert parse([], TargetOptions(context="c"))[0] == ("--context=c",)


@pytest.mark.parametrize(
    ("flags", "words", "name"),
    [
        (TargetOptions(context="a"), "get pods --context=b", "--context"),
        (TargetOptions(namespace="a"), "-n b get pods", "--namespace"),
        (TargetOptions(kubeconfig="a"), "get pods --kubeconfig b", "--kubeconfig"),
    ],
)
def test_two_different_values_are_a_usage_error(flags: TargetOptions, words: str, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        evaluated(words, flags)
    assert caught.value.message == f"{name} is given twice with different values: 'a' before --, 'b' after it"


def test_an_enrolled_context_gives_a_known_target() -> None:
    found = evaluated("delete pod web-0")
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
    assert evaluated(line).target.namespace == namespace


def test_a_context_that_is_not_enrolled_is_an_unknown_cluster() -> None:
    found = evaluated("delete pod x --context lab")
    assert (found.resolved, found.cluster) == (LAB, None)
    # It is known to be none of the clusters that publish policies; what is not known matches every include.
    assert found.target == Target(cluster=None, labels=None, namespace="default", unenrolled=True)
    assert found.decision.effect == "stepup"


@pytest.mark.parametrize("flag", ["--server=https://elsewhere.example.com", "--cluster=x", "--kuberc=x"])
def test_a_command_that_may_lead_elsewhere_may_go_to_any_cluster(flag: str) -> None:
    assert evaluated(f"delete pod x --context lab {flag}").target.unenrolled is False


@pytest.mark.parametrize("flags", [TargetOptions(), TargetOptions(context="nowhere")])
def test_a_kubeconfig_that_does_not_resolve_is_an_unknown_target(flags: TargetOptions) -> None:
    found = evaluated("delete pod x", flags, contexts=())
    assert (found.resolved, found.cluster) == (None, None)
    assert str(found.unresolved) == f"context {flags.context!r} is not in /home/alice/.kube/config"
    assert found.target == Target(cluster=None, labels=None, namespace=None)
    assert found.decision.effect == "stepup"


def test_another_context_to_the_same_server_is_the_same_cluster() -> None:
    alias = repinned(RESOLVED, context="alias", server="HTTPS://API.prod.example.com:443/")
    assert evaluated("delete pod x --context alias", contexts=(RESOLVED, alias)).cluster is CLUSTER


def test_another_context_to_a_server_with_two_enrolments_is_an_unknown_target() -> None:
    """Which of their names and labels counts is not known, so that every rule is met."""
    config = replace(CONFIG, clusters=(CLUSTER, replace(CLUSTER, name="sandbox", context="other")))
    alias = replace(RESOLVED, context="alias")
    for line, known in (("delete pod x", "prod-eu"), ("delete pod x --context alias", None)):
        found = evaluated(line, contexts=(RESOLVED, alias), config=config)
        assert (found.cluster, found.target.cluster) == (CLUSTER, known)


@pytest.mark.parametrize(
    "redirect", [f"--server={RESOLVED.server}/", f"-s {RESOLVED.server}:443", f"--cluster={RESOLVED.cluster}"]
)
def test_a_flag_that_leads_to_an_enrolled_server_is_about_that_cluster(redirect: str) -> None:
    found = evaluated(f"delete pod x --context lab {redirect}")
    assert (found.cluster, found.target.cluster) == (CLUSTER, None)


def test_without_a_context_the_server_flag_says_where_it_goes() -> None:
    elsewhere = evaluated("delete pod x --server=https://other.example.com", contexts=())
    assert (elsewhere.resolved, elsewhere.cluster, elsewhere.unresolved) == (None, None, None)
    enrolled = evaluated(f"delete pod x --server={RESOLVED.server}", contexts=())
    assert (enrolled.resolved, enrolled.cluster, enrolled.unresolved) == (None, CLUSTER, None)


@pytest.mark.parametrize("more", ["", " --server=https://other.example.com"])
def test_where_the_files_cannot_be_read_nothing_is_known(more: str) -> None:
    found = evaluated(f"delete pod x{more}", unread=KubeconfigError("config:3: broken"))
    assert (found.resolved, found.cluster, str(found.unresolved)) == (None, None, "config:3: broken")


def test_a_kuberc_may_lead_from_a_context_that_is_not_enrolled_to_one_that_is() -> None:
    found = evaluated("delete pod x --context lab", kuberc="/home/alice/.kube/kuberc")
    assert (found.resolved, found.cluster) == (LAB, None)
    assert found.unresolved is not None
    assert found.unresolved.message == (
        "/home/alice/.kube/kuberc: may send kubectl to another cluster than the kubeconfig says"
    )
    assert found.unresolved.hint == "KUBERC=off kubectl stepup exec -- ..."


def test_an_enrolled_context_is_run_without_kuberc() -> None:
    found = evaluated("delete pod x", kuberc="/home/alice/.kube/kuberc")
    assert (found.cluster, found.unresolved) == (CLUSTER, None)


def test_a_kuberc_may_lead_from_one_enrolled_context_to_another() -> None:
    """A command that is allowed on the cluster of its context runs with kuberc, and may so reach every other one."""
    assert evaluated("delete pod x", kuberc="/home/alice/.kube/kuberc").target == Target(namespace="shop")


@pytest.mark.parametrize(
    ("line", "default", "namespace"),
    [
        ("delete pod x", "namespace", None),
        ("delete pod x -n other", "namespace", "other"),
        ("delete pod x -n other", "all-namespaces", None),
    ],
)
def test_a_kuberc_may_lead_to_another_namespace(line: str, default: str, namespace: str | None) -> None:
    assert evaluated(line, namespace_defaults=frozenset({default})).target.namespace == namespace


def test_where_nothing_is_enrolled_no_kubeconfig_matters() -> None:
    found = evaluated("delete pod x", config=replace(CONFIG, clusters=()), unread=KubeconfigError("config:3: broken"))
    assert found.unresolved is None


def test_the_flags_choose_the_context_that_is_judged() -> None:
    found = evaluated("delete pod x", TargetOptions(context="lab", namespace="n"))
    assert found.resolved is LAB
    assert found.target.namespace == "n"
    assert found.argv == ("delete", "--context=lab", "--namespace=n", "pod", "x")


def test_the_kubeconfig_that_the_command_names_is_read() -> None:
    asked_for: list[str | None] = []

    class Asking(World):
        def kubeconfig(self, flag: str | None) -> FakeKubeconfig:  # type: ignore[override]
            asked_for.append(flag)
            return FakeKubeconfig([RESOLVED])

    for words, flags in (
        (["get", "pods"], TargetOptions()),
        (["get", "pods", "--kubeconfig=/a"], TargetOptions(kubeconfig="/a")),
    ):
        evaluate(*parse(words, flags), Asking())
    assert asked_for == [None, "/a"]


def test_what_the_manifests_hold_is_judged_and_the_bytes_come_back() -> None:
    class Expanding(World):
        def expand(self, command: KubectlCommand, *, online: bool = False) -> tuple[KubectlCommand, CapturedInput]:
            assert command.manifests == ("-",)
            return command.replace(requests=read(["delete", "pod", "x"]).requests), CapturedInput(
                stdin=(b"kind: Pod\n",)
            )

    found, captured = evaluate(*parse(["apply", "-f", "-"], TargetOptions()), Expanding())
    assert captured == CapturedInput(stdin=(b"kind: Pod\n",))
    assert found.decision.level == "mfa"


def test_an_unchanged_cluster_passes() -> None:
    require_unchanged(CLUSTER, RESOLVED)
    require_unchanged(CLUSTER, repinned(RESOLVED, server="https://API.prod.example.com:443/"))


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
        require_unchanged(enrolled, repinned(RESOLVED, **found))  # type: ignore[arg-type]
    assert caught.value.message == f"cluster prod-eu is not what was enrolled: {what}"
    assert caught.value.hint == "kubectl stepup setup --context prod --provider corp"


def test_every_change_is_named() -> None:
    with pytest.raises(ClusterChanged) as caught:
        require_unchanged(CLUSTER, repinned(RESOLVED, insecure=True, tls_server_name="x"))
    assert caught.value.message.endswith(
        "tls-server-name was none, is now x; insecure-skip-tls-verify was false, is now true"
    )


def test_the_cluster_explains_the_words_that_are_not_built_in_and_those_alone() -> None:
    widgets = APIResource(group="example.com", name="widgets", kind="Widget", namespaced=True, short_names=("wd",))
    discover = FakeDiscovery((widgets,))

    def evaluated(*words: str) -> Evaluation:
        world = World()
        world.discovery = discover
        found, _ = evaluate(*parse(words, TargetOptions()), world)
        return found

    evaluated("delete", "pod", "x")
    assert discover.asked_for == []
    found = evaluated("delete", "wd", "x")
    assert discover.asked_for == [("usual", RESOLVED.server)]
    assert {entry.resource.name for entry in found.decision.requests} == {"widgets"}


@pytest.mark.parametrize("table", [None, NamedTable(resources=(), complete=True)])
def test_a_table_that_the_command_line_names_explains_no_word_away(table: NamedTable | None) -> None:
    widgets = APIResource(group="example.com", name="widgets", kind="Widget", namespaced=True, short_names=("wd",))
    discover = FakeDiscovery((widgets,), table)
    world = World()
    world.discovery = discover
    found, _ = evaluate(*parse(("delete", "wd", "x", "--cache-dir=/c"), TargetOptions()), world)
    assert ("usual", RESOLVED.server) not in discover.asked_for
    assert {entry.resource.name for entry in found.decision.requests} == {"wd"}
