"""All parts by name: how each is obtained, and those that can be started alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from tests.system.parts import gnome_keyring, keycloak, kubectls, oidc_provider, unprivileged
from tests.system.parts.control_plane import binary
from tests.system.parts.etcd import etcd
from tests.system.parts.go_tools import HELM, K9S, KREW, KUBELOGIN, OPA, VALIDATE_KREW_MANIFEST, build

PARTS: Mapping[str, Callable[[], object]] = {
    "oidc-provider": oidc_provider.install,
    "keycloak": keycloak.install,
    "gnome-keyring": gnome_keyring.install,
    "unprivileged user": unprivileged.words,
    **{f"kubectl {name}": partial(kubectls.kubectl, name) for name in kubectls.NAMES},
    **{name: partial(binary, name) for name in ("etcd", "kube-apiserver", "kube-controller-manager")},
    **{tool.name: partial(build, tool) for tool in (KREW, VALIDATE_KREW_MANIFEST, KUBELOGIN, HELM, OPA, K9S)},
}

STARTED: Mapping[str, Callable[[Path], AbstractContextManager[object]]] = {
    "oidc-provider": oidc_provider.oidc_provider,
    "keycloak": keycloak.keycloak,
    "gnome-keyring": gnome_keyring.gnome_keyring,
    "etcd": etcd,
}
