"""Where our files are: names only, from the environment and the platform (`sys.platform`); nothing is looked at.

The working directory is never one of these places, so no repository that one stands in can bring a config along.

Spec: XDG Base Directory Specification 0.8 (a relative value is to be ignored).
"""

from __future__ import annotations

import posixpath

from kubectl_stepup import environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

APPLICATION = "kubectl-stepup"
CONFIG_FILE = "config.yaml"
POLICY_FILE = "policy.yaml"
PUBLISHED_FILE = "published.json"
SYSTEM_DIRECTORY = f"/etc/{APPLICATION}"


def user_directory(environ: Mapping[str, str], *, platform: str) -> str | None:
    """Return the directory of the user's config and policy; None where the environment knows no home."""
    if platform == "win32":
        return _under(environ.get("APPDATA"), platform)
    return _under(environ.get(environment.XDG_CONFIG_HOME), platform) or _home(environ, ".config")


def system_directory(environ: Mapping[str, str], *, platform: str) -> str | None:
    """Return the directory of the files that a user cannot weaken: `/etc/kubectl-stepup` on Linux and macOS."""
    if platform == "win32":
        return _under(environ.get("PROGRAMDATA"), platform)
    return SYSTEM_DIRECTORY


def state_directory(environ: Mapping[str, str], *, platform: str) -> str | None:
    """Return the directory of what must outlive a reboot: the audit log and what clusters publish."""
    if platform == "win32":
        return _under(environ.get("LOCALAPPDATA"), platform)
    return _under(environ.get(environment.XDG_STATE_HOME), platform) or _home(environ, ".local/state")


def cache_directory(environ: Mapping[str, str], *, platform: str) -> str | None:
    """Return the directory of what can be made anew at any time: the compiled policy."""
    if platform == "win32":
        return _under(environ.get("LOCALAPPDATA"), platform, "cache")
    return _under(environ.get(environment.XDG_CACHE_HOME), platform) or _home(environ, ".cache")


def published_policies(environ: Mapping[str, str], *, platform: str) -> str | None:
    """Return the file that keeps what clusters publish."""
    return _file(state_directory(environ, platform=platform), PUBLISHED_FILE, platform)


def runtime_directories(environ: Mapping[str, str], *, platform: str) -> tuple[str, ...]:
    """Return the directories for locks and sockets, best first; each must be checked (0700, ours) before its use."""
    if platform == "win32":
        candidates = [_under(environ.get("LOCALAPPDATA"), platform, "run")]
    else:
        state = state_directory(environ, platform=platform)
        candidates = [
            _under(environ.get(environment.XDG_RUNTIME_DIR), platform),
            None if state is None else posixpath.join(state, "run"),
        ]
    return tuple(candidate for candidate in candidates if candidate is not None)


def user_config(environ: Mapping[str, str], *, platform: str) -> str | None:
    """Return the user's config.yaml, where neither flag nor variable names another."""
    return _file(user_directory(environ, platform=platform), CONFIG_FILE, platform)


def user_policy(environ: Mapping[str, str], *, platform: str) -> str | None:
    """Return the user's policy.yaml, where neither flag nor variable names another."""
    return _file(user_directory(environ, platform=platform), POLICY_FILE, platform)


def system_config(environ: Mapping[str, str], *, platform: str) -> str | None:
    """Return the system's config.yaml."""
    return _file(system_directory(environ, platform=platform), CONFIG_FILE, platform)


def system_policy(environ: Mapping[str, str], *, platform: str) -> str | None:
    """Return the system's policy.yaml."""
    return _file(system_directory(environ, platform=platform), POLICY_FILE, platform)


def _home(environ: Mapping[str, str], directory: str) -> str | None:
    home = environ.get(environment.HOME, "")
    return posixpath.join(home, directory, APPLICATION) if posixpath.isabs(home) else None


def _under(base: str | None, platform: str, *more: str) -> str | None:
    if platform == "win32":
        import ntpath

        return ntpath.join(base, APPLICATION, *more) if base and ntpath.isabs(base) else None
    return posixpath.join(base, APPLICATION, *more) if base and posixpath.isabs(base) else None


def _file(directory: str | None, name: str, platform: str) -> str | None:
    if directory is None:
        return None
    if platform == "win32":
        import ntpath

        return ntpath.join(directory, name)
    return posixpath.join(directory, name)
