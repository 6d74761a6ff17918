"""A person's home: a kubeconfig with the everyday login, our config and policy, and the environment of a command."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path


def kubeconfig(
    server: str, ca_pem: str, user: str | Mapping[str, object], *, context: str = "prod", namespace: str = "prod"
) -> dict[str, object]:
    """Return a kubeconfig whose one context is that of the everyday login: its user, or the token of one."""
    ca_data = base64.b64encode(ca_pem.encode()).decode()
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "clusters": [{"name": "c", "cluster": {"server": server, "certificate-authority-data": ca_data}}],
        "contexts": [{"name": context, "context": {"cluster": "c", "user": "everyday", "namespace": namespace}}],
        "users": [{"name": "everyday", "user": {"token": user} if isinstance(user, str) else dict(user)}],
    }


def furnish(
    directory: Path, *, search: str, kubeconfig_text: str, policy: str, config: str | None = None
) -> dict[str, str]:
    """Write the files of a home; return the whole environment of a command, whose PATH is `search`."""
    home = directory / "home"
    ours = home / ".config/kubectl-stepup"
    for path in (ours, home / ".kube", directory / "run", directory / "tmp"):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = {home / ".kube/config": kubeconfig_text, ours / "policy.yaml": policy, ours / "config.yaml": config}
    for path, text in files.items():
        if text is not None:
            path.touch(mode=0o600)
            path.write_text(text)
    return {
        "HOME": str(home),
        "PATH": search,
        "TERM": "dumb",
        "LANG": "C.UTF-8",
        "TMPDIR": str(directory / "tmp"),
        "XDG_RUNTIME_DIR": str(directory / "run"),
    }
