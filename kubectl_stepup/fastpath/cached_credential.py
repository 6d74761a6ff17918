"""The fast path of cached credentials: answer `credential` from a stored session (tests list the modules).

It is called as a module: `serve(sys.argv[1:], os.environ)`. Our exec entries run it as a file::

    python -I -S /path/to/kubectl_stepup/fastpath/cached_credential.py credential --session ID
        [--handover SOCKET]        where `exec` hands the session over through a socket (hand_over.py)
        [--store-directory DIR]    where the file store keeps sessions (`store: file`)
        [--store keyring]          the session is in the Secret Service (`store: keyring`)

`-I` shuts out the caller's directory and PYTHON* variables, `-S` the site packages. On a miss the file becomes
`python -P -m kubectl_stepup credential …`, still without these variables (isolation.py) but with site packages, the
user's own too: `pip install --user` installs there. Python compiles a file each time that it runs it: keep it small.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def serve(argv: list[str], environ: Mapping[str, str]) -> int | None:
    """Write the ExecCredential for `credential --session ID …`; return the exit code, None for the ordinary path."""
    if not argv or argv[0] != "credential":
        return None
    from kubectl_stepup.sessions import release_credential

    data = release_credential.answer(argv[1:], environ, version_for=_answer_version)
    if data is None:
        return None
    from kubectl_stepup.posix_calls import calls

    try:
        while data:
            data = data[calls.write(1, data) :]
    except OSError:  # nobody reads any more
        return 1
    return 0


def _answer_version(pin: str, exec_info: str) -> str | None:
    """Return the API version to answer in if an unexpected KUBERNETES_EXEC_INFO names the enrolled server."""
    from kubectl_stepup.errors import CredentialWithheld
    from kubectl_stepup.kubeconfig import cluster_pin, exec_credential

    try:
        info = exec_credential.parse(exec_info)
        reason = exec_credential.withheld_reason(cluster_pin.ClusterPin.from_json(pin), info)
    except (CredentialWithheld, ValueError, TypeError):
        return None
    return info.version if reason is None else None


if __name__ == "__main__":
    # NOTE: appended, not put first: the standard library wins over whatever lies beside the package. And no os.path.
    separator = "\\" if sys.platform == "win32" else "/"
    sys.path.append(__file__.rpartition(separator)[0].rpartition(separator)[0].rpartition(separator)[0])
    from kubectl_stepup.posix_calls import calls, environment_of_process

    code = serve(sys.argv[1:], environment_of_process())
    if code is not None:
        calls._exit(code)  # there is nothing to flush or close, and this saves a tenth of the time
    from kubectl_stepup.isolation import become_python

    become_python(["-P", "-m", "kubectl_stepup", *sys.argv[1:]])
