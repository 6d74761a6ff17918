"""Why a keyring cannot be used, in plain words: what its library raises is a name for programmers."""

from __future__ import annotations

_REASONS = {
    "ItemNotFoundException": "it has no collection to keep items in",
    "LockedException": "it is locked, and was not unlocked",
    "KeyringLocked": "it is locked, and was not unlocked",
    "PromptDismissedException": "it is locked, and was not unlocked",
    "InitError": "its collection cannot be opened",
    "SecretServiceNotAvailableException": "no such service answers in this login session",
    "NoKeyringError": "it is not installed",
    "ImportError": "it is not installed",
    "NameError": "the D-Bus library that it needs is not installed",
    "ForeignBus": "the session bus belongs to another user",
    "ConnectionError": "nothing answers at its address",
    "OSError": "nothing answers at its address",
    "KeyError": "there is no session bus",
}
"""By the names of classes of ours, of the keyring, secretstorage and jeepney libraries, and of Python; the first that
fits."""


def reason_of(error: BaseException) -> str:
    """Return in plain words why a backend raised an error, as far as its type tells."""
    if isinstance(error, TimeoutError):
        return "it does not answer"
    names = {kind.__name__ for kind in type(error).__mro__}
    for name, reason in _REASONS.items():
        if name in names:
            return reason
    return "it reports an error"
