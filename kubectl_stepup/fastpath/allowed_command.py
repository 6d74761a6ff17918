"""The fast path of allowed commands: `exec -- get pods` becomes kubectl at once (tests list the imported modules).

A command that policy allows *whatever the cluster and namespace are* needs neither kubeconfig nor config. The compiled
policy of the user's file decides it. Every other command takes the ordinary path, and so does every command on a
machine with a system policy: a file that the user can write must not replace that one.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kubectl_stepup.errors import KubectlFailed
    from kubectl_stepup.file_stamp import Stamp
    from kubectl_stepup.policy.model import Policy

FORM = ["exec", "--"]
"""The only form that is served: no flags of our own before `--`."""


def serve(argv: list[str], environ: Mapping[str, str]) -> None:
    """Become kubectl if the policy allows `argv` everywhere; else return, and the ordinary path follows."""
    if argv[:2] != FORM or len(argv) < 3 or sys.platform == "win32":
        return
    if environ.get("KUBECTL_STEPUP_NESTED"):  # part of an elevated run: elevated and audited as well
        return
    words = argv[2:]
    from kubectl_stepup import environment

    # A discovery cache that the environment names could change what the words mean.
    if environ.get(environment.KUBECACHEDIR) or not is_known_to_be_allowed(words, environ):
        return
    from kubectl_stepup.kubectl import process

    try:
        path = process.find(environ, not_this=sys.argv[0])
    except _kubectl_failed():  # the ordinary path reports it
        return
    process.replace(path, words, environ)


def _kubectl_failed() -> type[KubectlFailed]:
    # NOTE: imported only after an exception: the classes of all errors would take a tenth of the fast path.
    from kubectl_stepup.errors import KubectlFailed

    return KubectlFailed


def is_known_to_be_allowed(words: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether the compiled policy in force allows the command for every target; if so, remember that."""
    kept = _kept(environ)
    if kept is None:
        return False
    from kubectl_stepup.policy.allowed_commands import AllowedCommands

    lines = AllowedCommands(*kept)
    if words in lines:
        return True
    policy = compiled_policy(environ)
    if policy is None or not is_allowed_everywhere(words, policy):
        return False
    lines.add(words)
    return True


def compiled_policy(environ: Mapping[str, str]) -> Policy | None:
    """Return the user's policy, or the default one, if it is compiled already and unchanged since."""
    kept = _kept(environ)
    if kept is None:
        return None
    from kubectl_stepup.policy import compiled_file

    return compiled_file.read(*kept)


def _kept(environ: Mapping[str, str]) -> tuple[str, Stamp] | None:
    """Return the directory of what is made from the policy, and the stamp of the policy now."""
    from kubectl_stepup.config import places

    directory = places.cache_directory(environ, platform=sys.platform)
    sources = policy_sources(environ)
    if directory is None or sources is None:
        return None
    from kubectl_stepup.file_stamp import stamp_of

    return directory, stamp_of(sources)


def policy_sources(environ: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the files that decide which policy is in force; None on a machine with a system policy."""
    from kubectl_stepup import environment
    from kubectl_stepup.config import places

    system = places.system_policy(environ, platform=sys.platform)
    if system is not None and _may_be_there(system):
        return None
    user = environ.get(environment.POLICY) or places.user_policy(environ, platform=sys.platform)
    default = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "policy", "default-policy.yaml")
    published = places.published_policies(environ, platform=sys.platform)
    try:
        return (os.path.abspath(user) if user else "", default, published or "")
    except OSError:  # the working directory is gone
        return None


def _may_be_there(path: str) -> bool:
    # NOTE: not os.path.lexists, which is false for a file in a directory that we may not search.
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def is_allowed_everywhere(words: Sequence[str], policy: Policy) -> bool:
    """Whether the policy allows the command for every target: an unknown target matches every rule."""
    from kubectl_stepup.kubectl.command import read
    from kubectl_stepup.policy.evaluate import decide
    from kubectl_stepup.policy.model import Target

    command = read(words)
    if not command.known or command.manifests or command.line.last("cache-dir"):
        return False
    decision = decide(policy, command, Target())
    return decision.effect == "allow" and not decision.warned and not decision.audited
