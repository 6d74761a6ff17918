"""The little of D-Bus that reading a secret takes, over a bare socket (fast path).

A library for it takes five times as long to import as the whole fast path. Method calls with texts alone go out,
and the first values of a reply are read.

Spec: D-Bus Specification 0.43: authentication EXTERNAL, the wire format, message bus addresses.
"""

from __future__ import annotations

import os

from kubectl_stepup.sessions.peer import is_ours, user_and_process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket as Socket

_CALL, _RETURN, _ERROR = 1, 2, 3
_PATH, _INTERFACE, _MEMBER, _REPLY_SERIAL, _DESTINATION, _SIGNATURE = 1, 2, 3, 5, 6, 8
_LARGEST = 1 << 20
_LITTLE_ENDIAN, _VERSION, _HEADER_BYTES = ord("l"), 1, 16
_UNIX_PATH, _UNIX_ABSTRACT = "unix:path=", "unix:abstract="


class NoAnswer(OSError):
    """The bus is not there, or did not give the reply that was hoped for."""


class ForeignBus(NoAnswer):
    """The bus is another user's, who would answer for ours."""


class Body:
    """The arguments of a call; every value is aligned from the start of the body, which is aligned to 8."""

    def __init__(self) -> None:
        self.data = bytearray()

    def align(self, to: int) -> Body:
        """Pad with zeros."""
        self.data += bytes(-len(self.data) % to)
        return self

    def number(self, value: int) -> Body:
        """Add a UINT32."""
        self.align(4).data += value.to_bytes(4, "little")
        return self

    def text(self, value: str) -> Body:
        """Add a STRING or an OBJECT_PATH."""
        encoded = value.encode("utf-8")
        self.number(len(encoded)).data += encoded + b"\0"
        return self

    def signature(self, value: str) -> Body:
        """Add a SIGNATURE."""
        self.data += bytes((len(value),)) + value.encode("ascii") + b"\0"
        return self

    def dictionary(self, values: dict[str, str]) -> Body:
        """Add an `a{ss}`."""
        entries = Body()
        for key, value in values.items():
            entries.align(8).text(key).text(value)
        self.number(len(entries.data)).align(8).data += entries.data
        return self


class Reply:
    """The values of a reply, read in order."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def align(self, to: int) -> None:
        """Skip padding."""
        self._at += -self._at % to

    def number(self) -> int:
        """Read a UINT32."""
        self.align(4)
        return int.from_bytes(self._take(4), "little")

    @property
    def ended(self) -> bool:
        """Whether everything has been read."""
        return self._at >= len(self._data)

    def byte(self) -> int:
        """Read a BYTE."""
        return self._take(1)[0]

    def array(self) -> bytes:
        """Read an `ay`."""
        return self._take(self.number())

    def text(self) -> str:
        """Read a STRING or an OBJECT_PATH."""
        value = self._take(self.number() + 1)
        return value[:-1].decode("utf-8")

    def signature(self) -> str:
        """Read a SIGNATURE."""
        return self._take(self.byte() + 1)[:-1].decode("ascii")

    def texts(self) -> list[str]:
        """Read an `as` or an `ao`."""
        length = self.number()
        end, found = self._at + length, []
        while self._at < end:
            found.append(self.text())
        return found

    def _take(self, length: int) -> bytes:
        value = self._data[self._at : self._at + length]
        if len(value) < length:
            raise NoAnswer("a reply is shorter than it says")
        self._at += length
        return value


class Connection:
    """A connection to the bus at `address`; what is called is sent when a reply is first waited for.

    Raises NoAnswer, or another OSError, in every method.
    """

    def __init__(self, address: str, *, timeout_s: float) -> None:
        self._socket = _connected(unix_address(address), timeout_s)
        user = str(os.getuid()).encode("ascii").hex().encode("ascii")
        self._out = b"\0AUTH EXTERNAL " + user + b"\r\nBEGIN\r\n"
        self._in = b""
        self._welcomed = False
        self._serial = 0
        self.call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello")

    def close(self) -> None:
        """End it."""
        self._socket.close()

    def call(
        self, to: str, path: str, interface: str, member: str, signature: str = "", body: Body | None = None
    ) -> int:
        """Call a method; give the serial number that its reply will have."""
        self._serial += 1
        data = b"" if body is None else bytes(body.data)
        texts = ((_PATH, "o", path), (_INTERFACE, "s", interface), (_MEMBER, "s", member), (_DESTINATION, "s", to))
        fields = Body()
        for code, kind, value in texts:
            fields.align(8).data += bytes((code,))
            fields.signature(kind).text(value)
        if signature:
            fields.align(8).data += bytes((_SIGNATURE,))
            fields.signature("g").signature(signature)
        message = Body()
        message.data += bytes((_LITTLE_ENDIAN, _CALL, 0, _VERSION))
        message.number(len(data)).number(self._serial).number(len(fields.data)).data += fields.data
        self._out += bytes(message.align(8).data) + data
        return self._serial

    def reply(self, serial: int) -> Reply:
        """Wait for the reply to a call; those to earlier ones and signals are passed over."""
        self._socket.sendall(self._out)
        self._out = b""
        if not self._welcomed:
            self._welcome()
        while True:
            kind, answered, body = self._message()
            if answered == serial and kind == _RETURN:
                return Reply(body)
            if answered == serial and kind == _ERROR:
                raise NoAnswer("the bus answers with an error")

    def _welcome(self) -> None:
        while b"\r\n" not in self._in:
            self._receive()
        line, _, self._in = self._in.partition(b"\r\n")
        if not line.startswith(b"OK "):
            raise NoAnswer("the bus does not know this user")
        self._welcomed = True

    def _message(self) -> tuple[int, int, bytes]:
        """Read one message: its type, the serial number that it answers (0: none), its body."""
        head = Reply(self._peek(_HEADER_BYTES))
        first = head.number()
        body_length, _, fields_length = head.number(), head.number(), head.number()
        if first & 0xFF != _LITTLE_ENDIAN:
            raise NoAnswer("the bus speaks another byte order")
        body_at = _HEADER_BYTES + fields_length + -fields_length % 8
        data = self._peek(body_at + body_length)
        self._in = self._in[len(data) :]
        return first >> 8 & 0xFF, _answered(data[: _HEADER_BYTES + fields_length]), data[body_at:]

    def _peek(self, length: int) -> bytes:
        if length > _LARGEST:
            raise NoAnswer("the bus sends more than any secret of ours is long")
        while len(self._in) < length:
            self._receive()
        return self._in[:length]

    def _receive(self) -> None:
        chunk = self._socket.recv(65536)
        if not chunk:
            raise NoAnswer("the bus hung up")
        self._in += chunk


def _connected(path: str, timeout_s: float) -> Socket:
    import _socket  # not `socket`: its enums cost more than the whole fast path

    connected = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        connected.settimeout(timeout_s)
        connected.connect(path)
        # An abstract name is free for every user once its bus is gone, and so is a path in a directory of others.
        if not is_ours(connected):
            raise ForeignBus(f"the session bus belongs to user id {user_and_process(connected)[0]}")
    except OSError:
        connected.close()
        raise
    return connected


def reason_not_ours(addresses: str, *, timeout_s: float) -> str | None:
    """Return why a library must not be let near the buses of a list; None: each that is there is this user's own.

    A library takes the first that it can use, and some of them start a program (`unixexec:`) or call a host (`tcp:`).
    """
    for address in filter(None, addresses.split(";")):
        try:
            path = unix_address(address)
        except NoAnswer:
            return "the session bus is on no socket of this machine"
        try:
            _connected(path, timeout_s).close()
        except ForeignBus as error:
            return str(error)
        except OSError:  # nobody is there: the library says so
            continue
    return None


def _answered(header: bytes) -> int:
    """Find the serial number that a message answers among its header fields; 0 where there is none."""
    fields = Reply(header)
    for _ in range(_HEADER_BYTES // 4):
        fields.number()
    while not fields.ended:
        fields.align(8)
        code, kind = fields.byte(), fields.signature()
        if kind == "u":
            value = fields.number()
            if code == _REPLY_SERIAL:
                return value
        elif kind == "g":
            fields.signature()
        else:
            fields.text()
    return 0


def unix_address(addresses: str) -> str:
    """Return the first address of a list that is a socket of this machine, as `connect` takes it.

    Raises: NoAnswer where there is none.
    """
    for address in addresses.split(";"):
        for prefix, before in ((_UNIX_PATH, ""), (_UNIX_ABSTRACT, "\0")):
            if address.startswith(prefix):
                return before + _unescaped(address.removeprefix(prefix).partition(",")[0])
    raise NoAnswer("the bus is on no socket of this machine")


def _unescaped(text: str) -> str:
    first, *rest = text.split("%")
    try:
        return first + "".join(chr(int(part[:2], 16)) + part[2:] for part in rest)
    except ValueError as error:
        raise NoAnswer("the bus has a malformed address") from error
