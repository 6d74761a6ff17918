"""After a step-up: see what policy the cluster publishes, and keep it for the decisions to come."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubectl_stepup.enforce import names
from kubectl_stepup.errors import ConfigError, KubectlFailed, PolicyTooNew, StepUpError
from kubectl_stepup.policy import published_file
from kubectl_stepup.stepup.prepared_run import elevated_child
from kubectl_stepup.strict_json import json_object
from kubectl_stepup.ui.notices import policy_ignored_line

if TYPE_CHECKING:
    from kubectl_stepup.stepup.app import App
    from kubectl_stepup.stepup.elevate import Elevation
    from kubectl_stepup.stepup.request import StepUpRequest

WITHIN_S = 10
WORDS = (
    *("get", "configmap", names.PUBLISHED_NAME, f"--namespace={names.PUBLISHED_NAMESPACE}"),
    *("--output=json", f"--request-timeout={WITHIN_S}s"),
)
_LARGEST = 1 << 20
# What kubectl writes of an API server's `Status` about this very object; a proxy on the way knows no such words.
_TAKEN_BACK = re.compile(
    rb'^Error from server \((?:NotFound\): configmaps "%(name)s" not found|'
    rb'Forbidden\): configmaps "%(name)s" is forbidden: )' % {b"name": re.escape(names.PUBLISHED_NAME).encode()},
    re.MULTILINE,
)


def refresh(request: StepUpRequest, elevation: Elevation, kubeconfig: str | None, app: App) -> None:
    """Fetch and keep what the cluster publishes, with the elevated login: the everyday one might have to ask.

    `kubeconfig` is what the command line's flag names. Where it cannot be read, what was kept before goes on counting;
    the command is none the worse for it.

    Raises:
        PolicyTooNew: the cluster wants a later version of this program.
    """
    if request.resolved is None:
        return
    cluster = request.cluster.name
    try:
        with elevated_child(request, elevation, kubeconfig, app) as environ:
            text = text_of(*app.kubectl.answer(WORDS, environ, within_s=WITHIN_S))
    except StepUpError as exc:
        app.terminal.detail(f"no published policy: {exc.message}")
        return
    try:
        if text is not None:
            published_file.parsed(text, cluster)
        path = app.published_policies
        if path is not None and published_file.keep(path, cluster, text, clock=app.clock):
            app.terminal.detail(f"the policy that {cluster} publishes has changed")
    except PolicyTooNew:
        raise
    except ConfigError as exc:
        app.terminal.line(policy_ignored_line(exc.message))


def text_of(code: int, out: bytes, err: bytes) -> str | None:
    """Return the policy in kubectl's answer; None where the API server says that there is none for us.

    That is so where the object is gone, and where nobody may read it any more. Both can be forgotten: what a cluster
    publishes only ever adds to what is asked, and only there. Everything else is trouble on the way.

    Raises:
        KubectlFailed: there was no such answer, or it has no policy in it.
    """
    if code != 0:
        if _TAKEN_BACK.search(err):
            return None
        raise KubectlFailed(f"kubectl get configmap {names.PUBLISHED_NAME} failed with exit code {code}")
    try:
        text = json_object(out)["data"][names.PUBLISHED_KEY]
    except (ValueError, KeyError, TypeError) as exc:
        raise KubectlFailed(f"configmap {names.PUBLISHED_NAME} has no {names.PUBLISHED_KEY}") from exc
    if not isinstance(text, str) or len(text) > _LARGEST:
        raise KubectlFailed(f"{names.PUBLISHED_KEY} of configmap {names.PUBLISHED_NAME} is no policy")
    return text
