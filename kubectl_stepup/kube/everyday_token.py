"""The token that the everyday user of a context presents (files and the user's own exec plugin).

Read by `setup` alone, to learn from a verified ID token which account is to be enrolled.

Spec: kubeconfig v1 `AuthInfo`: exec, then token file, then token, as client-go prefers them.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

from kubectl_stepup import environment
from kubectl_stepup.errors import KubeconfigError
from kubectl_stepup.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

PLUGIN_DEADLINE_S = 180.0
"""How long the everyday plugin may take: it may ask the person to sign in."""


def everyday_token(user: Mapping[str, Any], *, file: str | None, environ: Mapping[str, str]) -> Secret | None:
    """Give the bearer token of a kubeconfig user, or None where it has another kind of credential.

    `user` is the entry as written and `file` where it stands: relative paths are read against it.

    Raises:
        KubeconfigError: the token cannot be got.
    """
    directory = os.path.dirname(file) if file else ""
    if isinstance(user.get("exec"), dict):
        return _from_plugin(user["exec"], directory, environ)
    if isinstance(user.get("tokenFile"), str):
        path = os.path.join(directory, user["tokenFile"])
        try:
            with open(path, encoding="utf-8") as stream:
                return Secret(stream.read(1 << 20).strip())
        except (OSError, ValueError) as exc:
            raise KubeconfigError(f"{path}: the everyday token cannot be read: {exc}") from exc
    if isinstance(user.get("token"), str):
        return Secret(user["token"])
    provider = user.get("auth-provider")
    if isinstance(provider, dict) and isinstance(provider.get("config"), dict):
        token = provider["config"].get("id-token")
        return Secret(token) if isinstance(token, str) else None
    return None


def _from_plugin(entry: Mapping[str, Any], directory: str, environ: Mapping[str, str]) -> Secret:
    command = str(entry.get("command", ""))
    path = os.path.join(directory, command) if os.sep in command else command
    api_version = str(entry.get("apiVersion", ""))
    info = {"kind": "ExecCredential", "apiVersion": api_version, "spec": {"interactive": True}}
    added = {str(item["name"]): str(item["value"]) for item in entry.get("env") or [] if isinstance(item, dict)}
    try:
        done = subprocess.run(
            [path, *map(str, entry.get("args") or [])],
            env={**environ, **added, environment.EXEC_INFO: json.dumps(info)},
            stdout=subprocess.PIPE,
            timeout=PLUGIN_DEADLINE_S,
            check=True,
        )
        return Secret(str(json.loads(done.stdout)["status"]["token"]))
    except (OSError, subprocess.SubprocessError) as exc:
        raise KubeconfigError(f"the everyday plugin {command} failed: {type(exc).__name__}") from exc
    except (ValueError, KeyError, TypeError) as exc:
        raise KubeconfigError(f"the everyday plugin {command} gave no token") from exc
