"""Keep the caller's PYTHON* variables away from this program, and for what it starts (processes).

The launcher takes them out of the environment before Python starts, under other names (launcher/isolation.c); here they
get their own names back, for kubectl, its plugins and editors. Without a launcher Python has read them already: where
one of them says what code runs, the program starts once more in the same way.

NOTE: that second start cannot undo what ran before it: a `sitecustomize.py` in `$PYTHONPATH`, and a package of our
name there. Only the launcher, and a frozen program, keep these out.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CALLERS = "KUBECTL_STEPUP_"
_PREFIX = "PYTHON"
_SAFE_PATH = "PYTHONSAFEPATH"

_WITHOUT_CODE = frozenset(
    {
        _SAFE_PATH,
        "PYTHONCOERCECLOCALE",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONFAULTHANDLER",
        "PYTHONHASHSEED",
        "PYTHONIOENCODING",
        "PYTHONNOUSERSITE",
        "PYTHONSTARTUP",  # of the interactive interpreter
        "PYTHONUNBUFFERED",
        "PYTHONUTF8",
        "PYTHON_COLORS",
        "PYTHON_HISTORY",
        "PYTHON_KEYRING_BACKEND",  # of the keyring library, which is never asked for its default
    }
)
"""Variables that people set for all of their programs, and that say nothing about which code runs."""


def isolate() -> None:
    """Run with none of the caller's PYTHON* variables, and have them in the environment of what is started."""
    if _was_launched():
        _give_back()
    elif _is_told_what_to_run():
        _start_again()
    _look_last_where_the_caller_is()


def _was_launched() -> bool:
    return CALLERS + _SAFE_PATH in os.environ


def _give_back() -> None:
    for name in [name for name in os.environ if name.startswith(_PREFIX)]:
        del os.environ[name]
    for name in [name for name in os.environ if name.startswith(CALLERS + _PREFIX)]:
        value, own = os.environ.pop(name), name.removeprefix(CALLERS)
        if value or own != _SAFE_PATH:  # an empty one says that the caller had none
            os.environ[own] = value


def _is_told_what_to_run() -> bool:
    # NOTE: on Windows a program cannot take another's place: whoever started this one would not wait for it.
    if sys.flags.ignore_environment or sys.platform == "win32" or getattr(sys, "frozen", False):
        return False
    named = {name for name in os.environ if name.startswith(_PREFIX)} - _WITHOUT_CODE
    return bool(named) and os.path.isfile(sys.argv[0])


def _start_again() -> None:
    try:
        # The script itself, not `-m`: what it is called by is how a kubectl that is a link to it is recognised.
        become_python(sys.argv)
    except OSError:  # the libraries that are installed come first all the same
        return


def become_python(words: Sequence[str]) -> None:
    """Become this interpreter with these words, and with none of the caller's PYTHON* variables.

    Raises:
        OSError: it cannot be started.
    """
    os.execve(sys.executable, [sys.executable, *words], _renamed(os.environ))  # noqa: S606 - no shell is the point


def _renamed(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the caller's variables under names that Python does not read."""
    ours = {CALLERS + _SAFE_PATH: "", _SAFE_PATH: "1", **_leading_to_us(environ)}
    callers = {CALLERS + name: value for name, value in environ.items() if name.startswith(_PREFIX)}
    others = {name: value for name, value in environ.items() if not name.startswith((_PREFIX, CALLERS + _PREFIX))}
    return {**others, **ours, **callers}


def _leading_to_us(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what of the variables leads to our own package: without it there would be no program to start."""
    package = os.path.dirname(os.path.abspath(__file__))
    user_base, above = environ.get("PYTHONUSERBASE", ""), os.path.dirname(package)
    found = {}
    if os.path.isabs(user_base) and package.startswith(os.path.join(user_base, "")):
        found["PYTHONUSERBASE"] = user_base
    if above in environ.get("PYTHONPATH", "").split(os.pathsep):
        found["PYTHONPATH"] = above
    return found


def _look_last_where_the_caller_is() -> None:
    """Let nothing in the working directory or `$PYTHONPATH` stand in for our libraries: what is installed comes first.

    They stay on the path, behind everything else: some packagers put our libraries there.
    """
    sys.path.sort(key=_python_path().__contains__)


def _python_path() -> set[str]:
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    try:
        return {os.path.abspath(entry) for entry in named}  # of an empty one: the working directory
    except OSError:  # it is gone
        return set()
