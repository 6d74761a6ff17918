"""Read the policy that a cluster publishes, with kubectl (a kubectl process)."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from kubectl_stepup.errors import KubectlFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DEADLINE_S = 10.0
_LARGEST = 1 << 20
_NOT_FOUND = b"(NotFound)"


def read(
    kubectl: str,
    environ: Mapping[str, str],
    *,
    namespace: str,
    name: str,
    key: str,
    pass_fds: Sequence[int] = (),
) -> str | None:
    """Give the text under a key of a ConfigMap; None where there is no such object.

    Raises:
        KubectlFailed: it cannot be read, or has no such key.
    """
    command = [kubectl, "get", "configmap", name, f"--namespace={namespace}", "--output=json"]
    command.append(f"--request-timeout={DEADLINE_S:.0f}s")
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environ,
            pass_fds=tuple(pass_fds),
            timeout=DEADLINE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise KubectlFailed(f"kubectl get configmap {name} failed: {type(exc).__name__}") from exc
    if done.returncode != 0:
        if _NOT_FOUND in done.stderr:
            return None
        raise KubectlFailed(f"kubectl get configmap {name} failed with exit code {done.returncode}")
    try:
        text = json.loads(done.stdout[: _LARGEST * 2])["data"][key]
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise KubectlFailed(f"configmap {name} has no {key}") from exc
    if not isinstance(text, str) or len(text) > _LARGEST:
        raise KubectlFailed(f"{key} of configmap {name} is no policy")
    return text
