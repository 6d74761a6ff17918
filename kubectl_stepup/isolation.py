"""Keep the caller's PYTHON* variables out of this program, but in the environment of its children (processes).

The launcher renames them before Python starts (launcher/isolation.c). Here they get their names back, for kubectl, its
plugins and editors. Without the launcher Python has read them already: if one of them decides which code runs, the
program starts once more without them.

NOTE: that second start cannot undo what ran before it: a `sitecustomize.py` in `$PYTHONPATH`, or a package of our name
there. Only the launcher and a frozen program keep these out.
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
        "PYTHON_KEYRING_BACKEND",  # of the keyring library, whose default is not used
    }
)
"""Variables that people set for all their programs, and that do not decide which code runs."""


def isolate() -> None:
    """Run without the caller's PYTHON* variables, but keep them in the environment of children."""
    if _was_launched():
        _restore_names()
    elif _variables_decide_what_runs():
        _start_again()
    _put_the_callers_directories_last()


def _was_launched() -> bool:
    return CALLERS + _SAFE_PATH in os.environ


def _restore_names() -> None:
    for name in [name for name in os.environ if name.startswith(_PREFIX)]:
        del os.environ[name]
    for name in [name for name in os.environ if name.startswith(CALLERS + _PREFIX)]:
        value, own = os.environ.pop(name), name.removeprefix(CALLERS)
        if value or own != _SAFE_PATH:  # an empty one says that the caller had none
            os.environ[own] = value


def _variables_decide_what_runs() -> bool:
    # NOTE: on Windows a program cannot replace itself: its parent would not wait for the new one.
    if sys.flags.ignore_environment or sys.platform == "win32" or getattr(sys, "frozen", False):
        return False
    named = {name for name in os.environ if name.startswith(_PREFIX)} - _WITHOUT_CODE
    return bool(named) and os.path.isfile(sys.argv[0])


def _start_again() -> None:
    try:
        # The script itself, not `-m`: by its path a kubectl that is a link to it is recognised.
        become_python(sys.argv)
    except OSError:  # installed libraries come first anyway
        return


def become_python(words: Sequence[str]) -> None:
    """Replace this process by its interpreter, run with these words and without the caller's PYTHON* variables.

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
    """Return the parts of the variables that lead to our own package, without which the program could not start."""
    package = os.path.dirname(os.path.abspath(__file__))
    user_base, above = environ.get("PYTHONUSERBASE", ""), os.path.dirname(package)
    found = {}
    if os.path.isabs(user_base) and package.startswith(os.path.join(user_base, "")):
        found["PYTHONUSERBASE"] = user_base
    if above in environ.get("PYTHONPATH", "").split(os.pathsep):
        found["PYTHONPATH"] = above
    return found


def _put_the_callers_directories_last() -> None:
    """Put the working directory and `$PYTHONPATH` last on the import path, so that they replace no installed library.

    They stay on the path, as some packagers put our libraries there.
    """
    sys.path.sort(key=_python_path().__contains__)


def _python_path() -> set[str]:
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    try:
        return {os.path.abspath(entry) for entry in named}  # an empty entry is the working directory
    except OSError:  # it is gone
        return set()
