"""The kubeconfig of one elevated run, laid over the person's own files, and the environment that goes with it.

The overlay redefines the one context with an elevated user whose exec entry fetches the token; it holds no secret.
client-go takes each named entry whole from the first file that has it, so an overlay that stands first wins.

Spec: kubeconfig v1 (`Context`, `ExecConfig`), https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kubectl_stepup import environment
from kubectl_stepup.errors import KubeconfigError
from kubectl_stepup.kubeconfig.context import ResolvedContext
from kubectl_stepup.kubectl.variables import DROPPED

API_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")

USER_PREFIX = "stepup:"
"""Begins the name of every elevated user in a kubeconfig: `stepup:<level>`."""

INSTALL_HINT = "kubectl stepup is not where this entry says: https://kubectl-stepup.github.io"


def exec_entry(
    *, command: str, args: Sequence[str], env: Mapping[str, str] | None = None, api_version: str = API_VERSIONS[0]
) -> dict[str, object]:
    """Build the exec entry (`ExecConfig`) of an elevated user.

    `provideClusterInfo` is what lets `credential` see, and refuse, a server that is not the enrolled one.
    """
    if api_version not in API_VERSIONS:
        raise ValueError(f"api_version must be one of {API_VERSIONS}")
    return {
        "apiVersion": api_version,
        "command": command,
        "args": list(args),
        "env": [{"name": name, "value": value} for name, value in sorted(env.items())] if env else None,
        "interactiveMode": "IfAvailable",
        "provideClusterInfo": True,
        "installHint": INSTALL_HINT,
    }


def overlay_document(
    resolved: ResolvedContext,
    *,
    user_name: str,
    exec_command: str,
    exec_args: Sequence[str],
    exec_env: Mapping[str, str] | None = None,
    api_version: str = API_VERSIONS[0],
    cluster: Mapping[str, Any] | None = None,
) -> bytes:
    """Build the overlay: the same context with `user_name` (`stepup:<level>`) in place of its everyday user.

    The context's cluster, namespace and extensions are copied, as its original entry is hidden. The cluster stays in
    its own file, against which its relative paths are read; `cluster` is for one whose file is reached by a link.

    Raises:
        KubeconfigError: a text in it is no Unicode text, so no kubectl could read it.
    """
    context: dict[str, object] = {"cluster": resolved.cluster, "user": user_name}
    if resolved.namespace:
        context["namespace"] = resolved.namespace
    if extensions := resolved.context_raw.get("extensions"):
        context["extensions"] = extensions
    entry = exec_entry(command=exec_command, args=exec_args, env=exec_env, api_version=api_version)
    document: dict[str, object] = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": resolved.context,
        "contexts": [{"name": resolved.context, "context": context}],
        "users": [{"name": user_name, "user": {"exec": entry}}],
    }
    if cluster is not None:
        document["clusters"] = [{"name": resolved.cluster, "cluster": cluster}]
    return _yaml(document, resolved)


def _yaml(document: Mapping[str, object], resolved: ResolvedContext) -> bytes:
    """Write JSON that kubectl's YAML reader reads as the same values.

    It knows no surrogate pairs, folds the line ends of YAML 1.1 inside texts, and refuses control characters.

    Spec: YAML 1.2, 5.1 (character set) and 5.7 (escaped characters).
    """
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    text = _UNREADABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as exc:
        raise KubeconfigError(
            f"context {resolved.context!r}: {exc.object[exc.start : exc.end]!a} in a name or path is no Unicode "
            "character, so kubectl cannot read the overlay",
            hint="kubectl config view --minify",
        ) from exc


_UNREADABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def elevated_environment(
    environ: Mapping[str, str],
    *,
    overlay_path: str,
    kubeconfig_files: Iterable[str],
    session_id: str,
    pathsep: str = ":",
) -> dict[str, str]:
    """Return the environment of the elevated child: the overlay before the original files, and no kuberc.

    kuberc could add a default `--token` or `--context` to the command, or make another command of it.
    `pathsep` is the platform's (`os.pathsep`).

    Raises:
        KubeconfigError: a file cannot stand in a list, as its name holds the list's separator.

    """
    files = (overlay_path, *kubeconfig_files)
    for file in files:
        if pathsep in file:
            raise KubeconfigError(
                f"{file}: a name with {pathsep!r} in it cannot stand in ${environment.KUBECONFIG}",
                hint="export XDG_RUNTIME_DIR=DIRECTORY   (mode 0700)",
            )
    elevated = {name: value for name, value in environ.items() if name not in DROPPED}
    elevated[environment.KUBECONFIG] = pathsep.join(files)
    elevated[environment.KUBERC] = "off"
    elevated[environment.KUBECTL_KUBERC] = "false"
    elevated[environment.NESTED] = session_id
    return elevated
