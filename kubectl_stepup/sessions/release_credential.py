"""Answer `credential` from a stored session, on the fast path: everything else is left to the ordinary one.

Where a session is looked for, in this order: what was handed to this very process tree (kernel keyring, or the socket
that the arguments name), the kernel keyring under this terminal's scope, there under the user's, and the same in the
store that the arguments name: a directory of files, or the Secret Service.
"""

from __future__ import annotations

from kubectl_stepup import environment
from kubectl_stepup.posix_calls import encoded
from kubectl_stepup.sessions import rests_on, scope, stored_session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from kubectl_stepup.errors import StoreUnavailable
    from kubectl_stepup.sessions.stored_session import StoredSession

    VersionFor = Callable[[str, str], str | None]

SESSION, HANDOVER, DIRECTORY, STORE = "--session", "--handover", "--store-directory", "--store"
KEYRING = "keyring"
"""The one value of `STORE`: the kernel is always asked, and files are in a directory."""


def parse(arguments: Sequence[str]) -> dict[str, str] | None:
    """Parse `--session ID [--handover SOCKET] [--store-directory DIRECTORY] [--store keyring]`; None for all else."""
    options = dict(zip(arguments[::2], arguments[1::2], strict=False))
    known = {SESSION, HANDOVER, DIRECTORY, STORE}.issuperset(options) and options.get(STORE, KEYRING) == KEYRING
    if not known or len(options) * 2 != len(arguments) or not scope.is_session_id(options.get(SESSION, "")):
        return None
    return options


def answer(arguments: Sequence[str], environ: Mapping[str, str], *, version_for: VersionFor) -> bytes | None:
    """Return the ExecCredential to write, or None: no usable session, another server, anything unusual.

    A session that was evaluated with other files than are there now is unusual: config or policy may have ended it.

    `version_for(pin, exec_info)` decides on an unexpected KUBERNETES_EXEC_INFO: it takes the session's
    `cluster` line and the whole value, and gives the version to answer in, or None to withhold.
    """
    options = parse(arguments)
    exec_info = environ.get(environment.EXEC_INFO)
    if options is None or not exec_info:
        return None
    if HANDOVER not in options:
        _guard()
    now = scope.moment()
    for data in _stored(options, environ):
        found = stored_session.read(data, session_id=options[SESSION])
        if found is not None and found.usable(now):
            return _credential(found, exec_info, version_for) if rests_on.is_unchanged(found.rests_on) else None
    return None


def _guard() -> None:
    """Keep the token out of core files. Not done for the socket, which needs no keyctl and saves its time."""
    from kubectl_stepup.sessions.stores.keyctl import forbid_dumps

    try:
        forbid_dumps()
    except OSError:  # another system, which writes no core files by default
        return


def _credential(found: StoredSession, exec_info: str, version_for: VersionFor) -> bytes | None:
    version = found.version_expected(encoded(exec_info)) or version_for(found.cluster, exec_info)
    return None if version is None else found.credential(version)


def _stored(options: dict[str, str], environ: Mapping[str, str]) -> Iterator[bytes]:
    session_id = options[SESSION]
    kernel, keyring = (lambda found, _: _kernel(found, environ)), (lambda found, _: _keyring(found, options, environ))
    for read in (_handed_over, kernel, _file, keyring):
        values = read(session_id, options)
        while (value := _next(values)) is not None:
            yield value


def _next(values: Iterator[bytes]) -> bytes | None:
    """Return the next value of a store; None at its end, and where the store cannot be used.

    The ordinary path gives the reason where no other store has the session either.
    """
    # NOTE: not around a `yield`: leaving the generator early is an exception too, and would ask for the error's class.
    try:
        return next(values, None)
    except _store_unavailable():
        return None


def _store_unavailable() -> type[StoreUnavailable]:
    # NOTE: imported only where something was raised: the classes of all errors take a tenth of the fast path.
    from kubectl_stepup.errors import StoreUnavailable

    return StoreUnavailable


def _handed_over(session_id: str, options: dict[str, str]) -> Iterator[bytes]:
    if HANDOVER in options:
        from kubectl_stepup.sessions.hand_over_socket import receive

        value = receive(options[HANDOVER])
    else:
        from kubectl_stepup.sessions.stores.kernel import handed_over

        value = handed_over(session_id)
    if value is not None:
        yield value


def _kernel(session_id: str, environ: Mapping[str, str]) -> Iterator[bytes]:
    from kubectl_stepup.sessions.stores.kernel import KernelKeyringStore, keyring_of

    store = KernelKeyringStore(keyring=keyring_of(environ))
    for one in (scope.terminal_scope(), scope.USER_SCOPE):
        value = store.get(scope.key(session_id, one))
        if value is not None:
            yield value


def _file(session_id: str, options: dict[str, str]) -> Iterator[bytes]:
    if DIRECTORY not in options:
        return
    from kubectl_stepup.sessions.stores.file import FileStore

    store = FileStore(options[DIRECTORY])
    for one in (scope.terminal_scope(), scope.USER_SCOPE):
        value = store.get(scope.key(session_id, one))
        if value is not None:
            yield value


def _keyring(session_id: str, options: dict[str, str], environ: Mapping[str, str]) -> Iterator[bytes]:
    address = environ.get(environment.DBUS_SESSION_BUS_ADDRESS)
    if options.get(STORE) != KEYRING or not address:
        return
    from kubectl_stepup.sessions.stores import secret_service

    for one in (scope.terminal_scope(), scope.USER_SCOPE):
        value = secret_service.read(address, scope.key(session_id, one))
        if value is not None:
            yield value
