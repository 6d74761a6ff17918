"""The fast path: answer `credential` from a session in a store, importing next to nothing (tests list the modules).

As a module: `serve(sys.argv[1:], os.environ)`. As a file, which is what our exec entries name::

    python -I -S /path/to/kubectl_stepup/fastpath/cached_credential.py credential --session ID
        [--handover SOCKET]        where the wrapper hands the session over without the kernel's help (handover.py)
        [--store-directory DIR]    where the file store keeps sessions (`store: file`)
        [--store keyring]          the session is in the Secret Service (`store: keyring`)

`-I` shuts out the caller's directory and PYTHON* variables, `-S` the site packages; on a miss the file runs itself
again as `python -P -m kubectl_stepup credential …`, without these variables all the same (isolation.py), and with site
packages, those of the user's own among them: an installation by `pip install --user` is there. A file
that is run is compiled each time: keep it small.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def serve(argv: list[str], environ: Mapping[str, str]) -> int | None:
    """Write the ExecCredential for `credential --session ID …` and give the exit code; None: take the ordinary path."""
    if not argv or argv[0] != "credential":
        return None
    from kubectl_stepup.sessions import release_credential

    data = release_credential.answer(argv[1:], environ, version_for=_version_for)
    if data is None:
        return None
    from kubectl_stepup.posix_calls import calls

    try:
        while data:
            data = data[calls.write(1, data) :]
    except OSError:  # nobody reads any more
        return 1
    return 0


def _version_for(pin: str, exec_info: str) -> str | None:
    """Return the version to answer in where an unexpected KUBERNETES_EXEC_INFO names the enrolled server, else None."""
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
        calls._exit(code)  # nothing to flush or to tidy, and a tenth of the time is saved
    from kubectl_stepup.isolation import become_python

    become_python(["-P", "-m", "kubectl_stepup", *sys.argv[1:]])
