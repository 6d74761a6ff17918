"""The command reader: any words at all are read, evaluated by three policies, explained, and written as JSON."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from kubectl_stepup.fastpath.allowed_command import is_allowed_everywhere
from kubectl_stepup.kubectl.command import KubectlCommand, read
from kubectl_stepup.kubectl.grammar_table import ALIASES, COMMANDS
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.explain import explain
from tests.fuzz.policies import POLICIES, TARGETS
from tests.grammar.choices import chance, pick
from tests.grammar.lines import PATHS, flag_names, flags_of, line_from
from tests.grammar.spellings import spelling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_stepup.policy.decision import Decision
    from kubectl_stepup.policy.model import Policy, Target
    from tests.fuzz.watch import Watch
    from tests.grammar.choices import Bytes

LONG = 500
"""A command line of more words is a long one."""

UNUSUAL = (
    *(
        "",
        "-",
        "--",
        "---",
        "=",
        "-=",
        "--=",
        "--=x",
        "-n",
        "-n=",
        "-nx=",
        "-\x00",
        "\x00",
        "\n",
        "\r\n",
        "\x1b[2J",
        " ",
    ),
    *("\udcff", "--\udc80", "-\udc80", "a\udcffb", "\ud800/x", "d\u0435lete", "delete\u200b", "\u202edelete", "\ufeff"),
    *("x,y", ",", "a,,b", '"', '"a,b', "a/b/c", "/", "pods/", "/x", "pods.", ".", "pods.v1.", "pods..", "*", "*/*"),
    *("k=v", "k-", "k=v:NoSchedule", "a:b", "ns/pod:/x", ":", "x=", "=x", "a=b=c", "--kuberc", "--kuberc=/x", "-l"),
    *("--raw=//x", "--raw=/%2e%2e/x", "--raw=/%zz", "--raw=\udcff", "--raw=", "--raw=/api/v1/namespaces/x/pods/y/exec"),
    *("--replicas=0x0", "--replicas=0o", "--replicas=\u0660", "--replicas=" + "9" * 5000, "--dry-run=\u00a0client"),
    *(
        "-p",
        '{"spec":{"replicas":0}}',
        '[{"op":"copy","path":"/a"}]',
        "[" * 3000,
        '{"a":' * 500,
        "!!binary x",
        '"\\ud800"',
    ),
    *(
        "__complete",
        "__completeNoDesc",
        "help",
        "kubectl",
        "stern",
        "foo",
        "bar",
        "plugin",
        "all",
        "secrets",
        "widgets.x",
    ),
    *(
        "-" + "i" * 300,
        "-Aitwn",
        "-it=false",
        "-A=0",
        "--all=maybe",
        "--wait=F",
        "--as",
        "--as-group=x,y",
        "-v9",
        "x" * 5000,
    ),
)
WORDS = tuple(dict.fromkeys(word for path in (*COMMANDS, *ALIASES) for word in path.split()))


def one(choices: Bytes, watch: Watch) -> str:
    """Read one command line."""
    argv = _argv(choices)
    long = len(argv) > LONG
    command = watch.decision(partial(read, argv), long=long)
    assert long or read(argv) == command, "read twice, it is two commands"
    target = pick(choices, TARGETS)
    effects = []
    for policy in POLICIES:
        decision = watch.decision(partial(decide, policy, command, target), long=long)
        _check(policy, command, decision, target)
        if not long:
            _check_again(policy, command, decision, target)
        effects.append(decision.effect)
    return f"{command.known} {command.name if command.known else ''} {' '.join(effects)}"


def _check(policy: Policy, command: KubectlCommand, decision: Decision, target: Target) -> None:
    assert (decision.effect == "stepup") <= (decision.level is not None)
    assert (decision.effect == "refuse") == (decision.code is not None)
    assert decision.why
    json.dumps(decision.to_json()).encode()
    assert explain(policy, command, decision, target)
    assert all(entry.verb for entry in decision.requests)


def _check_again(policy: Policy, command: KubectlCommand, decision: Decision, target: Target) -> None:
    assert decide(policy, command, target) == decision, "asked twice, two decisions"
    if is_allowed_everywhere(command.argv, policy):
        assert decision.effect == "allow", "allowed wherever it goes, but not here"


def _argv(choices: Bytes) -> list[str]:
    kind = choices.below(16)
    if kind < 6:
        argv = spelling(choices, line_from(choices, pick(choices, PATHS)))
        return _damaged(choices, argv) if kind else argv
    if kind < 11:
        path = pick(choices, PATHS)
        words = [_word(choices, path) for _ in range(choices.below(12))]
        return [*path.split(), *words] if kind < 9 else words
    if kind < 13:
        return _text(choices).split("\x1f")
    argv = spelling(choices, line_from(choices, pick(choices, PATHS)))
    return _long(choices, argv, (20, 100, pick(choices, (400, 400, 400, 5000)))[kind - 13])


def _word(choices: Bytes, path: str) -> str:
    kind = choices.below(8)
    if kind == 0:
        return pick(choices, WORDS)
    if kind == 1:
        return pick(choices, ("pods", "pod/x", "x", "secrets", "all", "a=b", "node/n", "deploy/x"))
    if kind == 2:
        return _text(choices)
    if kind < 5:
        return pick(choices, UNUSUAL)
    name = pick(choices, flag_names(path))
    flag = flags_of(path).named(name)
    short = flag.short if flag is not None else ""
    start = f"-{short}" if short and chance(choices, 2) else f"--{name}"
    return start + pick(choices, ("", "=x", "=", "=true", "=0", "=client", f"={pick(choices, UNUSUAL)}"))


def _text(choices: Bytes) -> str:
    """Return any text as the system would hand it on: bytes that are no UTF-8 become lone surrogates."""
    return bytes(choices.below(256) for _ in range(choices.below(40))).decode("utf-8", "surrogateescape")


def _damaged(choices: Bytes, argv: Sequence[str]) -> list[str]:
    words = list(argv)
    for _ in range(choices.below(4)):
        at = choices.below(len(words) + 1)
        kind = choices.below(6)
        if kind == 0:
            words.insert(at, pick(choices, UNUSUAL))
        elif kind == 1:
            words.insert(at, pick(choices, WORDS))
        elif at == len(words):
            words += words[-1:]
        elif kind == 2:
            del words[at]
        elif kind == 3:
            other = choices.below(len(words))
            words[at], words[other] = words[other], words[at]
        elif kind == 4:
            cut = choices.below(len(words[at]) + 1)
            words[at : at + 1] = [words[at][:cut], words[at][cut:]]
        else:
            cut = choices.below(len(words[at]) + 1)
            words[at] = words[at][:cut] + pick(choices, UNUSUAL)[:200] + words[at][cut:]
    return words


def _long(choices: Bytes, argv: list[str], count: int) -> list[str]:
    """Make it long in one of the ways in which it can be: many words, or one word of many letters."""
    word = pick(choices, (*argv, *UNUSUAL)) if argv else pick(choices, UNUSUAL)
    kind = choices.below(5)
    if kind == 0:
        return [*argv, *(f"{word[:200]}{number}" for number in range(count))]
    if kind == 1:
        return [*argv, *[word[:200]] * count]
    if kind == 2:
        return [*argv, (word or "x")[:50] * count]
    if kind == 3:
        return [*argv, ",".join([word[:50]] * count)]
    return [*[word[:200]] * count, *argv]
