"""The pages: links resolve, commands and flags exist, examples load, tables are complete."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import click
import pytest
import yaml

from kubectl_stepup import environment
from kubectl_stepup.audit import event
from kubectl_stepup.cli import root as cli
from kubectl_stepup.config.document import config_from
from kubectl_stepup.kubectl import variables
from kubectl_stepup.kubectl.command import read as read_command
from kubectl_stepup.oidc.presets import PRESETS
from kubectl_stepup.policy.document import policy_from
from kubectl_stepup.policy.evaluate import decide
from kubectl_stepup.policy.load import load as load_policy
from kubectl_stepup.policy.model import Target
from kubectl_stepup.policy.policy_tests import cases_from, verdict
from kubectl_stepup.rbac.catalogue import CATALOGUE
from kubectl_stepup.rbac.findings import audit
from kubectl_stepup.rbac.load import NO_ACCOUNTS, manifests
from kubectl_stepup.rbac.powers import NAMED, POWERS, URLS
from kubectl_stepup.rbac.reading import objects_of
from kubectl_stepup.ui.prompt import Approval, DevicePrompt, approved_text, device_prompt, waiting_line
from kubectl_stepup.ui.rbac_screens import findings_screen
from kubectl_stepup.yaml_edit import yaml_file
from scripts import make_command_reference

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *sorted(DOCS.rglob("*.md")),
]
GLOSSARY = DOCS / "reference" / "glossary.md"
BASES = (ROOT, ROOT / "kubectl_stepup")
MADE = {"dist/"}
"""Paths that the targets of the Makefile make."""
MISSING_COMMANDS = [name for name, (module, _) in cli.COMMANDS.items() if find_spec(module) is None]

FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")


def read(page: Path) -> str:
    """Read a page."""
    return page.read_text(encoding="utf-8")


def blocks(page: Path, language: str) -> list[str]:
    """Return a page's fenced blocks of one language."""
    return [match["text"] for match in FENCE.finditer(read(page)) if match["language"] == language]


def name_of(page: Path) -> str:
    """Name a page in a test's id."""
    return page.relative_to(ROOT).as_posix()


every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


# Links


def test_the_tests_that_answer_a_threat_exist() -> None:
    text = read(DOCS / "explanation" / "security.md")
    named = re.findall(r"`([\w/*]*test_[\w*]*\.py)`", text)
    assert len(named) >= 20
    directories = re.findall(r"`((?:unit|whole|attacks|system|launcher|integration)/[\w/]*)`", text)
    assert directories
    assert [name for name in [*named, *directories] if not list((ROOT / "tests").glob(name))] == []


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", read(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower().replace("`", "")).strip().replace(" ", "-") for heading in headings}


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for match in LINK.finditer(FENCE.sub("", read(page))):
        target = match["target"]
        if target.startswith(("https://", "mailto:")):
            continue
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)
    assert broken == []


def test_the_index_links_every_page() -> None:
    linked = {(DOCS / match["target"].partition("#")[0]).resolve() for match in LINK.finditer(read(DOCS / "README.md"))}
    assert [name_of(page) for page in DOCS.rglob("*.md") if page.name != "README.md" and page not in linked] == []


@every_page
def test_a_page_has_one_title_and_no_long_lines(page: Path) -> None:
    text = FENCE.sub("", read(page))
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1
    assert [line for line in text.splitlines() if len(line) > 150 and not line.startswith(("|", "["))] == []


# The glossary, and the paths in the pages for developers


def glossary() -> list[str]:
    """Return the glossary's terms in the order of the page."""
    rows = re.findall(r"^\| ([^|]+) \|.*\|$", read(GLOSSARY), re.MULTILINE)
    return [row for row in rows if row not in {"term", "---"}]


def test_the_glossary_is_in_order_and_each_term_has_a_link() -> None:
    assert len(glossary()) >= 24
    assert glossary() == sorted(set(glossary()))
    rows = [line for line in read(GLOSSARY).splitlines() if line.startswith("| ") and "---" not in line]
    assert [row for row in rows[1:] if not LINK.search(row.rpartition(" | ")[2])] == []


@pytest.mark.parametrize("term", glossary())
def test_a_term_of_the_glossary_is_used_elsewhere(term: str) -> None:
    # A page may break a line inside a term.
    elsewhere = (" ".join(read(page).lower().split()) for page in PAGES if page != GLOSSARY)
    assert any(term in text for text in elsewhere)


@pytest.mark.parametrize("page", [DOCS / "explanation" / "architecture.md", ROOT / "CONTRIBUTING.md"], ids=name_of)
def test_every_path_that_developers_are_sent_to_exists(page: Path) -> None:
    text = FENCE.sub("", read(page))
    paths = set(re.findall(r"`([\w.*-]+(?:/[\w.*-]+)*(?:/|\.(?:py|c|json|yaml)))`", text)) - MADE
    assert len(paths) >= 30
    assert sorted(path for path in paths if not any(map(list, (base.glob(path) for base in BASES)))) == []


# Commands


def command_lines(text: str) -> list[list[str]]:
    """Find every `kubectl stepup …` in code: in backticks, and as a line of a block."""
    in_text = re.findall(r"`(?:\$ )?(kubectl[ -]stepup [^`\n]+)`", FENCE.sub("", text))
    shown = "\n".join(match["text"] for match in FENCE.finditer(text))
    in_blocks = re.findall(r"(?:^|\s|: )(kubectl[ -]stepup .*)$", shown, re.MULTILINE)
    return [words(line) for line in [*in_text, *in_blocks]]


def words(line: str) -> list[str]:
    """Split a command line after the plugin's name, up to kubectl's own words; what only shows a place is dropped."""
    own = re.split(r" --(?= |$)|\s{2,}|[…#|\n]", re.sub(r"^kubectl[ -]stepup ", "", line))[0]
    return [word for word in shlex.split(own) if not word.isupper()]


@cache
def command(name: str) -> click.Command | None:
    """Return a command by its words, or None where it is not written yet."""
    first, *rest = name.split()
    if first in MISSING_COMMANDS:
        return None
    found: click.Command = import_module(cli.COMMANDS[first][0]).command
    for word in rest:
        assert isinstance(found, click.Group), f"{name} has no subcommands"
        found = found.commands[word]
    return found


def problem(line: list[str]) -> str | None:
    """Return what is wrong with a command line that a page shows."""
    name, *rest = line
    if name.startswith("-"):
        return None if name in {"--help", "-h"} else f"{name} is no flag of the program"
    if name not in cli.COMMANDS:
        return f"{name} is no command"
    found = command(name)
    while isinstance(found, click.Group) and rest and not rest[0].startswith("-"):
        if rest[0] not in found.commands:
            return f"{name} {rest[0]} is no command"
        found = found.commands[rest.pop(0)]
    if found is None:
        return None
    known = {"--help", "-h", *(flag for one in found.params for flag in [*one.opts, *one.secondary_opts])}
    unknown = [flag for word in rest if (flag := word.partition("=")[0]).startswith("-") and flag not in known]
    return f"{name} has no {', '.join(unknown)}" if unknown else None


@every_page
def test_commands_and_flags_exist(page: Path) -> None:
    wrong = [(" ".join(line), problem(line)) for line in command_lines(read(page)) if line]
    assert [one for one in wrong if one[1] is not None] == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("kubectl stepup exec -- delete pod x", None),
        ("kubectl stepup nosuch --help", "nosuch is no command"),
        ("kubectl stepup version --nosuch", "version has no --nosuch"),
        ("kubectl stepup version -o json", None),
    ],
)
def test_the_check_of_commands_finds_mistakes(line: str, found: str | None) -> None:
    assert problem(words(line)) == found


def texts(tree: ast.AST) -> list[str]:
    """Return a module's texts without its docstrings; what an f-string puts in is written as a place."""
    found: list[str] = []
    inner: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inner.update(map(id, node.values))
            found.append("".join(str(one.value) if isinstance(one, ast.Constant) else "PLACE" for one in node.values))
        elif isinstance(node, ast.Expr):
            inner.add(id(node.value))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner:
            found.append(node.value)
    return found


PROSE = ("kubectl stepup is not where", "kubectl-stepup session 2", "kubectl-stepup routine lines 1")
"""Texts of the program that only begin like a command."""


def test_commands_that_the_program_tells_people_to_type_exist() -> None:
    wrong = []
    for path in sorted((ROOT / "kubectl_stepup").rglob("*.py")):
        for text in texts(ast.parse(read(path))):
            for line in re.findall(r"kubectl[ -]stepup [a-z].*", text):
                found = problem(words(line))
                if found is not None and not line.startswith(PROSE):
                    wrong.append(f"{path.relative_to(ROOT)}: {line}: {found}")
    assert not wrong, "\n".join(wrong)


@every_page
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", read(ROOT / "Makefile"), re.MULTILINE))
    text = "\n".join([*re.findall(r"`([^`\n]+)`", FENCE.sub("", read(page))), *blocks(page, "sh")])
    assert sorted(set(re.findall(r"^make ([a-z-]+)", text, re.MULTILINE)) - targets) == []


def test_every_make_target_says_what_it_does() -> None:
    makefile = read(ROOT / "Makefile")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert sorted(phony.split()) == sorted(re.findall(r"^([a-z-]+):[^#\n]*## .", makefile, re.MULTILINE))


def test_the_command_reference_is_current() -> None:
    if MISSING_COMMANDS:
        pytest.skip(f"not written yet: {', '.join(MISSING_COMMANDS)}")
    assert read(make_command_reference.PAGE) == make_command_reference.page(), "run `make docs`"


# Examples


def examples(kind: str) -> list[object]:
    """Find every YAML example of our own kinds; a list of providers alone is completed to a config."""
    head = f"apiVersion: kubectl-stepup.github.io/v1alpha1\nkind: {kind}\n"
    found: list[object] = []
    for page in PAGES:
        for text in blocks(page, "yaml"):
            if text.startswith(head):
                found.append(pytest.param(text, id=name_of(page)))
            elif kind == "Config" and text.startswith("providers:"):
                found.append(pytest.param(head + text, id=name_of(page)))
    return found


@pytest.mark.parametrize("text", examples("Config"))
def test_configs_in_the_pages_load(text: str) -> None:
    assert config_from(yaml_file.parse(text.encode(), "config.yaml")).providers


@pytest.mark.parametrize("text", examples("Policy"))
def test_policies_in_the_pages_load(text: str) -> None:
    assert policy_from(yaml_file.parse(text.encode(), "policy.yaml")).levels


def test_the_policy_tests_in_the_pages_pass_under_the_policy_beside_them() -> None:
    texts = blocks(DOCS / "reference" / "policy.md", "yaml")
    policy = policy_from(yaml_file.parse(next(one for one in texts if "kind: Policy\n" in one).encode(), "policy.yaml"))
    node = yaml_file.parse(next(one for one in texts if "kind: PolicyTest" in one).encode(), "policy-test.yaml")
    verdicts = [
        verdict(case, decide(policy, read_command(case.words), case.target)) for case in cases_from(node, policy)
    ]
    assert [one.problems for one in verdicts if one.problems] == []
    assert len(verdicts) == 5


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_other_yaml_in_the_pages_is_yaml(page: Path) -> None:
    for text in blocks(page, "yaml"):
        assert list(yaml.safe_load_all(text))


# What a cluster gets


# Screens


def test_the_screen_in_the_readme_is_what_one_sees() -> None:
    now = datetime(2026, 11, 21, 14, 18, tzinfo=UTC).timestamp()
    prompt = device_prompt(
        DevicePrompt(
            summary="delete pods in prod", rules=("prod-deletes",), level="mfa", cluster="prod-eu",
            server="https://api.prod.example.com", user="alice@example.com",
            command=("delete", "pod", "web-0", "-n", "prod"), verification_uri="https://login.example.com/device",
            verification_uri_complete="https://login.example.com/device?user_code=WDJB-MJHT", user_code="WDJB-MJHT",
            reuse_s=600, browser_note="SSH session",
        )
    )  # fmt: skip
    approved = approved_text(
        Approval(
            user="alice@example.com", level="mfa", cluster="prod-eu", acr="mfa", amr=("pwd", "otp"),
            signed_in_at=now - 4, ends_at=now + 600, now=now,
        ),
        timezone=UTC,
    )  # fmt: skip
    assert "\n".join([prompt, waiting_line(898), approved, ""]) in read(ROOT / "README.md")


def test_the_screen_of_the_rbac_audit_is_what_one_sees() -> None:
    page = DOCS / "how-to" / "audit-rbac.md"
    (text,) = blocks(page, "yaml")
    (shown,) = blocks(page, "text")
    objects = objects_of(manifests(text.encode(), "rbac.yaml"))
    found = audit(objects, load_policy(None, None), Target())
    assert findings_screen(found, notes=(NO_ACCOUNTS,)) + "\n" == shown


# Tables


def first_column(page: Path) -> set[str]:
    """Return the words in backticks of every table row's first cell."""
    return first_cells(read(page))


def first_cells(text: str) -> set[str]:
    """Return the words in backticks of the first cell of every table row in a text."""
    rows = re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE)
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row)}


def constants(module: ModuleType) -> set[str]:
    """Return a module's string constants."""
    return {value for name, value in inspect.getmembers(module) if name.isupper() and isinstance(value, str)}


def test_every_environment_variable_is_documented() -> None:
    own, _, of_kubectl = read(DOCS / "reference" / "environment.md").partition("## What an elevated kubectl gets")
    assert first_cells(own) == constants(environment)
    assert first_cells(of_kubectl) == {*variables.SET, *variables.TAKEN_OUT, *variables.KEPT}


def test_every_preset_is_documented() -> None:
    assert sorted(set(PRESETS) - first_column(DOCS / "reference" / "config.md")) == []


def test_every_member_of_an_audit_record_is_documented() -> None:
    everything = event.AuditEvent(
        audit_id="a", stage=event.Stage.RESPONSE_COMPLETE, activity=event.Activity.RUN, time=0.0, result="approved",
        user="u", account="a", issuer="i", context="c", cluster="c", level="l", command=("get",), rules=("r",),
        reason="r", evidence=event.TokenEvidence(), exit_code=0, pid=1, terminal="t", version="v",
    )  # fmt: skip
    page = DOCS / "reference" / "audit-log.md"
    assert sorted({*everything.to_json(), "seq", "prev"} - first_column(page)) == []
    assert {activity.value for activity in event.Activity} <= set(re.findall(r"`([a-z-]+)`", read(page)))


def test_every_finding_of_the_rbac_audit_is_documented() -> None:
    page = DOCS / "reference" / "rbac-audit.md"
    rows = [line.strip("| ").split(" | ") for line in read(page).splitlines() if line.count(" | ") == 4]
    told = {row[0].strip("`"): tuple(row[2:]) for row in rows if row[0].startswith("`")}
    assert told == {code: (entry.title, entry.why, entry.fix) for code, entry in CATALOGUE.items()}
    severities = {row[0].strip("`"): row[1] for row in rows if row[0].startswith("`")}
    powers = {power.code: power.severity for power in (*POWERS, URLS, NAMED)}
    assert {code: severities[code] for code in powers} == powers


# The changelog


def test_the_changelog_keeps_its_shape() -> None:
    text = read(ROOT / "CHANGELOG.md")
    versions = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    assert [one for one in versions[1:] if not re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", one)] == []
    known = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.*)$", text, re.MULTILINE)) <= known
