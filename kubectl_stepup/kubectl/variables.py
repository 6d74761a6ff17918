"""Every environment variable that kubectl reads, and what becomes of it in an elevated command.

Spec: k8s.io/kubectl, cli-runtime, client-go and apimachinery from 0.32 to 0.37, and what these read through Go's own
libraries, cobra, kustomize, moby/spdystream and moby/term. docs/reference/environment.md has the same table.
"""

from __future__ import annotations

from kubectl_stepup import environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SET: Mapping[str, str] = {
    "KUBECONFIG": "the overlay, before the files that were named",
    "KUBERC": "off: a kuberc could add a default flag, or make another command of the words",
    "KUBECTL_KUBERC": "false: the same for kubectl 1.33",
    **dict.fromkeys(
        ("KUBE_EDITOR", "EDITOR", "KUBECTL_EXTERNAL_DIFF"),
        "our own program, which becomes yours with the everyday login",
    ),
}
"""Set for an elevated command (the last three by everyday_programs; `EDITOR` only where it was set)."""

TAKEN_OUT: Mapping[str, str] = {
    "GODEBUG": "can write every header that is sent, and so the token, to standard error; can weaken TLS",
    "KUBECACHEDIR": "names a table that says what words mean, and answers of the server that can redirect kubectl",
    "KUBECTL_COMMAND_HEADERS": "hides from the API server which command was typed",
    "KUBECTL_ENABLE_CMD_SHADOW": "lets `kubectl create NAME` run a plugin, which the policy never saw",
    "KUBERNETES_MASTER": "another server, where a kubeconfig names none",
}
"""Not there for an elevated command."""

KEPT: Mapping[str, str] = {
    "SHELL": "starts an editor whose command has quotes",
    "PATH": "where an editor, `diff` and plugins are found",
    **dict.fromkeys(("HOME", "HOMEDRIVE", "HOMEPATH", "USERPROFILE"), "where the default kubeconfig and cache are"),
    **dict.fromkeys(("TMPDIR", "TMP", "TEMP"), "where an editor's copy is"),
    **dict.fromkeys(("LANG", "LC_ALL", "LC_MESSAGES"), "the language of messages"),
    **dict.fromkeys(("TERM", "NO_COLOR", "WT_SESSION"), "how output looks"),
    **dict.fromkeys(
        ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy", "REQUEST_METHOD"),
        "the way to the enrolled server, where its kubeconfig names no proxy; TLS is with the server",
    ),
    **dict.fromkeys(
        ("SSL_CERT_FILE", "SSL_CERT_DIR"),
        "trusted where a cluster was enrolled without a CA of its own; set where it has too many CA certificates",
    ),
    **dict.fromkeys(
        ("DISABLE_HTTP2", "HTTP2_READ_IDLE_TIMEOUT_SECONDS", "HTTP2_PING_TIMEOUT_SECONDS"), "how HTTP/2 is spoken"
    ),
    **dict.fromkeys(
        ("KUBE_CLIENT_BACKOFF_BASE", "KUBE_CLIENT_BACKOFF_DURATION"), "how long a client waits before it tries again"
    ),
    **dict.fromkeys(
        ("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", "KUBECTL_PORT_FORWARD_WEBSOCKETS"),
        "SPDY or WebSocket; the evaluation counts both",
    ),
    **dict.fromkeys(
        ("KUBECTL_APPLYSET", "KUBECTL_DEBUG_CUSTOM_PROFILE", "KUBECTL_KYAML", "KUBECTL_OPENAPIV3_PATCH"),
        "let a flag, an output or a way to patch be used; the flag is evaluated",
    ),
    **dict.fromkeys(("KUBECTL_EXPLAIN_OPENAPIV3", "KUBECTL_INTERACTIVE_DELETE"), "the same in kubectl before 1.32"),
    **dict.fromkeys(
        (
            "KUBE_CACHE_MUTATION_DETECTOR",
            "KUBE_LIST_FROM_CACHE_INCONSISTENCY_DETECTOR",
            "KUBE_PATCH_CONVERSION_DETECTOR",
            "KUBE_WATCHLIST_INCONSISTENCY_DETECTOR",
        ),
        "checks of client-go for its own tests",
    ),
    "KUBE_FEATURE_*": "switches of client-go: how lists and watches are asked for",
    **dict.fromkeys(
        ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "POD_NAMESPACE"),
        "in a pod, the namespace where neither command nor context names one; the evaluation reads it so",
    ),
    "KUBERNETES_EXEC_INFO": "client-go sets it for the credential plugin",
    "KUBECTL_PATH": "kubectl 1.37 sets it for plugins",
    **dict.fromkeys(
        (
            "BASH_COMP_DEBUG_FILE",
            "COBRA_ACTIVE_HELP",
            "COBRA_COMPLETION_DESCRIPTIONS",
            "KUBECTL_ACTIVE_HELP",
            "KUBECTL_COMPLETION_DESCRIPTIONS",
        ),
        "completion, which is never elevated",
    ),
    **dict.fromkeys(
        ("KUSTOMIZE_PLUGIN_HOME", "KUSTOMIZE_ENABLE_ALPHA_COMMANDS", "XDG_CONFIG_HOME", "GOPATH", "PWD"),
        "kustomize's plugins; an elevated kubectl gets the result of a kustomization, never the kustomization",
    ),
    **dict.fromkeys(("DEBUG", "DEBUG_HTTP2_GOROUTINES"), "traces of SPDY and HTTP/2 without headers"),
}
"""Left as they are, on purpose."""

DROPPED = frozenset({*TAKEN_OUT, environment.EXTERNAL_DIFF})
"""Taken out of the caller's environment; everyday_programs sets the differ anew."""


def own_environment(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the environment of an allowed command: the caller's, but for a table of what words mean."""
    if environment.KUBECACHEDIR not in environ:
        return environ
    return {name: value for name, value in environ.items() if name != environment.KUBECACHEDIR}
