"""Ports for `policy verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_stepup.enforce.verify.answers import Answer
from kubectl_stepup.errors import ConfigError
from kubectl_stepup.kubectl import process
from kubectl_stepup.sessions import scope
from kubectl_stepup.stepup.compile import CompileOptions, compile_policy
from kubectl_stepup.stepup.verify import MadeWith, VerifyPorts
from kubectl_stepup.wiring.running import execute_ports
from kubectl_stepup.yaml_edit import yaml_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kubectl_stepup.config.model import Cluster
    from kubectl_stepup.enforce.bundle import Bundle, Request
    from kubectl_stepup.stepup.app import App

ANSWER_WITHIN_S = 60.0
"""How long one kubectl may take, its credential plugin included."""


def verify_ports(app: App) -> VerifyPorts:
    """Return what verifying needs."""
    running = execute_ports(app)
    return VerifyPorts(
        config=running.config,
        policy=running.policy,
        kubeconfig=running.kubeconfig,
        scope=running.scope,
        moment=scope.moment,
        run_ports=running.run_ports,
        answer=lambda words, environ, stdin: answered(app, words, environ, stdin),
        compiled=lambda cluster, made_with: _compiled(cluster, made_with, app),
        parse=_parsed,
    )


def answered(
    app: App,
    words: Sequence[str],
    environ: Mapping[str, str],
    stdin: str = "",
) -> Answer:
    """Run kubectl and give how it ended."""
    app.terminal.detail(f"kubectl {' '.join(words)}")
    path = app.kubectl.path()
    code, out, err = process.answer(path, words, environ, stdin=stdin.encode(), within_s=ANSWER_WITHIN_S)
    return Answer(code=code, out=out.decode("utf-8", "replace"), err=err.decode("utf-8", "replace"))


def _compiled(cluster: Cluster, made_with: MadeWith, app: App) -> tuple[Request, Bundle]:
    options = CompileOptions(
        cluster=cluster.context,
        break_glass=made_with.break_glass or None,
        elevated_proxy=made_with.elevated_proxy is not False,
        token_life_s=made_with.token_life_s,
    )
    made = compile_policy(options, app)
    return made.request, made.bundle


def _parsed(text: str) -> object:
    try:
        return yaml_file.plain(text.encode(), "the published policy")
    except ConfigError:
        return None
