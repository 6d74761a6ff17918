"""Process entry: the two fast paths first (cached credentials, routine commands), then the command line.

The only place that turns an error into an exit code.
"""

from __future__ import annotations

import os
import sys

from kubectl_stepup.isolation import isolate

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading


def main() -> int:
    """Run the program on `sys.argv` and give its exit code."""
    _open_standard_streams()
    isolate()
    _set_home()
    argv = sys.argv[1:]
    if argv and argv[0] == "credential":
        from kubectl_stepup.fastpath import cached_credential

        served = cached_credential.serve(argv, os.environ)
        if served is not None:
            os._exit(served)  # nothing to flush or to tidy, and a tenth of the time is saved
    if os.environ.get("KUBECTL_STEPUP_EVERYDAY"):
        from kubectl_stepup import unelevated

        ended = unelevated.serve(argv)
        if ended is not None:
            return ended
    if argv and argv[0] == "exec":
        from kubectl_stepup.fastpath import allowed_command

        allowed_command.serve(argv, os.environ)
    _keep_the_screen_free_of_our_insides()
    from kubectl_stepup.cli.root import run

    code = run(argv)
    _end_what_hangs(code)
    return code


def _keep_the_screen_free_of_our_insides() -> None:
    """Print no warnings of libraries, and no traceback where an exception has nobody to raise it to.

    That is a thread whose owner is gone, a finaliser, or what runs at exit.
    """
    import threading
    import warnings

    if not sys.warnoptions:  # as `python -W` or $PYTHONWARNINGS asks
        warnings.simplefilter("ignore")
    threading.excepthook = _say_fault
    sys.unraisablehook = lambda unraisable: None


def _say_fault(args: threading.ExceptHookArgs) -> None:
    from kubectl_stepup.cli.root import fault

    if args.exc_value is not None and sys.stderr is not None:
        print(f"error: {fault(args.exc_value)}", file=sys.stderr)  # noqa: T201 - the last resort


def _end_what_hangs(code: int) -> None:
    """Exit at once where a keyring was given up and its thread is still inside a library.

    Such a thread would wake up while the interpreter ends, be ended in the middle of the library's foreign code, and
    abort the whole process with it (134 in place of our exit code).
    """
    os_keyring = sys.modules.get("kubectl_stepup.sessions.stores.keyring")
    if os_keyring is None or not os_keyring.is_anything_hanging():
        return
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):  # nobody reads, closed, or absent
            continue
    os._exit(code)


def _open_standard_streams() -> None:
    """Put /dev/null where a standard stream is closed, so that no file we open takes its number."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _set_home() -> None:
    """Set `$HOME` where it names no place, from the user database, as sudo and ssh do.

    Without it nothing would be enrolled, and kubectl, which inherits it, would read the kubeconfig of the working
    directory.
    """
    if sys.platform == "win32" or os.path.isabs(os.environ.get("HOME", "")):
        return
    import pwd

    try:
        home = pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:  # a user that the machine does not know, as containers have them
        return
    if os.path.isabs(home):
        os.environ["HOME"] = home


if __name__ == "__main__":
    sys.exit(main())
