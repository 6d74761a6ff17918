"""The policy loader: any bytes are a policy, or an error that names file and line; a policy decides in time.

Whatever a cluster publishes beside it weakens no decision there, and changes none elsewhere.
"""

from __future__ import annotations

import marshal
import re
from functools import cache, partial
from typing import TYPE_CHECKING

from kubectl_stepup.errors import PolicyError
from kubectl_stepup.kubectl.command import read
from kubectl_stepup.policy import document, rule_document
from kubectl_stepup.policy.actions import NAMES
from kubectl_stepup.policy.compiled import pack, unpack
from kubectl_stepup.policy.document import policy_from
from kubectl_stepup.policy.document_of import document_of
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.explain import explain
from kubectl_stepup.policy.lint import Enrolled, lint
from kubectl_stepup.policy.load import load
from kubectl_stepup.policy.model import Target
from kubectl_stepup.policy.published import Published
from kubectl_stepup.policy.published_file import parsed
from kubectl_stepup.yaml_edit import yaml_file
from tests.fuzz.merging import different, weaker
from tests.fuzz.policies import TARGETS, TEXTS
from tests.fuzz.unusual_yaml import damaged
from tests.grammar.choices import chance, pick

if TYPE_CHECKING:
    from kubectl_stepup.kubectl.command import KubectlCommand
    from kubectl_stepup.policy.load import Document
    from kubectl_stepup.policy.model import Policy
    from tests.fuzz.watch import Watch
    from tests.grammar.choices import Bytes

KEYS = (
    *document.OPTIONAL,
    *document.LEVEL_OPTIONAL,
    *rule_document.OPTIONAL,
    *("apiVersion", "kind", "name", "needs", "signedInWithin", "askAgainAfter", "level", "group", "role", "<<", "all"),
)
GLOBS = (
    *("*", "?", "**", "*?*", "prod-*", "*-eu", "[a-z]*", "[!a]*", "[", "[]", "[]a", "[z-a]", "(a+)+$", "*a" * 40 + "b"),
    *("", " ", "\u00e9*", "a" * 300, "?" * 300, "*" * 300, "\x1b*", "{a,b}", "\\*"),
)
LEVELS = (
    (
        "  - {name: mfa, signedInWithin: 15m, askAgainAfter: 10m}",
        "  - {name: critical, signedInWithin: 5m, askAgainAfter: 0s, reason: required}",
    ),
    (
        "  - {name: critical, signedInWithin: 24h, askAgainAfter: 12h, maxDuration: 1h}",
        "  - {name: mfa, signedInWithin: 1m, askAgainAfter: 1m, serverWindow: 1s, help: call}",
    ),
    (
        "  - {name: gold, signedInWithin: 24h, askAgainAfter: 12h}",
        "  - {name: mfa, signedInWithin: 24h, askAgainAfter: 12h, reason: required}",
        "  - {name: critical, signedInWithin: 24h, askAgainAfter: 12h, serverWindow: 20m}",
        "  - {name: diamond, signedInWithin: 1m, askAgainAfter: 0s}",
    ),
)
LINES = (
    "get pods",
    "delete pod x -n prod",
    "delete ns prod",
    "delete pods -A --all --force",
    "get secrets -A",
    "exec web-0 -- sh",
    "apply -f x.yaml",
    "scale deploy/x --replicas=0",
    "create clusterrolebinding x --clusterrole=admin",
    "drain node-1",
    "edit widgets.example.com/x",
    "replace --raw /api/v1/namespaces/x/pods/y -f x.json",
    "stern x",
    "config view --raw",
    "delete pod " + "a" * 250,
    "label pod x a=b --dry-run=server",
)
ENROLLED = Enrolled(clusters={"prod-eu": {"env": "prod"}, "lab": {}}, proven={"corp": frozenset({"mfa"})})


def one(choices: Bytes, watch: Watch) -> str:
    """Load one policy, or two of them over each other, and what a cluster publishes beside them."""
    user = ("policy.yaml", _content(choices))
    system = ("system.yaml", _content(choices)) if chance(choices, 4) else None
    try:
        policy = load(system, user)
    except PolicyError as exc:
        return shape(str(exc), "system.yaml", "policy.yaml")
    _compiled(policy)
    if len(policy.rules) < 100:
        lint(policy, ENROLLED)
        if system is None:  # two files may use a name each, and one file may not use it twice
            _shown(policy)
    target = pick(choices, TARGETS)
    effects = set()
    for command in _commands():
        decision = watch.decision(partial(decide, policy, command, target))
        assert explain(policy, command, decision, target)
        effects.add(decision.effect)
    beside = _published(choices, policy, system, user) if chance(choices, 3) else ""
    return f"{min(len(policy.rules), 20)} rules, {' '.join(sorted(effects))}{beside}"


def _published(choices: Bytes, policy: Policy, system: Document | None, user: Document) -> str:
    """Lay what a cluster publishes beside a policy, and hold that nobody's file lowers anybody else's."""
    try:
        theirs = parsed(_content(choices).decode("utf-8", "replace"), "prod-eu")
    except PolicyError as exc:
        return f", {shape(str(exc), 'prod-eu (published)')}"
    both = load(system, user, published=[Published(cluster="prod-eu", policy=theirs)])
    _compiled(both)
    if len(both.rules) > 100:  # each is gone through for each command
        return ", many published"
    lint(both, ENROLLED)
    for command in _commands():
        for target in (*TARGETS, Target(cluster="prod-eu")):
            assert weaker(policy, both, command, target) is None
        for target in (Target(cluster="lab", labels={}), Target(unenrolled=True)):
            assert different(policy, both, command, target) is None
        there = Target(cluster="prod-eu")
        assert explain(both, command, decide(both, command, there), there)
    return f", {len(theirs.rules)} published"


def _compiled(policy: Policy) -> None:
    unpacked = unpack(marshal.loads(marshal.dumps(pack(policy))))
    assert unpacked.replace(rules=tuple(unpacked.rules)) == policy, "it is compiled to another policy"


def _shown(policy: Policy) -> None:
    shown = yaml_file.text_of(document_of(policy)).encode("utf-8", "surrogatepass")
    again = policy_from(yaml_file.parse(shown, "shown.yaml", error=PolicyError))
    assert document_of(again) == document_of(policy), "it is shown as another policy"


@cache
def _commands() -> tuple[KubectlCommand, ...]:
    return tuple(read(line.split()) for line in LINES)


def _content(choices: Bytes) -> bytes:
    kind = choices.below(8)
    if kind == 0:
        return bytes(choices.below(256) for _ in range(choices.below(200)))
    if kind < 4:
        return damaged(choices, pick(choices, TEXTS).decode(), KEYS)
    return damaged(choices, _made(choices), KEYS) if kind < 6 else _made(choices).encode("utf-8", "surrogatepass")


def _made(choices: Bytes) -> str:
    """Make a policy by the schema."""
    count = choices.below(8)
    if chance(choices, 250):
        count = 10_000
    rules = [_rule(choices) for _ in range(count)] if count < 10 else [_rule(choices)] * count
    lines = [
        "apiVersion: kubectl-stepup.github.io/v1alpha1",
        "kind: Policy",
        "levels:",
        *pick(choices, LEVELS),
        "rules:" if rules else "rules: []",
        *(f"  - {{name: r{number}, {rule}}}" for number, rule in enumerate(rules)),
    ]
    if chance(choices, 3):
        lines.append(f"commands: {{stern: {pick(choices, ('allow', 'mfa', 'refuse'))}}}")
    return "\n".join(lines) + "\n"


def _rule(choices: Bytes) -> str:
    if chance(choices, 3):
        verb = pick(choices, rule_document.VERBS)
        what = f"verbs: [{verb!r}], resources: [{_glob(choices)}], apiGroups: [{_glob(choices)}]"
    else:
        what = f"do: [{pick(choices, NAMES)}]"
    parts = [what, f"needs: {pick(choices, ('mfa', 'critical'))}"]
    selectors = [name for name in ("clusters", "namespaces", "names") if chance(choices, 3)]
    parts += [f"{name}: [{_glob(choices)}]" for name in selectors]
    if chance(choices, 4):
        parts.append(f"labels: {{env: {_glob(choices)}}}")
    if chance(choices, 4):
        parts.append(f"except: {{{pick(choices, rule_document.SELECTORS[2:])}: [{_glob(choices)}]}}")
    if chance(choices, 4):
        parts.append(f"where: {pick(choices, ('{all: true}', '{objects: 2}', '{force: false}', '{dryRun: none}'))}")
    if chance(choices, 4):
        parts.append(f"mode: {pick(choices, rule_document.MODES)}")
    if chance(choices, 5):
        parts.append(f"{pick(choices, ('ticket', 'message'))}: {_glob(choices)}")
    return ", ".join(parts)


def _glob(choices: Bytes) -> str:
    text = pick(choices, GLOBS)
    return '"' + text.replace("\\", "\\\\").replace("\x1b", "\\x1b") + '"'


def shape(message: str, *files: str) -> str:
    """Return an error without its place and what it quotes; it must be one line that begins with file and line."""
    file, line, text = message.split(":", 2)
    assert file in files, f"an error that does not say where: {message[:200]}"
    assert int(line) > 0, f"an error that does not say where: {message[:200]}"
    assert len(text) > 1, f"an error that does not say what: {message[:200]}"
    assert "\n" not in text, f"an error of several lines: {message[:200]}"
    return re.sub(r"\d+|'[^']*'|\"[^\"]*\"", "", text)[:80]
