"""A provider and an API server that trusts it, and what a person does there."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from kubectl_stepup.demo.terminal import DemoTerminal, Ran
from kubectl_stepup.demo.world import forget_sessions
from kubectl_stepup.sessions.stores import keyctl
from tests.system.lab import home, objects
from tests.system.lab.authentication import ELEVATED, EVERYDAY, authentication_configuration
from tests.system.parts import control_plane
from tests.system.parts.etcd import etcd
from tests.system.parts.keycloak import keycloak
from tests.system.parts.kube_apiserver import KubeAPIServer, kube_apiserver
from tests.system.parts.kube_controller_manager import kube_controller_manager
from tests.system.parts.oauth_client import OAuthClient
from tests.system.parts.oidc_provider import oidc_provider
from tests.system.parts.person import Person
from tests.system.parts.provider import RunningProvider

PROVIDERS: dict[str, Callable[..., AbstractContextManager[RunningProvider]]] = {
    "oidc-provider": oidc_provider,
    "keycloak": keycloak,
}
_ASKED = re.compile(r"Open +(\S+?)(?:\?user_code=\S+)?\n(?:.*\n)?.*(?:Compare|Enter) code +(\S+)\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """A running lab."""

    provider: RunningProvider
    api: KubeAPIServer

    def everyday_token(self, person: Person | None = None) -> str:
        """Sign somebody in as an everyday login does: with the password alone."""
        client = OAuthClient(provider=self.provider, client_id=EVERYDAY)
        return client.id_token(person or Person(self.provider))

    def elevated_token(self) -> str:
        """Sign alice in with both factors."""
        client = OAuthClient(provider=self.provider, client_id=ELEVATED)
        return client.id_token(Person(self.provider), acr_values=self.provider.mfa)


@contextmanager
def opened_lab(directory: Path, provider: str, *flags: str, owner: str | None = None) -> Iterator[Lab]:
    """Start a lab with a provider, by name, and its flags."""
    control_plane.require()
    with (
        PROVIDERS[provider](directory, *flags, owner=owner) as running,
        opened_cluster(directory, running, owner=owner) as api,
    ):
        lab = Lab(provider=running, api=api)
        objects.wait_for_gate(api.as_bearer(lab.everyday_token()))
        yield lab


@contextmanager
def opened_cluster(directory: Path, provider: RunningProvider, *, owner: str | None = None) -> Iterator[KubeAPIServer]:
    """Start a cluster that trusts a provider; the gate may not have closed yet."""
    trusted = authentication_configuration(
        issuer=provider.issuer,
        ca_pem=provider.ca_file.read_text(),
        acr=[provider.mfa],
        username_claim=provider.username_claim,
        # v1 came with 1.34.
        api_version="v1" if int(control_plane.minor().partition(".")[2]) >= 34 else "v1beta1",
    )
    with (
        etcd(directory, owner=owner) as store,
        kube_apiserver(directory, etcd=store, authentication=json.dumps(trusted), owner=owner) as api,
        kube_controller_manager(directory, api=api, owner=owner),
    ):
        objects.furnish(api.admin, acr=provider.mfa)
        yield api


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Somebody at a terminal, with a home; another person may hold the phone."""

    lab: Lab
    environ: dict[str, str]
    terminal: DemoTerminal
    person: Person
    become: Sequence[str] = ()
    """Words that run a command as another user of the machine."""

    def run(self, *words: str, decide: str | None = None) -> Ran:
        """Run a command; the person reads the prompt on the screen and decides: `approve` or `deny`."""
        decided: list[str] = []

        def watch(screen: str) -> None:
            shown = _ASKED.search(screen)
            if decide and not decided and shown and "Waiting for approval" in screen:
                decided.append(getattr(self.person, decide)(shown[1], shown[2]))

        return self.terminal.run([*self.become, *words], watch)

    def stepup(self, *words: str, decide: str | None = None) -> Ran:
        """Run our own command."""
        return self.run(*home.PROGRAM, *words, decide=decide)

    def enrol(self, *program: str) -> None:
        """Enrol the cluster, with our own command or another form of it."""
        done = self.run(*(program or home.PROGRAM), *home.enrolment(self.environ, self.lab.provider))
        assert done.code == 0, done.screen

    def has_pod(self, name: str) -> bool:
        """Whether a pod is there, as the administrator sees it."""
        path = f"/api/v1/namespaces/{objects.NAMESPACE}/pods/{name}"
        return self.lab.api.admin.request("GET", path).status_code == 200


@contextmanager
def opened_desk(
    directory: Path, lab: Lab, *, search: Sequence[str | Path], become: Sequence[str] = ()
) -> Iterator[Desk]:
    """Hand alice a home in `directory` and all pods back; none of her sessions is left in our keyring afterwards.

    `search` is what PATH begins with; with `become` the home has to be given to that user, who has to log out.
    """
    objects.set_pods(lab.api.admin)
    environ = home.furnish(directory, lab.provider, lab.api, lab.everyday_token(), search=search)
    try:
        with DemoTerminal(environ) as terminal:
            yield Desk(lab=lab, environ=environ, terminal=terminal, person=Person(lab.provider), become=become)
    finally:
        forget_sessions(lab.provider.issuer, keyctl.USER_KEYRING)


@contextmanager
def enrolled_desk(directory: Path, lab: Lab, kubectl: Path) -> Iterator[Desk]:
    """Return a desk of alice with one kubectl and our program, and the cluster enrolled."""
    search = directory / "bin"
    search.mkdir(parents=True)
    (search / "kubectl").symlink_to(kubectl)
    with opened_desk(directory, lab, search=[search, Path(sys.executable).parent]) as desk:
        desk.enrol()
        yield desk
