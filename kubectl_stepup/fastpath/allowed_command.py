"""The fast path of allowed commands: `exec -- get pods` becomes kubectl at once (tests list the imported modules).

A command that policy allows *whatever the cluster and namespace are* needs neither kubeconfig nor config. It is
decided by the compiled policy of the user's file; everything else is left to the ordinary path, and so is every
machine with a system policy, which a file that the user can write must not stand in for.
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
    """Become kubectl where `argv` is a routine command; else return, and take the ordinary path."""
    if argv[:2] != FORM or len(argv) < 3 or sys.platform == "win32":
        return
    if environ.get("KUBECTL_STEPUP_NESTED"):  # inside an elevated run it is elevated too, and recorded
        return
    words = argv[2:]
    from kubectl_stepup import environment

    # A table that the environment names may say that the words mean something else.
    if environ.get(environment.KUBECACHEDIR) or not is_known_routine(words, environ):
        return
    from kubectl_stepup.kubectl import process

    try:
        path = process.find(environ, not_this=sys.argv[0])
    except _kubectl_failed():  # the ordinary path says it
        return
    process.replace(path, words, environ)


def _kubectl_failed() -> type[KubectlFailed]:
    # NOTE: asked for where something was raised only: the classes of all errors take a tenth of this road.
    from kubectl_stepup.errors import KubectlFailed

    return KubectlFailed


def is_known_routine(words: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether the policy in force, compiled before, allows the command wherever it goes; remember that it does."""
    kept = _kept(environ)
    if kept is None:
        return False
    from kubectl_stepup.policy.allowed_commands import RoutineLines

    lines = RoutineLines(*kept)
    if words in lines:
        return True
    policy = compiled_policy(environ)
    if policy is None or not is_routine(words, policy):
        return False
    lines.add(words)
    return True


def compiled_policy(environ: Mapping[str, str]) -> Policy | None:
    """Return the user's policy, or the default one, where it was compiled before and nothing changed since."""
    kept = _kept(environ)
    if kept is None:
        return None
    from kubectl_stepup.policy import compiled_file

    return compiled_file.read(*kept)


def _kept(environ: Mapping[str, str]) -> tuple[str, Stamp] | None:
    """Return where things made from the policy are kept, and the stamp of the policy as it is now."""
    from kubectl_stepup.config import places

    directory = places.cache_directory(environ, platform=sys.platform)
    sources = policy_sources(environ)
    if directory is None or sources is None:
        return None
    from kubectl_stepup.file_stamp import stamp_of

    return directory, stamp_of(sources)


def policy_sources(environ: Mapping[str, str]) -> tuple[str, ...] | None:
    """Name the files that decide which policy is in force; None on a machine with a system policy."""
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
    # NOTE: not os.path.lexists, to which a directory that we may not look into is one without the file.
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def is_routine(words: Sequence[str], policy: Policy) -> bool:
    """Whether the command is allowed wherever it goes: a target that is unknown meets every rule there is."""
    from kubectl_stepup.kubectl.command import read
    from kubectl_stepup.policy.evaluate import decide
    from kubectl_stepup.policy.model import Target

    command = read(words)
    if not command.known or command.manifests or command.line.last("cache-dir"):
        return False
    decision = decide(policy, command, Target())
    return decision.effect == "allow" and not decision.warned and not decision.audited
