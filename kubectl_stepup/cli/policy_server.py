"""`policy compile` and `policy verify`: what makes the API server enforce the policy, and whether it does."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click

from kubectl_stepup.cli.app import app_for
from kubectl_stepup.cli.options import common, output_format
from kubectl_stepup.cli.output import data
from kubectl_stepup.errors import UsageError
from kubectl_stepup.names import API_VERSION
from kubectl_stepup.stepup.options import Settings

if TYPE_CHECKING:
    from kubectl_stepup.config.model import Cluster
    from kubectl_stepup.stepup.compile import CompileOptions
    from kubectl_stepup.stepup.verify import VerifyOptions

TARGETS = ("all", "authentication", "admission", "rbac", "audit")
_SINCE_V1 = 34


@click.command(name="compile", short_help="Make the server's objects of the policy")
@click.option("--cluster", metavar="NAME", required=True, help="The enrolled cluster, or its context.")
@click.option("--target", "targets", type=click.Choice(TARGETS), multiple=True, help="What to make, repeatable [all].")
@click.option("--output-dir", metavar="DIR", help="Write files there, with a kustomization.")
@click.option(
    "--authentication-config", metavar="FILE", help="The AuthenticationConfiguration in force, to merge into."
)
@click.option("--from-bindings", metavar="FILE", help="The RBAC in force, to replace what gives sensitive rights.")
@click.option(
    "--break-glass-group",
    metavar="GROUP",
    help="A group of certificates that passes the admission policies, recorded.",
)
@click.option("--no-break-glass", is_flag=True, help="Nobody passes the admission policies.")
@click.option(
    "--no-elevated-proxy", is_flag=True, help="Refuse pods/, services/ and nodes/proxy to every elevated login."
)
@click.option("--token-lifetime", metavar="DURATION", help="How long the elevated client's ID tokens live [15m].")
@click.option("--kubernetes", metavar="VERSION", default="1.34", help="The server's minor version [1.34].")
@click.option("--username-claim", metavar="CLAIM", help="The claim of the user's name [the provider's accountClaim].")
@click.option("--username-prefix", metavar="TEXT", default="", help="What is put in front of it.")
@click.option("--groups-claim", metavar="CLAIM", default="groups", help="The claim of the groups [groups].")
@click.option("--groups-prefix", metavar="TEXT", default="", help="What is put in front of each.")
@click.option("-o", "--output", type=click.Choice(["yaml"]), default="yaml", help="Print all files as YAML [yaml].")
@common
def compile_(common: Settings, output_dir: str | None, output: str, **options: Any) -> None:
    """Turn the policy into native Kubernetes objects that enforce it: elevation gates, it grants nothing.

    Prints YAML, or writes files with --output-dir; then, to standard error, what the server cannot enforce and the
    order in which to put things in force and to take them back. Nothing is applied.

    \b
    Examples:
      # Files to review, commit and apply
      kubectl stepup policy compile --cluster prod-eu --break-glass-group sre-break-glass --output-dir server
      # Merge into the AuthenticationConfiguration that is in force
      kubectl stepup policy compile --cluster prod-eu --target authentication --authentication-config auth.yaml
      # Take sensitive reads out of everyday roles, and bind them to those who stepped up
      kubectl get clusterroles,clusterrolebindings,roles,rolebindings,serviceaccounts -A -o json > bindings.json
      kubectl stepup policy compile --cluster prod-eu --target rbac --from-bindings bindings.json
    """
    from kubectl_stepup.stepup.compile import compile_policy
    from kubectl_stepup.ui.server_screens import order_lines, warning_lines

    if output_dir is not None and os.path.exists(output_dir) and not os.path.isdir(output_dir):
        raise UsageError(f"--output-dir {output_dir!r} is no directory")
    app = app_for(common)
    made = compile_policy(_compile_options(options), app)
    for line in warning_lines(made.warnings):
        app.terminal.line(line)
    if output_dir is None:
        data("---\n".join(made.texts().values()))
    else:
        data("\n".join(made.write(output_dir, app)))
    for line in order_lines(made.order(output_dir or ".")):
        app.terminal.line(line)


@click.command(name="verify", short_help="Prove that the server enforces the policy")
@click.option("--cluster", metavar="NAME", required=True, help="The enrolled cluster, or its context.")
@click.option("--kubeconfig", metavar="FILE", help="The kubeconfig file.")
@click.option(
    "--level", "levels", metavar="NAME", multiple=True, help="Step up to this level as well [those with a session]."
)
@click.option("--everyday-only", is_flag=True, help="Look at what can be seen without stepping up.")
@click.option("-r", "--reason", metavar="TEXT", help="Why, for the audit log.")
@click.option("--no-browser", "browser", flag_value=False, default=True, help="Do not open a browser.")
@click.option(
    "--break-glass-group",
    metavar="GROUP",
    help="The group that passes the admission policies [the one the server names].",
)
@click.option("--no-break-glass", is_flag=True, help="Nobody passes the admission policies.")
@click.option(
    "--no-elevated-proxy", is_flag=True, help="No elevated login may use a proxy subresource [what the server says]."
)
@click.option(
    "--token-lifetime", metavar="DURATION", help="How long the elevated client's ID tokens live [as compiled]."
)
@output_format("table", "json")
@common
def verify(common: Settings, output: str, **options: Any) -> int:
    """Prove on the live server, without effect, that it enforces the policy in force. Exits 1 on a gap.

    Looks as your everyday login and under every level that has a session: who the server takes you for, whether its
    objects are what the policy is compiled to, whether dry runs are refused, and what RBAC would allow.

    \b
    Examples:
      # With the sessions that are there
      kubectl stepup policy verify --cluster prod-eu
      # Step up to see what that level may not do
      kubectl stepup policy verify --cluster prod-eu --level mfa
      # For a scheduled job
      kubectl stepup policy verify --cluster prod-eu --everyday-only -o json
    """
    from kubectl_stepup.enforce.verify.results import GAP
    from kubectl_stepup.stepup.verify import verify as verify_server
    from kubectl_stepup.ui.server_screens import verified_screen

    app = app_for(common)
    (cluster,) = app.clusters(options["cluster"])
    found = verify_server(_verify_options(cluster, options), app)
    if output == "json":
        header = {"apiVersion": API_VERSION, "kind": "PolicyVerification", "cluster": cluster.name}
        data(json.dumps({**header, **found.as_dict()}))
    else:
        logins = [login.name for login in found.logins]
        data(verified_screen(found.results, cluster=cluster.name, digest=found.digest, logins=logins))
    return 1 if any(one.state == GAP for one in found.results) else 0


def _verify_options(cluster: Cluster, options: dict[str, Any]) -> VerifyOptions:
    from kubectl_stepup.stepup.options import StepUpOptions
    from kubectl_stepup.stepup.verify import VerifyOptions

    group, nobody = options["break_glass_group"], options["no_break_glass"]
    if group and nobody:
        raise UsageError("--break-glass-group and --no-break-glass exclude each other")
    if options["everyday_only"] and options["levels"]:
        raise UsageError("--everyday-only and --level exclude each other")
    levels = () if options["everyday_only"] else options["levels"] or None
    return VerifyOptions(
        cluster=cluster,
        levels=levels,
        kubeconfig=options["kubeconfig"],
        step_up=StepUpOptions(reason=options["reason"], browser=options["browser"]),
        break_glass="" if nobody else group,
        token_life_s=_duration(options["token_lifetime"]),
        elevated_proxy=False if options["no_elevated_proxy"] else None,
    )


def _compile_options(options: dict[str, Any]) -> CompileOptions:
    from kubectl_stepup.enforce.issuer_trust import ClaimNames
    from kubectl_stepup.stepup.compile import CompileOptions

    targets = _targets(options["targets"])
    group, nobody = options["break_glass_group"], options["no_break_glass"]
    if group and nobody:
        raise UsageError("--break-glass-group and --no-break-glass exclude each other")
    if "admission" in targets and not group and not nobody:
        raise UsageError(
            "who may pass the admission policies when the identity provider is down? Name a group of certificates, "
            "or say nobody",
            hint="--break-glass-group GROUP, or --no-break-glass",
        )
    if group and group.startswith(("system:", "stepup:")):
        raise UsageError(
            f"--break-glass-group {group!r}: groups of Kubernetes and of levels have meanings of their own"
        )
    return CompileOptions(
        cluster=options["cluster"],
        targets=targets,
        break_glass=group,
        elevated_proxy=not options["no_elevated_proxy"],
        token_life_s=_duration(options["token_lifetime"]),
        existing=options["authentication_config"],
        bindings=options["from_bindings"],
        version="v1" if _minor(options["kubernetes"]) >= _SINCE_V1 else "v1beta1",
        claims=ClaimNames(
            username=options["username_claim"] or "",
            username_prefix=options["username_prefix"],
            groups=options["groups_claim"],
            groups_prefix=options["groups_prefix"],
        ),
    )


def _targets(named: tuple[str, ...]) -> tuple[str, ...]:
    every = TARGETS[1:]
    return every if not named or "all" in named else tuple(target for target in every if target in named)


def _minor(version: str) -> int:
    major, _, minor = version.removeprefix("v").partition(".")
    minor = minor.partition(".")[0]
    if major != "1" or not (minor.isascii() and minor.isdigit() and len(minor) < 6) or int(minor) < 30:
        raise UsageError(f"--kubernetes {version!r} is no version of 1.30 or later, such as 1.34")
    return int(minor)


def _duration(text: str | None) -> int | None:
    from kubectl_stepup.errors import ConfigError
    from kubectl_stepup.yaml_edit.node import Node

    if text is None:
        return None
    try:
        return Node(text, file="--token-lifetime", line=1).duration()
    except ConfigError as exc:
        raise UsageError(f"--token-lifetime {text!r} is no duration such as 5m") from exc
