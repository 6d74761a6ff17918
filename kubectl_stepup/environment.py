"""The names of all environment variables that we read or set. Values are read elsewhere."""

from __future__ import annotations

CONFIG = "KUBECTL_STEPUP_CONFIG"
"""Read: path of config.yaml instead of the one in the user's directory (`--config` wins)."""

POLICY = "KUBECTL_STEPUP_POLICY"
"""Read: path of policy.yaml instead of the one in the user's directory (`--policy` wins)."""

KEYRING = "KUBECTL_STEPUP_KEYRING"
"""Read: `session` keeps sessions in the kernel's session keyring, for this login session alone, not in the user's."""

NESTED = "KUBECTL_STEPUP_NESTED"
"""Set in the elevated child: the audit id of its run, so that a nested `exec` is recognised and audited as such."""

EVERYDAY = "KUBECTL_STEPUP_EVERYDAY"
"""Set in the elevated child: the everyday variables of its editor, as JSON."""

KUBE_EDITOR = "KUBE_EDITOR"
"""Set in the elevated child: our own program, which runs the person's editor with the everyday login."""

EDITOR = "EDITOR"
"""As KUBE_EDITOR, where it is set."""

VISUAL = "VISUAL"
"""As KUBE_EDITOR, where it is set."""

EXTERNAL_DIFF = "KUBECTL_EXTERNAL_DIFF"
"""As KUBE_EDITOR, where it is set: the program of `kubectl diff`."""

KUBECONFIG = "KUBECONFIG"
"""Read and, for the elevated child, set: the list of kubeconfig files."""

KUBECACHEDIR = "KUBECACHEDIR"
"""Read: the directory of kubectl's cache."""

KUBERNETES_SERVICE_HOST = "KUBERNETES_SERVICE_HOST"
"""Read: with `KUBERNETES_SERVICE_PORT`, that we run in a pod."""

KUBERNETES_SERVICE_PORT = "KUBERNETES_SERVICE_PORT"
"""Read: see `KUBERNETES_SERVICE_HOST`."""

POD_NAMESPACE = "POD_NAMESPACE"
"""Read: in a pod, the namespace of a context that names none."""

KUBECTL_PATH = "KUBECTL_PATH"
"""Read: the kubectl that called the plugin (kubectl 1.37 and later set it)."""

SSL_CERT_FILE = "SSL_CERT_FILE"
"""Set in the elevated child if a cluster has too many CA certificates for client-go to pass to our plugin."""

SSL_CERT_DIR = "SSL_CERT_DIR"
"""As SSL_CERT_FILE."""

EXEC_INFO = "KUBERNETES_EXEC_INFO"
"""Read by `credential`: the ExecCredential request of client-go."""

KUBERC = "KUBERC"
"""Set to `off` in the elevated child: no aliases, no default flags (kubectl 1.33 and later)."""

KUBECTL_KUBERC = "KUBECTL_KUBERC"
"""Set to `false` in the elevated child: the feature gate of kubectl 1.33."""

XDG_CONFIG_HOME = "XDG_CONFIG_HOME"
"""Read: the directory of the user's files (default `~/.config`)."""

XDG_CACHE_HOME = "XDG_CACHE_HOME"
"""Read: the directory of the compiled policy (default `~/.cache`)."""

XDG_STATE_HOME = "XDG_STATE_HOME"
"""Read: the directory of the audit log (default `~/.local/state`)."""

XDG_RUNTIME_DIR = "XDG_RUNTIME_DIR"
"""Read: the directory of locks."""

DBUS_SESSION_BUS_ADDRESS = "DBUS_SESSION_BUS_ADDRESS"
"""Read by `credential` and the `keyring` library: the bus that the Secret Service is on."""

NO_COLOR = "NO_COLOR"
"""Read: no colour when set and not empty (https://no-color.org)."""

TERM = "TERM"
"""Read: no colour and no cursor movement when `dumb`."""

CI = "CI"
"""Read: no person is prompted if it is set to anything but an empty value, `0` or `false`."""

SSH_CONNECTION = "SSH_CONNECTION"
"""Read: no browser is opened in an SSH session."""

SSH_TTY = "SSH_TTY"
"""Read: as SSH_CONNECTION."""

DISPLAY = "DISPLAY"
"""Read: whether a graphical browser can be opened (X11)."""

WAYLAND_DISPLAY = "WAYLAND_DISPLAY"
"""Read: whether a graphical browser can be opened (Wayland)."""

WSL_DISTRO_NAME = "WSL_DISTRO_NAME"
"""Read: whether the browser is that of Windows."""

FORCE_COLOR = "FORCE_COLOR"
"""Read: colour although the stream is no terminal."""

PATH = "PATH"
"""Read: where kubectl is found."""

HOME = "HOME"
"""Read: the user's home."""

SUDO_UID = "SUDO_UID"
"""Read for a hint: the owner of the files that root finds if sudo kept the caller's environment."""
