"""A real control plane with the fixture in it, which believes its administrator alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.system.parts.etcd import etcd
from tests.system.parts.kube_apiserver import KubeAPIServer, kube_apiserver
from tests.system.parts.kube_controller_manager import kube_controller_manager
from tests.system.recorder import fixture

NOBODY = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AuthenticationConfiguration", "jwt": []}
GENERATED = re.compile(r"^([a-z]+)-[0-9a-f]{7,10}(-[a-z0-9]{5})?$")
"""Names that a controller made up, which are others in each run."""


@contextmanager
def cluster(directory: Path) -> Iterator[KubeAPIServer]:
    """Start it, set up, for the time of the block."""
    with (
        etcd(directory) as store,
        kube_apiserver(directory, etcd=store, authentication=json.dumps(NOBODY)) as api,
        kube_controller_manager(directory, api=api),
    ):
        fixture.set_up(api.admin)
        yield api
