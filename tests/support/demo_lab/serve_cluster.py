"""Serve the demo's cluster for any issuer, to try by hand: `python -m tests.support.demo_lab.serve_cluster --help`.

It prints the kubeconfig of the cluster, without a user, and serves until Ctrl-C.
"""

from __future__ import annotations

import argparse
import base64
import json
import signal
import time
from pathlib import Path

from kubectl_stepup.demo.admission import standard_policies
from kubectl_stepup.demo.authentication import JWTAuthenticator
from kubectl_stepup.demo.authorization import team_grants
from kubectl_stepup.demo.certificates import new_authority
from kubectl_stepup.demo.cluster import DemoCluster


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--issuer", required=True)
    parser.add_argument("--ca", required=True, type=Path, help="PEM file with the CA of the issuer")
    parser.add_argument("--audience", action="append", required=True)
    parser.add_argument("--elevated-audience", required=True)
    parser.add_argument("--acr", action="append", required=True, help="a value that proves level mfa")
    parser.add_argument("--window", type=int, default=1260, help="longest exp - auth_time, in seconds")
    parser.add_argument("--username-claim", default="sub")
    parser.add_argument("--group", default="dev", help="whose members may work in the cluster")
    parser.add_argument("--name", default="demo")
    return parser.parse_args()


def main() -> None:
    """Serve."""
    wanted = arguments()
    authority = new_authority(time.time())
    trusted = JWTAuthenticator(
        issuer=wanted.issuer,
        ca_pem=wanted.ca.read_text(),
        audiences=tuple(wanted.audience),
        elevated_audience=wanted.elevated_audience,
        level_acr={"mfa": tuple(wanted.acr)},
        window_s=wanted.window,
        username_claim=wanted.username_claim,
    )
    with DemoCluster(
        authority.server_context(time.time()),
        [trusted],
        clock=time.time,
        grants=team_grants(wanted.group),
        policies=standard_policies(level="mfa", max_age_s=900, exempt=("sandbox",)),
    ) as cluster:
        ca_data = base64.b64encode(authority.pem.encode()).decode()
        kubeconfig = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": wanted.name,
            "clusters": [
                {"name": wanted.name, "cluster": {"server": cluster.url, "certificate-authority-data": ca_data}}
            ],
            "contexts": [
                {"name": wanted.name, "context": {"cluster": wanted.name, "user": wanted.name, "namespace": "prod"}}
            ],
        }
        print(json.dumps(kubeconfig, indent=2), flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    main()
