"""Process entry: the two fast paths first (cached credentials, allowed commands), then the command line."""

from __future__ import annotations

import os
import sys

from kubectl_stepup.isolation import isolate

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading


def main() -> int:
    """Run the program on `sys.argv` and return its exit code."""
    _open_standard_streams()
    isolate()
    _set_home()
    argv = sys.argv[1:]
    if argv and argv[0] == "credential":
        from kubectl_stepup.fastpath import cached_credential

        served = cached_credential.serve(argv, os.environ)
        if served is not None:
            os._exit(served)  # there is nothing to flush or close, and this saves a tenth of the time
    if os.environ.get("KUBECTL_STEPUP_EVERYDAY"):
        from kubectl_stepup import unelevated

        ended = unelevated.serve(argv)
        if ended is not None:
            return ended
    if argv and argv[0] == "exec":
        from kubectl_stepup.fastpath import allowed_command

        allowed_command.serve(argv, os.environ)
    _silence_warnings_and_tracebacks()
    from kubectl_stepup.cli.root import run

    code = run(argv)
    _exit_if_a_thread_hangs(code)
    return code


def _silence_warnings_and_tracebacks() -> None:
    """Print no library warnings, and no traceback of an exception outside the main flow.

    Such are exceptions in a thread whose owner is gone, in a finaliser, and at exit.
    """
    import threading
    import warnings

    if not sys.warnoptions:  # as `python -W` or $PYTHONWARNINGS asks
        warnings.simplefilter("ignore")
    threading.excepthook = _print_fault
    sys.unraisablehook = lambda unraisable: None


def _print_fault(args: threading.ExceptHookArgs) -> None:
    from kubectl_stepup.cli.root import fault

    if args.exc_value is not None and sys.stderr is not None:
        print(f"error: {fault(args.exc_value)}", file=sys.stderr)  # noqa: T201 - the last resort


def _exit_if_a_thread_hangs(code: int) -> None:
    """Exit at once if the thread of a timed-out keyring call is still inside a library.

    Such a thread would wake up while the interpreter ends, be stopped amid native code, and abort the whole process
    (134 instead of our exit code).
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
    """Open /dev/null for each closed standard stream, so that no file that we open gets its number."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _set_home() -> None:
    """Set `$HOME` from the user database if it is no absolute path, as sudo and ssh do.

    Without it nothing would be enrolled, and kubectl, which inherits it, would read the kubeconfig of the working
    directory.
    """
    if sys.platform == "win32" or os.path.isabs(os.environ.get("HOME", "")):
        return
    import pwd

    try:
        home = pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:  # an unknown user, as in containers
        return
    if os.path.isabs(home):
        os.environ["HOME"] = home


if __name__ == "__main__":
    sys.exit(main())
