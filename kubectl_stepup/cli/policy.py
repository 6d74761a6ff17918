"""`policy`: ask the policy without running anything, and start one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from kubectl_stepup.cli.app import app_for
from kubectl_stepup.cli.exec import USAGE, AfterDashes
from kubectl_stepup.cli.options import common, output_format, target
from kubectl_stepup.cli.output import data
from kubectl_stepup.cli.policy_server import compile_, verify
from kubectl_stepup.errors import UsageError
from kubectl_stepup.stepup.options import Settings, TargetOptions

if TYPE_CHECKING:
    from kubectl_stepup.stepup.app import App

EXIT_CODES = {"allow": 0, "stepup": 4, "refuse": 5}


@click.group(name="policy")
def command() -> None:
    """Ask the policy without running anything, write one, and have the server enforce it."""


@command.command(cls=AfterDashes, name="check", short_help="Decide about a command", options_metavar=USAGE)
@target
@output_format("table", "json", "name")
@common
def check(words: tuple[str, ...], output: str, target: TargetOptions, common: Settings) -> int:
    """Decide about a command; exit with 0 (allow), 4 (step up) or 5 (refuse).

    Needs no network and no kubeconfig: what is not known matches every rule.

    \b
    Examples:
      # For a program
      kubectl stepup policy check -o json -- delete pod web-0 -n prod
    """
    from kubectl_stepup.stepup.policy_decisions import check_command

    decision = check_command(_given(words), target, app_for(common)).decision
    if output == "json":
        data(json.dumps(decision.to_json()))
    elif output == "name":
        data(decision.effect)
    else:
        from kubectl_stepup.sanitise import safe

        level = f" {decision.level}" if decision.level else ""
        data(f"{decision.effect}{level}: {safe(decision.why, 2000)}")
    return EXIT_CODES[decision.effect]


@command.command(cls=AfterDashes, name="explain", short_help="Show why, by which rules", options_metavar=USAGE)
@target
@common
def explain(words: tuple[str, ...], target: TargetOptions, common: Settings) -> None:
    """Show which rules a command meets, where they stand, and what the session lacks.

    \b
    Examples:
      # Why was I asked?
      kubectl stepup policy explain -- delete pod web-0 -n prod
    """
    from kubectl_stepup.stepup.policy_decisions import explain_command

    data(explain_command(_given(words), target, app_for(common)))


@command.command(name="show", short_help="Show the policy in force")
@click.option("--expand", is_flag=True, help="Show what the actions are on the wire, and who can enforce them.")
@output_format("table", "yaml", "json")
@common
def show(expand: bool, output: str, common: Settings) -> None:
    """Show the policy in force: the machine's file, yours or the built-in one, and what clusters publish.

    \b
    Examples:
      # Which rules hold, and where they stand
      kubectl stepup policy show
      # What is `delete`? Who can enforce it?
      kubectl stepup policy show --expand
    """
    data(_expansion(output) if expand else _in_force(app_for(common), output))


@command.command(name="lint", short_help="Find what is wrong with the policy")
@output_format("table", "json")
@common
def lint(output: str, common: Settings) -> int:
    """Find rules that decide nothing, globs that select nothing, levels that nobody proves. Exits 1 on a warning.

    A policy that does not load is an error with its file and line, here as everywhere.

    \b
    Examples:
      # Your policy and your enrolled clusters
      kubectl stepup policy lint
    """
    from kubectl_stepup.stepup.policy_files import lint_policy

    findings = lint_policy(app_for(common))
    if output == "json":
        data(json.dumps([one.as_dict() for one in findings]))
    else:
        from kubectl_stepup.ui.policy_screens import lint_lines

        data("\n".join(lint_lines(findings)))
    return 1 if any(one.severity == "warning" for one in findings) else 0


@command.command(name="test", short_help="Test the policy with a file of cases")
@click.argument("file", metavar="FILE", type=click.Path())
@output_format("table", "json", "junit")
@common
def test(file: str, output: str, common: Settings) -> int:
    """Test the policy: FILE has commands, where they go, and the decision that each must get. Exits 1 on a failure.

    \b
    Examples:
      # In a repository with the team's policy
      kubectl stepup policy test --policy policy.yaml policy-test.yaml
      # For a build server
      kubectl stepup policy test -o junit --policy policy.yaml policy-test.yaml
    """
    from kubectl_stepup.stepup.policy_decisions import run_policy_tests
    from kubectl_stepup.ui import case_reports

    verdicts = run_policy_tests(file, app_for(common))
    if output == "json":
        data(json.dumps(case_reports.objects(verdicts)))
    elif output == "junit":
        data(case_reports.junit(verdicts, name=file))
    else:
        data("\n".join(case_reports.lines(verdicts)))
    return 1 if any(one.problems for one in verdicts) else 0


@command.command(name="init", short_help="Write a policy file to start from")
@click.option(
    "--profile",
    type=click.Choice(["guarded", "read-only"]),
    default="guarded",
    help="guarded: ask for what is dangerous; read-only: for every write [guarded].",
)
@click.option("--dry-run", is_flag=True, help="Print it and write nothing.")
@common
def init(profile: str, dry_run: bool, common: Settings) -> None:
    """Write a commented policy file to start from; one that is there stays as it is.

    \b
    Examples:
      # The policy that also holds without a file, to be narrowed
      kubectl stepup policy init
      # Ask for every write
      kubectl stepup policy init --profile read-only
    """
    from kubectl_stepup.policy.load import starting_policy
    from kubectl_stepup.stepup.policy_files import write_policy

    text = starting_policy(profile)
    if dry_run:
        data(text)
        return
    data(f"Wrote {write_policy(app_for(common), text)}")


@command.command(name="schema", short_help="Print a JSON Schema for editors")
@click.option(
    "--kind", type=click.Choice(["Policy", "PolicyTest", "Config"]), default="Policy", help="Of what [Policy]."
)
@common
def schema(kind: str, common: Settings) -> None:
    """Print the JSON Schema of a file, for an editor that cannot fetch it.

    
    Examples:
      # For the first line of a policy: # yaml-language-server: $schema=policy.schema.json
      kubectl stepup policy schema > policy.schema.json
    """
    data(schema_of(kind))


@command.command(name="forget", short_help="Forget what a cluster published")
@click.option("--cluster", metavar="NAME", help="The enrolled name of the cluster.")
@click.option("--all", "everything", is_flag=True, help="What all clusters published.")
@output_format("table", "json")
@common
def forget(cluster: str | None, everything: bool, output: str, common: Settings) -> None:
    """Forget the policy that a cluster published and this machine keeps; the next step-up there fetches it again.

    Clusters that are not enrolled any more can be named too. Your own policy stays as it is.

    \b
    Examples:
      # A cluster that is gone, or published something that cannot be used
      kubectl stepup policy forget --cluster dev
      # Begin anew
      kubectl stepup policy forget --all
    """
    if everything == (cluster is not None):
        raise UsageError("one of --cluster NAME and --all is needed", hint="kubectl stepup policy forget --all")
    from kubectl_stepup.stepup.policy_files import forget_published

    forgotten = forget_published(app_for(common), cluster)
    if output == "json":
        data(json.dumps({"forgotten": list(forgotten)}))
        return
    from kubectl_stepup.ui.notices import forgotten_lines

    data("\n".join(forgotten_lines(forgotten, cluster)))


command.add_command(compile_)
command.add_command(verify)


def _in_force(app: App, output: str) -> str:
    from kubectl_stepup.policy.document_of import document_of
    from kubectl_stepup.ui.policy_screens import policy_screen
    from kubectl_stepup.yaml_edit import yaml_file

    policy = app.policy
    if output == "table":
        return policy_screen(policy)
    if output == "json":
        return json.dumps(document_of(policy))
    return "".join(f"# {file}\n" for file in policy.files) + yaml_file.text_of(document_of(policy))


def _expansion(output: str) -> str:
    from kubectl_stepup.policy.expansion import EXPANSIONS
    from kubectl_stepup.ui.policy_screens import expansion_screen
    from kubectl_stepup.yaml_edit import yaml_file

    if output == "table":
        return expansion_screen(EXPANSIONS)
    objects = [
        {
            "action": action,
            "verbs": list(one.verbs),
            "resources": list(one.resources),
            "enforcedBy": one.enforced_by,
            **({"only": one.only} if one.only else {}),
        }
        for action, rows in EXPANSIONS.items()
        for one in rows
    ]
    return json.dumps(objects) if output == "json" else yaml_file.text_of(objects)


def schema_of(kind: str) -> str:
    """Return the JSON Schema of a kind of file: `Policy`, `PolicyTest` or `Config`."""
    from importlib import resources

    name = {"Policy": "policy", "PolicyTest": "policy-test", "Config": "config"}[kind]
    return resources.files("kubectl_stepup").joinpath("schemas", f"{name}.schema.json").read_text("utf-8").rstrip("\n")


def _given(words: tuple[str, ...]) -> tuple[str, ...]:
    if not words:
        raise UsageError("no kubectl command after --", hint="kubectl stepup policy check -- delete pod web-0")
    return words
