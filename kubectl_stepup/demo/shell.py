"""`demo` for a person: the user's own shell in the demo's world, with a short welcome."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from kubectl_stepup.demo.home import NAME, NAMESPACE
from kubectl_stepup.demo.world import World, join_own_session_keyring, opened
from kubectl_stepup.errors import DemoFailed


def open_shell(caller: Mapping[str, str], say: Callable[[str], None]) -> int:
    """Open `$SHELL` in a world of its own; give 0 when the person leaves it, whatever the last command was.

    `caller` is the user's environment, `say` prints one text. Call it from the main thread of a process of its own:
    it leaves the session keyring of its caller for good.

    Raises:
        DemoFailed: the shell does not start.
        KubectlNotFound: there is no kubectl.
    """
    join_own_session_keyring()
    shell = caller.get("SHELL") or "/bin/sh"
    with opened(caller) as world:
        say(welcome(world, remote=bool(caller.get("SSH_CONNECTION"))))
        try:
            with _interrupts_are_the_shells():
                subprocess.run([shell], env=dict(world.environ), cwd=world.environ["HOME"], check=False)
        except OSError as exc:
            hint = "SHELL=/bin/sh kubectl stepup demo"
            raise DemoFailed(f"{shell} does not start: {exc.strerror}", hint=hint) from exc
    say("The demo is gone: servers, home and sessions.")
    return 0


def welcome(world: World, *, remote: bool) -> str:
    """Return the introduction: user, addresses, commands to try. `remote`: the browser is on another machine."""
    credentials, otp = world.credentials, world.directory / "bin/otp"
    code = f"\n  current code        type otp, or in another terminal {otp}" if otp.exists() else ""
    port = urlsplit(world.provider.issuer).port
    tunnel = f"\n  from your machine   ssh -L {port}:127.0.0.1:{port} {{this host}}" if remote else ""
    return f"""\
You are {credentials.name}, in group dev, in a demo of your own. Your kubeconfig is not read, and everything is
removed when you leave (exit, or Ctrl-D).

  cluster             {world.cluster.url}  (context {NAME}, namespace {NAMESPACE})
  identity provider   {world.provider.issuer}  (its own certificate: the browser will warn){tunnel}
  user                {credentials.name}
  password            {credentials.password_secret.reveal()}
  TOTP seed           {credentials.otp_secret.reveal()}  (for an authenticator){code}

Try:
  kubectl get pods                                 everyday work
  kubectl delete pod web-0                         the cluster denies it
  kubectl stepup exec -- delete pod web-0          prompts; you approve in a browser
  kubectl stepup exec -- get secrets               needs level mfa
  kubectl stepup status
  kubectl stepup audit list
  kubectl stepup logout
"""


@contextmanager
def _interrupts_are_the_shells() -> Iterator[None]:
    """Let Ctrl-C reach the shell and its commands without ending the demo."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # NOTE: a handler, not SIG_IGN: an ignored signal stays ignored in every program that the shell starts.
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
