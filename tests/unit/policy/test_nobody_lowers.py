"""Nobody's file lowers anybody else's: whatever a cluster publishes, or another file says, decisions stay as strict."""

from __future__ import annotations

import marshal
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_stepup.errors import PolicyError
from kubectl_stepup.kubectl.command import KubectlCommand, read
from kubectl_stepup.policy.compiled import pack, unpack
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.load import load
from kubectl_stepup.policy.model import Policy, Target
from kubectl_stepup.policy.published import Published
from kubectl_stepup.policy.published_file import parsed
from tests.fuzz.merging import different, weaker

Files = tuple[tuple[str, bytes] | None, tuple[str, bytes] | None]
HEAD = "apiVersion: kubectl-stepup.github.io/v1alpha1\nkind: Policy\n"
LINES = (
    "get pods",
    "delete pod x",
    "delete namespace prod",
    "create clusterrolebinding me --clusterrole=admin --user=me",
    "exec web-0 -- sh",
    "get secrets",
    "stern x",
)
NAMES = ("mfa", "critical", "gold", "silver")
TARGETS = (
    Target(),
    Target(unenrolled=True),
    *(Target(cluster=name, labels={"env": name}, namespace="shop") for name in ("dev", "prod", "lab")),
)


@cache
def commands() -> tuple[KubectlCommand, ...]:
    return tuple(read(line.split()) for line in LINES)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Return any policy of a few levels and rules."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
    minutes = st.integers(1, 60)
    levels = []
    for name in names:
        fields = [f"name: {name}", f"signedInWithin: {draw(minutes)}m", f"askAgainAfter: {draw(st.integers(0, 60))}m"]
        more = {"reason": "required", "serverWindow": f"{draw(minutes)}m", "maxDuration": f"{draw(minutes)}m"}
        fields += [f"{key}: {value}" for key, value in more.items() if draw(st.booleans())]
        levels.append(f"  - {{{', '.join(fields)}}}")
    rules = []
    for number in range(draw(st.integers(0, 4))):
        do = draw(st.sampled_from(["delete", "grant", "shell", "read-secrets", "change"]))
        fields = [f"name: r{number}", f"do: [{do}]", f"needs: {draw(st.sampled_from(names))}"]
        more = {
            "mode": draw(st.sampled_from(["enforce", "warn", "audit"])),
            "reason": "required",
            "ticket": '"OPS-*"',
            "message": "hello",
            "clusters": f"['{draw(st.sampled_from(['dev', 'prod', '*']))}']",
            "except": "{namespaces: [shop]}",
        }
        fields += [f"{key}: {value}" for key, value in more.items() if draw(st.integers(0, 3)) == 0]
        rules.append(f"  - {{{', '.join(fields)}}}")
    commands = [f"commands: {{stern: {draw(st.sampled_from(['allow', *names]))}}}"] if draw(st.booleans()) else []
    return "\n".join([HEAD.strip(), "levels:", *levels, "rules:" if rules else "rules: []", *rules, *commands])


files = texts().map(lambda text: ("policy.yaml", text.encode()))
local = st.tuples(st.none() | files, st.none() | files)


def published(cluster: str, text: str) -> Published:
    return Published(cluster=cluster, policy=parsed(text, cluster))


def loaded(files: Files, *others: Published) -> Policy:
    """Load files; a user's that names a level which has no place among the machine's does not load."""
    system, user = files
    try:
        return load(system, user, published=others)
    except PolicyError:
        return load(system, None, published=others)


def no_weaker(before: Policy, after: Policy, *targets: Target) -> None:
    assert [weaker(before, after, command, target) for target in targets for command in commands()] == [None] * (
        len(targets) * len(LINES)
    )


def the_same(before: Policy, after: Policy, *targets: Target) -> None:
    assert [different(before, after, command, target) for target in targets for command in commands()] == [None] * (
        len(targets) * len(LINES)
    )


@settings(max_examples=150)
@given(local, texts(), texts())
def test_what_a_cluster_publishes_changes_nothing_elsewhere(files: Files, ours: str, theirs: str) -> None:
    before = loaded(files, published("dev", ours))
    after = loaded(files, published("dev", ours), published("lab", theirs))

    the_same(before, after, *(target for target in TARGETS if target.cluster in ("dev", "prod") or target.unenrolled))


@settings(max_examples=150)
@given(local, texts(), texts())
def test_what_a_cluster_publishes_weakens_nothing_there(files: Files, ours: str, theirs: str) -> None:
    alone = loaded(files)
    with_one = loaded(files, published("dev", ours))
    with_both = loaded(files, published("dev", ours), published("lab", theirs))

    no_weaker(alone, with_one, *TARGETS)
    no_weaker(with_one, with_both, *TARGETS)
    # Nor is what is allowed wherever a command goes refused on one cluster: the fast path relies on it.
    for command in commands():
        if decide(with_both, command, Target()).effect == "allow":
            assert all(decide(with_both, command, target).effect == "allow" for target in TARGETS)


@settings(max_examples=100)
@given(local, texts(), texts())
def test_the_clusters_order_and_repetition_do_not_count(files: Files, ours: str, theirs: str) -> None:
    dev, lab = published("dev", ours), published("lab", theirs)
    one, other = (loaded(files, *both) for both in ((dev, lab), (lab, dev)))

    assert one == other
    unpacked = unpack(marshal.loads(marshal.dumps(pack(one))))
    the_same(one, unpacked, *TARGETS)


@settings(max_examples=200)
@given(files, files)
def test_neither_of_two_files_weakens_the_other(one: tuple[str, bytes], other: tuple[str, bytes]) -> None:
    try:
        both = load(one, other)
    except PolicyError:  # the user's file names a level that has no place among the machine's: nothing is decided
        return
    for alone in (load(None, one), load(None, other)):
        for target in TARGETS:
            for command in commands():
                # About a word that only the other file names, this one says nothing.
                if command.name != "stern" or "stern" in alone.commands:
                    assert weaker(alone, both, command, target) is None


@settings(max_examples=60)
@given(files)
def test_a_machines_file_weakens_nothing_of_the_built_in_policy(system: tuple[str, bytes]) -> None:
    built_in, both = load(None, None), load(system, None)
    known = {level.name for level in both.levels}
    for command in commands():
        if command.name != "stern" and decide(built_in, command, Target()).level in known | {None}:
            assert weaker(built_in, both, command, Target()) is None
