"""The system calls of the Linux kernel's keyrings, add_key(2) and keyctl(2), and prctl(2) beside them (fast path).

libc has no functions for the keyrings and `ctypes` takes 3 ms to import, a third of the whole fast path; its C module
`_ctypes` alone takes a tenth of that. What is used of it here has been the ground of `ctypes` since Python 2.5.

Every function raises OSError with the kernel's errno, also where the kernel, the machine or Python lacks the calls
(ENOSYS).

Spec: keyrings(7), keyctl(2), PR_SET_DUMPABLE in prctl(2), https://docs.kernel.org/security/keys/core.html.
"""

from __future__ import annotations

import errno
import sys

from kubectl_stepup.posix_calls import calls

PROCESS_KEYRING, SESSION_KEYRING, USER_KEYRING = -2, -3, -4
"""Names of the keyrings of the caller that stand for their serial numbers."""

_GET_KEYRING_ID, _JOIN_SESSION, _SETPERM, _DESCRIBE, _LINK, _UNLINK = 0, 1, 5, 6, 8, 9
_SEARCH, _READ, _SET_TIMEOUT, _INVALIDATE = 10, 11, 15, 21

_SET_DUMPABLE = 4

# add_key, keyctl, prctl, 64-bit. NOTE: a 32-bit Python on such a kernel has other numbers and counts as unknown.
_NUMBERS = {"x86_64": (248, 250, 157), "aarch64": (217, 219, 167)}
_LARGEST_VALUE = 32_767

GONE = (
    frozenset({errno.ENOKEY, errno.EKEYEXPIRED, errno.EKEYREVOKED, errno.EKEYREJECTED})
    if sys.platform == "linux"
    else frozenset()
)
"""What the kernel says of a key that is no more."""

try:
    import _ctypes

    class _Long(_ctypes._SimpleCData):  # type: ignore[type-arg]
        _type_ = "l"

    class _Address(_ctypes._SimpleCData):  # type: ignore[type-arg]
        _type_ = "P"

    class _Byte(_ctypes._SimpleCData):  # type: ignore[type-arg]
        _type_ = "c"

    class _Value(_ctypes.Array):  # type: ignore[type-arg]
        _type_ = _Byte
        _length_ = _LARGEST_VALUE + 1

    class _SystemCall(_ctypes.CFuncPtr):
        _flags_ = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_USE_ERRNO
        _restype_ = _Long
        # A `void *` takes bytes, arrays, None and whole numbers alike, each as wide as a register.
        _argtypes_ = (_Long, *(_Address,) * 5)

    _NUMBER = _NUMBERS.get(calls.uname().machine) if sys.platform == "linux" and sys.maxsize > 2**32 else None
    _libc = _ctypes.dlopen(None, calls.RTLD_NOW)  # type: ignore[arg-type]  # typeshed forgets None: this very process
    _system_call = _SystemCall(_ctypes.dlsym(_libc, "syscall"))
except (ImportError, AttributeError, OSError):
    _NUMBER = None


def _call(which: int, *arguments: object) -> int:
    if _NUMBER is None:
        raise OSError(errno.ENOSYS, "not the Linux kernel that is known here")
    padded = (*arguments, *(0,) * (5 - len(arguments)))
    result: int = _system_call(_NUMBER[which], *padded)
    if result < 0:
        number = _ctypes.get_errno()
        raise OSError(number, calls.strerror(number))
    return result


def _keyctl(operation: int, *arguments: object) -> int:
    return _call(1, operation, *arguments)


def forbid_dumps() -> None:
    """Keep this process's memory out of core files and from other processes of the user.

    The next execve ends it, so a program that we start or become can be dumped and debugged as ever.
    """
    _call(2, _SET_DUMPABLE, 0)


def add_key(description: str, value: bytes, keyring: int) -> int:
    """Make (or, in that very keyring, update) a key of type `user`; give its serial number."""
    return _call(0, b"user", description.encode("ascii"), value, len(value), keyring)


def search(keyring: int, description: str) -> int | None:
    """Find a living `user` key in a keyring and all keyrings below it, the nearest first; None when there is none."""
    try:
        return _keyctl(_SEARCH, keyring, b"user", description.encode("ascii"), 0)
    except OSError as error:
        if error.errno in GONE:
            return None
        raise


def read(key: int) -> bytes | None:
    """Return a key's value (of a keyring: its members' serial numbers, four bytes each); None when it is no more."""
    value = _Value()
    try:
        length = _keyctl(_READ, key, value, _LARGEST_VALUE + 1)
    except OSError as error:
        if error.errno in GONE:
            return None
        raise
    return bytes(memoryview(value).cast("B")[: min(length, _LARGEST_VALUE + 1)])


def describe(key: int) -> str:
    """Return `type;uid;gid;permissions;description`."""
    value = _Value()
    length = _keyctl(_DESCRIBE, key, value, _LARGEST_VALUE + 1)
    return bytes(memoryview(value).cast("B")[: length - 1]).decode("utf-8", "replace")


def serial_number(keyring: int) -> int:
    """Return the serial number that stands behind a name such as SESSION_KEYRING."""
    return _keyctl(_GET_KEYRING_ID, keyring, 0)


def set_permissions(key: int, permissions: int) -> None:
    """Set who may do what with a key: possessor, user, group and others, eight bits each from the top."""
    _keyctl(_SETPERM, key, permissions)


def set_timeout(key: int, seconds: int) -> None:
    """Have the kernel drop a key after `seconds`; 0 is never."""
    _keyctl(_SET_TIMEOUT, key, seconds)


def link(key: int, keyring: int) -> None:
    """Write a key into a keyring; one of the same name is replaced in the same step."""
    _keyctl(_LINK, key, keyring)


def unlink(key: int, keyring: int) -> None:
    """Take a key out of a keyring."""
    _keyctl(_UNLINK, key, keyring)


def invalidate(key: int) -> None:
    """End a key at once, wherever it is linked."""
    _keyctl(_INVALIDATE, key)


def join_new_session_keyring() -> int:
    """Return the calling thread, and all processes it starts from now on, a new session keyring without a name."""
    return _keyctl(_JOIN_SESSION, None)
