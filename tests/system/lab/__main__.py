"""The lab by hand: `make lab`, `make lab-down`, and on the PATH that it prints the command `lab approve|deny|code`."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path

import pyotp

from tests.system.lab import home
from tests.system.lab.lab import PROVIDERS, Lab, opened_lab
from tests.system.parts import control_plane, kubectls
from tests.system.parts.cache import Missing, cache_directory
from tests.system.parts.person import Person
from tests.system.parts.processes import LAB, NotReady, stop_orphans
from tests.system.parts.provider import PASSWORD, SEED, RunningProvider

DESCRIPTION = "lab.json"
ENVIRONMENT = "environment"


def directory() -> Path:
    """Return the directory of the lab by hand: there is one at a time."""
    return cache_directory() / "lab"


def main() -> int:
    """Do what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.system.lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start the lab and leave it running")
    up.add_argument("--provider", choices=sorted(PROVIDERS), default="oidc-provider")
    commands.add_parser("down", help="end the lab, and what killed test runs left behind")
    commands.add_parser("code", help="print the one-time code of the moment")
    for word in ("approve", "deny"):
        decide = commands.add_parser(word, help=f"{word} as a person in a browser would")
        decide.add_argument("address", help="what the prompt shows: https://…?user_code=XXXX-XXXX")
        decide.add_argument("--as", dest="name", choices=["alice", "bob"], default="alice")
    wanted = parser.parse_args()
    try:
        return _do(wanted)
    except (Missing, NotReady) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _do(wanted: argparse.Namespace) -> int:
    if wanted.command == "up":
        return _up(wanted.provider)
    if wanted.command == "down":
        ended = stop_orphans(lab=True)
        shutil.rmtree(directory(), ignore_errors=True)
        print(f"Ended: {', '.join(ended)}" if ended else "Nothing was running.")
        return 0
    if wanted.command == "code":
        print(pyotp.TOTP(SEED).now())
        return 0
    described = directory() / DESCRIPTION
    if not described.exists():
        print("error: there is no lab\nhint: make lab", file=sys.stderr)
        return 1
    known = json.loads(described.read_text())
    provider = RunningProvider(**{**known, "ca_file": Path(known["ca_file"])})
    uri, _, code = wanted.address.partition("?user_code=")
    print(getattr(Person(provider, name=wanted.name), wanted.command)(uri, code))
    return 0


def _up(provider: str) -> int:
    place = directory()
    if (place / DESCRIPTION).exists():
        print(f"error: a lab is running in {place}\nhint: make lab-down", file=sys.stderr)
        return 1
    control_plane.require()
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o700, parents=True)
    print(
        f"Starting {provider}, etcd, kube-apiserver {control_plane.minor()} and kube-controller-manager ...", flush=True
    )
    with ExitStack() as stack:
        lab = stack.enter_context(opened_lab(place, provider, owner=LAB))
        (place / ENVIRONMENT).write_text(_furnish(place, lab))
        known = {name: getattr(lab.provider, name) for name in RunningProvider.__slots__}
        known = {**known, "ca_file": str(lab.provider.ca_file), "accounts": dict(lab.provider.accounts)}
        (place / DESCRIPTION).write_text(json.dumps(known))
        # From here on it is nobody's: `down` ends it.
        stack.pop_all()
    print(_greeting(place, lab))
    return 0


def _furnish(place: Path, lab: Lab) -> str:
    """Make a home for alice in the lab's directory; return the lines for a shell."""
    programs = place / "bin"
    programs.mkdir()
    (programs / "kubectl").symlink_to(kubectls.kubectl(kubectls.NEWEST))
    (programs / "kubectl-stepup").symlink_to(Path(sys.executable).parent / "kubectl-stepup")
    me = programs / "lab"
    words = [sys.executable, "-m", "tests.system.lab"]
    cache = f"KUBECTL_STEPUP_SYSTEM_CACHE={shlex.quote(str(cache_directory()))}"
    me.write_text(f'#!/bin/sh\ncd {shlex.quote(os.getcwd())} && {cache} exec {shlex.join(words)} "$@"\n')
    me.chmod(0o755)
    environ = home.furnish(place, lab.provider, lab.api, lab.everyday_token(), search=[programs])
    own = Path(environ["HOME"])
    certificate, key = lab.api.admin_certificate
    exports = {
        "KUBECONFIG": own / ".kube/config",
        "XDG_CONFIG_HOME": own / ".config",
        "XDG_STATE_HOME": own / ".local/state",
        "XDG_RUNTIME_DIR": environ["XDG_RUNTIME_DIR"],
    }
    lines = [f"export {name}={shlex.quote(str(value))}" for name, value in exports.items()]
    lines.append(f'export PATH={shlex.quote(str(programs))}:"$PATH"')
    admin = [
        "kubectl",
        f"--server={lab.api.url}",
        f"--certificate-authority={lab.api.ca_file}",
        f"--client-certificate={certificate}",
        f"--client-key={key}",
    ]
    lines.append(f"alias admin={shlex.quote(shlex.join(admin))}")
    return "\n".join(lines) + "\n"


def _greeting(place: Path, lab: Lab) -> str:
    enrol = shlex.join(["kubectl", "stepup", *home.enrolment({"HOME": str(place / "home")}, lab.provider)])
    return f"""
The lab is up: {lab.provider.name} at {lab.provider.issuer}, kube-apiserver at {lab.api.url}.
Its people are alice (dev) and bob (ops), password "{PASSWORD}". Its audit log: {lab.api.audit_log}

In your shell:

. {shlex.quote(str(place / ENVIRONMENT))}

which says:

{(place / ENVIRONMENT).read_text()}
Then enrol the cluster, and try:

{enrol}
kubectl get pods
kubectl delete pod web-0
kubectl stepup exec -- delete pod web-0

Approve in a browser with a one-time code from `lab code`, or from another shell with the same environment:

lab approve 'https://...?user_code=...'

End it with `make lab-down`."""


if __name__ == "__main__":
    sys.exit(main())
