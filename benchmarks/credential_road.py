"""What the cached credential road costs, against bare interpreters and against kubectl with an inline token.

    python -m benchmarks.credential_road [--rounds N] [--json FILE]

Everything runs in one go on this machine: absolute times drift, ratios of the same round hold. Nothing of the user's
is read: a home of its own, an API server on loopback, a session of its own that is deleted at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import secrets
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import kubectl_stepup
from benchmarks.loopback_api import LoopbackAPI
from benchmarks.rounds import Measurement, Subject, SubjectFailed, measure
from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.kube.cluster_identity import ca_digest
from kubectl_stepup.kube.execcredential import ClusterPin, expected_exec_info
from kubectl_stepup.kube.overlay import exec_entry
from kubectl_stepup.secret import Secret
from kubectl_stepup.session import scope
from kubectl_stepup.session.file import FileStore
from kubectl_stepup.session.kernel_keyring import KernelKeyringStore
from kubectl_stepup.session.model import ElevationSession
from kubectl_stepup.session.record import sha256_hex

if TYPE_CHECKING:
    from kubectl_stepup.session.store import SessionStore

TOKEN_CHARACTERS = 1700
"""As long as a usual ID token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One line of the result: `name` over `against`, and the bound that the design sets itself for wall time."""

    name: str
    against: str
    bound: float | None = None


COMPARISONS = (
    Comparison(name="entry point", against="venv python", bound=1.4),
    Comparison(name="file", against="bare python", bound=1.6),
    Comparison(name="kubectl, file", against="kubectl, inline token", bound=1.25),
    Comparison(name="kubectl, entry point", against="kubectl, inline token"),
    Comparison(name="exec, routine", against="kubectl, inline token", bound=1.25),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where everything of one benchmark is."""

    home: Path
    api: LoopbackAPI
    token: str
    session: ElevationSession
    store_arguments: tuple[str, ...]
    kubectl: str

    @property
    def credential(self) -> tuple[str, ...]:
        """The words of the exec plugin."""
        return ("credential", "--session", self.session.id, *self.store_arguments)

    @property
    def environ(self) -> dict[str, str]:
        """The environment of every subject."""
        return {"HOME": str(self.home), "PATH": os.environ.get("PATH", os.defpath), "TERM": "dumb", "CI": "true"}


def main() -> int:
    """Measure, print the table, write the JSON file."""
    arguments = parse_arguments()
    kubectl = find_kubectl()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kubectl-stepup-bench-")))
        token = secrets.token_urlsafe(TOKEN_CHARACTERS)[:TOKEN_CHARACTERS]
        api = LoopbackAPI(token, now=time.time())
        stack.callback(api.close)
        session = new_session(api, token)
        store, store_arguments = keep(session, home / "sessions")
        stack.callback(store.delete, scope.key(session.id, scope.USER_SCOPE))
        bench = Bench(
            home=home, api=api, token=token, session=session, store_arguments=store_arguments, kubectl=kubectl
        )
        try:
            measured = [one for one in subjects(bench) if one.name not in arguments.without]
            found = measure(measured, rounds=arguments.rounds)
        except SubjectFailed as exc:
            print(f"error: {exc}", file=sys.stderr)
            return 1
        if api.refused:
            print(f"error: the API server refused {api.refused} requests", file=sys.stderr)
            return 1
        show(found, measured, rounds=arguments.rounds, store=store.name)
        if arguments.json:
            write_json(Path(arguments.json), found, measured, rounds=arguments.rounds, store=store.name)
    return 0


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.credential_road", description=__doc__)
    parser.add_argument("--rounds", type=int, default=25, help="rounds that count (default 25)")
    parser.add_argument("--without", action="append", default=[], metavar="NAME", help="leave a subject out")
    parser.add_argument("--json", metavar="FILE", help="write everything measured to FILE")
    return parser.parse_args()


def compared(measured: list[Subject]) -> list[Comparison]:
    """Give the comparisons of which both sides were measured."""
    names = {subject.name for subject in measured}
    return [one for one in COMPARISONS if {one.name, one.against} <= names]


def find_kubectl() -> str:
    """Find a kubectl: on PATH, or the one of the development environment."""
    found = shutil.which(
        "kubectl", path=os.pathsep.join([os.environ.get("PATH", ""), str(Path(sys.executable).parent)])
    )
    if found is None:
        raise SystemExit("error: there is no kubectl on PATH")
    return found


def new_session(api: LoopbackAPI, token: str) -> ElevationSession:
    """Make the session that a login would leave."""
    now = scope.moment()
    ca_pem = api.ca_pem.encode("ascii")
    pin = ClusterPin(server=api.url, ca_sha256=ca_digest(ca_pem), tls_server_name=None, proxy_url=None, insecure=False)
    expected = expected_exec_info(pin, ca_pem=ca_pem)
    return ElevationSession(
        issuer="https://login.example.com",
        client="kubectl-elevated",
        account=f"bench-{secrets.token_hex(8)}",
        cluster="bench",
        level="mfa",
        token=Secret(token),
        token_expires_at=now.wall + 3600,
        auth_time=now.wall,
        approved=now,
        reuse_until=now.wall + 3000,
        acr="mfa",
        amr=("pwd", "otp"),
        command="delete pod web-0",
        server=pin.server,
        ca_sha256=pin.ca_sha256,
        tls_server_name=None,
        proxy_url=None,
        insecure=False,
        exec_info=tuple(sha256_hex(value) for value in expected),
    )


def keep(session: ElevationSession, directory: Path) -> tuple[SessionStore, tuple[str, ...]]:
    """Store the session in the kernel keyring, or in a file where the machine has none."""
    key = scope.key(session.id, scope.USER_SCOPE)
    until = session.reuse_until
    try:
        kernel = KernelKeyringStore()
        kernel.put(key, session.to_record(), until)
        if kernel.get(key) == session.to_record():
            return kernel, ()
    except StoreUnavailable as exc:
        print(f"no kernel keyring here ({exc.message}): measuring with a file", file=sys.stderr)
    file = FileStore(directory)
    file.put(key, session.to_record(), until)
    return file, ("--store-directory", str(directory))


def subjects(bench: Bench) -> list[Subject]:
    """Give everything that is measured, in the order of the table."""
    python = sys.executable
    entry_point = str(Path(python).parent / "kubectl-stepup")
    file = str(Path(kubectl_stepup.__file__).parent / "fast_path.py")
    with_exec_info = {**bench.environ, "KUBERNETES_EXEC_INFO": exec_info(bench)}
    inline = kubeconfig(bench, "inline", {"token": bench.token})
    by_file = kubeconfig(
        bench, "file", {"exec": exec_entry(command=python, args=["-I", "-S", file, *bench.credential])}
    )
    by_entry_point = kubeconfig(bench, "entry-point", {"exec": exec_entry(command=entry_point, args=bench.credential)})
    get_pods = ("get", "pods")
    rows = [
        ("bare python", "python -I -S -c ''", (python, "-I", "-S", "-c", ""), bench.environ),
        ("venv python", "python -c ''", (python, "-c", ""), bench.environ),
        ("file", "python -I -S fast_path.py credential", (python, "-I", "-S", file, *bench.credential), with_exec_info),
        ("entry point", "kubectl-stepup credential", (entry_point, *bench.credential), with_exec_info),
        ("kubectl, inline token", "kubectl get pods, inline token", (bench.kubectl, *get_pods), inline),
        ("kubectl, file", "kubectl get pods, our exec entry", (bench.kubectl, *get_pods), by_file),
        ("kubectl, entry point", "kubectl get pods, kubectl-stepup entry", (bench.kubectl, *get_pods), by_entry_point),
        ("exec, routine", "kubectl-stepup exec -- get pods", (entry_point, "exec", "--", *get_pods), inline),
    ]
    return [Subject(name=name, label=label, argv=argv, environ=environ) for name, label, argv, environ in rows]


def exec_info(bench: Bench) -> str:
    """Give what kubectl tells the plugin about this cluster."""
    return expected_exec_info(bench.session, ca_pem=bench.api.ca_pem.encode("ascii"))[0].decode("utf-8")


def kubeconfig(bench: Bench, name: str, user: dict[str, object]) -> dict[str, str]:
    """Write a kubeconfig with one user and give the environment that names it."""
    from base64 import b64encode

    ca_data = b64encode(bench.api.ca_pem.encode("ascii")).decode("ascii")
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "bench",
        "clusters": [{"name": "bench", "cluster": {"server": bench.api.url, "certificate-authority-data": ca_data}}],
        "users": [{"name": "bench", "user": user}],
        "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
    }
    path = bench.home / f"{name}.kubeconfig"
    path.touch(mode=0o600)
    path.write_text(json.dumps(document), encoding="utf-8")
    return {**bench.environ, "KUBECONFIG": str(path)}


def show(found: Measurement, measured: list[Subject], *, rounds: int, store: str) -> None:
    """Print the two tables."""
    print(f"{rounds} rounds, medians; Python {platform.python_version()}, {platform.machine()}, store {store}\n")
    print(f"{'COMMAND':<42}{'WALL MS':>9}{'CPU MS':>9}")
    for subject in measured:
        cost = found.median(subject.name)
        print(f"{subject.label:<42}{cost.wall_ms:>9.1f}{cost.cpu_ms:>9.1f}")
    labels = {subject.name: subject.label for subject in measured}
    print(f"\n{'RATIO (median of the rounds)':<72}{'WALL':>7}{'CPU':>7}{'BOUND':>7}")
    for one in compared(measured):
        ratio = found.ratio(one.name, one.against)
        bound = "" if one.bound is None else f"{one.bound:.2f}"
        text = f"{labels[one.name]} / {labels[one.against]}"
        print(f"{text:<72}{ratio.wall_ms:>7.2f}{ratio.cpu_ms:>7.2f}{bound:>7}")


def write_json(path: Path, found: Measurement, measured: list[Subject], *, rounds: int, store: str) -> None:
    """Write every round's costs, the medians and the ratios."""
    document = {
        "rounds": rounds,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.platform(),
        "store": store,
        "subjects": {
            one.name: {
                "label": one.label,
                "median": asdict(found.median(one.name)),
                "rounds": [asdict(cost) for cost in found.costs[one.name]],
            }
            for one in measured
        },
        "ratios": [
            {
                "name": one.name,
                "against": one.against,
                "bound": one.bound,
                "wall": found.ratio(one.name, one.against).wall_ms,
                "cpu": found.ratio(one.name, one.against).cpu_ms,
            }
            for one in compared(measured)
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(f"\n{path}")


if __name__ == "__main__":
    sys.exit(main())
